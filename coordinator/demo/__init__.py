"""The demo agency: the project's own invention, the same for the same seed and size."""
