"""Tests read as sentences; the folder is the room."""
