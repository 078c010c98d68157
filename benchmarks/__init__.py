"""Measurements of the planner, each one command; run as `python -m benchmarks.week`."""
