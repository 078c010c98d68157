"""What the care team tells and asks of each other: tasks, notes, threads, and one inbox."""
