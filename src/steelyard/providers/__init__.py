"""How to call one model, wherever it runs."""
