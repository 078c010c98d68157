"""What every command needs: a work of its own, and a bar that only a terminal sees."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
import flask

from coordinator.access.service import system_actor
from coordinator.core import audit
from coordinator.core.errors import Refusal
from coordinator.core.http import Door
from coordinator.core.work import Actor, Work


def door() -> Door:
    """The app's door, for its database, policy and wiring."""
    found: Door = flask.current_app.extensions["door"]
    return found


@contextmanager
def command_work(command: str, *, write: bool = True, actor: Actor | None = None) -> Iterator[Work]:
    """One transaction for one command; a refusal becomes a message and exit status 1."""
    d = door()
    try:
        with d.database.transaction(write=write) as session:
            work = Work(
                session=session,
                actor=actor or system_actor(command),
                now=datetime.now(UTC),
                policy=d.policy,
                handlers=d.handlers,
                enqueue=d.enqueue,
                atlas=d.atlas,
            )
            yield work
            if write:
                session.flush()  # refusals of the database come before the chain's lock is taken
                audit.seal(session, work.trail)
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from None


def say(text: str) -> None:
    """Progress, to people only: nothing in a pipe."""
    if sys.stderr.isatty():
        click.echo(text, err=True)


def units(cents: int) -> str:
    """A cost of a plan as people read it, by every command alike: in units, with two decimals."""
    return f"{cents / 100:.2f}"
