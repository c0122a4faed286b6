"""What a model needs and what a machine can do: memory, speed, capacity. Estimates, never measurements."""
