"""`flask audit`: examine the trail."""

import click
from flask.cli import AppGroup

from coordinator.cli.common import command_work
from coordinator.core.audit import verify

group = AppGroup("audit", help="The audit trail.")


@group.command("verify")
def verify_trail() -> None:
    """Recompute every hash of the trail; exit status 1 if a line was changed or is missing."""
    with command_work("audit-verify", write=False) as work:
        answer = verify(work.session)
    if not answer.ok:
        raise click.ClickException(f"The trail is broken at line {answer.broken_at}: {answer.problem}.")
    click.echo(f"The trail is whole: {answer.lines} lines.")
