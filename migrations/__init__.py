"""Steps from one state of the tables to the next, up and down, on both engines."""
