"""What an episode of care rests on: encounter, certification, homebound status, stays away, assessments, discharge."""
