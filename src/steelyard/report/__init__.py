"""The decision as something to read: HTML, Markdown, JSON. Computes nothing."""
