"""What the rules say of a patient as things stand: whose bill waits and why, what applies, and what would cure it."""
