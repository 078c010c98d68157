"""What a WSGI server and `flask --app wsgi` load."""

import sys

from coordinator.app import create_app
from coordinator.cli import register
from coordinator.core.settings import SettingsError

try:
    app = create_app()
except SettingsError as error:
    # One line for whoever starts it, not a traceback.
    sys.exit(f"The coordinator does not start. {error}")
register(app)
