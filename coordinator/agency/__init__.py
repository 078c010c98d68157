"""The agency and its branches: zone, service area, office."""
