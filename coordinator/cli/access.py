"""`flask access`: users and tokens from the command line."""

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from coordinator.access import service
from coordinator.access.model import User
from coordinator.cli.common import command_work

group = AppGroup("access", help="Users and tokens.")


@group.command("token")
@click.argument("username")
@click.option("--label", default="command line", show_default=True)
def token(username: str, label: str) -> None:
    """Print a new bearer token for USERNAME."""
    with command_work("access-token") as work:
        user = work.session.execute(sa.select(User).where(User.username == username)).scalar()
        if user is None:
            raise click.ClickException(f"There is no user {username}.")
        work.actor = service.actor_of(user)
        _, secret = service.issue_token(work, user_id=user.id, label=label)
    click.echo(secret)
