"""`flask worker`: does the jobs that wait in the queue, and ticks the clock."""

import signal
import threading

import click
import flask
import sqlalchemy as sa
from flask.cli import AppGroup

from coordinator.cli.common import command_work
from coordinator.jobs import ledger
from coordinator.jobs.attempt import UnknownJobError
from coordinator.jobs.clock import Clock, tick
from coordinator.jobs.context import Workshop
from coordinator.jobs.model import FAILED, QueuedJob
from coordinator.jobs.worker import Worker

group = AppGroup("worker", help="Jobs: the queue and the clock that fills it.")


def workshop() -> Workshop:
    found: Workshop = flask.current_app.extensions["workshop"]
    return found


def _worker(concurrency: int = 2) -> Worker:
    try:
        return Worker(workshop(), concurrency=concurrency)
    except UnknownJobError as error:
        raise click.ClickException(str(error)) from None


@group.command("run")
@click.option("--clock/--no-clock", default=True, show_default=True, help="Tick as well, if no other clock does.")
@click.option("--concurrency", default=2, show_default=True, type=click.IntRange(1, 16), help="PostgreSQL only.")
def run(*, clock: bool, concurrency: int) -> None:
    """Work until SIGTERM or SIGINT; the job at hand is finished first."""
    worker = _worker(concurrency)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    timer = Clock(workshop()) if clock else None
    if timer is not None:
        timer.start()
    try:
        worker.run_forever(stop)
    finally:
        if timer is not None:
            timer.stop()


@group.command("once")
@click.option("--clock/--no-clock", default=True, show_default=True, help="Put in the queue what is due, first.")
def once(*, clock: bool) -> None:
    """Do everything that is due now, and come back."""
    worker = _worker()
    if clock:
        tick(workshop(), workshop().now())
    click.echo(f"{worker.run_once()} jobs tried.")


@group.command("status")
def status() -> None:
    """Print how many jobs wait, run, are done and have failed, and the failed ones with their error's code."""
    with command_work("worker-status", write=False) as work:
        counts = ledger.counts(work.session)
        failed = work.session.execute(
            sa.select(QueuedJob).where(QueuedJob.status == FAILED).order_by(QueuedJob.finished_at.desc()).limit(50)
        ).scalars()
        lines = [f"{row.finished_at:%Y-%m-%dT%H:%M:%SZ}  {row.key}  {row.error}" for row in failed]
    click.echo("  ".join(f"{word}: {number}" for word, number in counts.items()))
    for line in lines:
        click.echo(line)


@group.command("retry")
@click.argument("key")
def retry(key: str) -> None:
    """Put the failed job with KEY in the queue again."""
    with command_work("worker-retry") as work:
        ledger.try_again(work, key)
    click.echo(f"{key} is in the queue again.")
