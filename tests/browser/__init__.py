"""The screens in a real browser: headless Chromium, on the demo agency, on SQLite (other tests have both engines)."""
