"""What the care team measures, decides together, and keeps for when the patient cannot speak."""
