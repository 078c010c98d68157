"""A patient's care team: who manages, who coordinates, who is primary, who takes part from outside, who stands in."""
