"""The hospitals' door: FHIR R4 in."""
