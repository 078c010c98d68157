"""What a WSGI server and `flask --app wsgi` load."""

from coordinator.app import create_app
from coordinator.cli import register

app = create_app()
register(app)
