"""Planning runs, proposals, diffs and publication; the bridge from rows to the planner's problem and back."""
