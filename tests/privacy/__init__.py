"""Requests, disclosures, breaches, retention, emergencies."""
