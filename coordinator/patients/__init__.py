"""The patient and what care at home must know of them: home, language, caregivers, coverage, preferences, episodes."""
