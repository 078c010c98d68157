"""The words of home care, with nothing of the machine in them: pure values, states, calendars and notations."""
