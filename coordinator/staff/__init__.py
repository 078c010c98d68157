"""The people who give and order care: clinicians, credentials, languages, shifts, time off; physicians; teams."""
