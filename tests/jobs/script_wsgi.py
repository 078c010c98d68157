"""`flask --app tests.jobs.script_wsgi`: the product, with a job for every entry of the clock that does nothing."""

from dataclasses import replace

from coordinator.app import create_app
from coordinator.cli import register

app = create_app()
register(app)
workshop = app.extensions["workshop"]
app.extensions["workshop"] = replace(
    workshop, jobs={entry.job: lambda _context, _arguments: None for entry in workshop.clock}
)
