"""Repairs: what to do when the day breaks, proposed first and done only when somebody approves it."""
