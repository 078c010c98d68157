"""Durable work: one queue with two engines, the clock that fills it, the worker that empties it."""
