"""Published problem formats, read into the planner's problem and written back as published solutions."""
