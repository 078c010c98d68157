"""What a WSGI server and `flask --app wsgi` load."""

import sys

import click
import flask.cli

from coordinator.app import create_app
from coordinator.cli import register
from coordinator.core.settings import SettingsError
from coordinator.planning.search import warm_in_background

try:
    app = create_app()
except SettingsError as error:
    # One line for whoever starts it, not a traceback.
    sys.exit(f"The coordinator does not start. {error}")
register(app)

_context = click.get_current_context(silent=True)
if _context is not None and _context.command is flask.cli.run_command:
    warm_in_background()  # `flask run` serves as gunicorn does: no first question waits for the planner
