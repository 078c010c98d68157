"""`flask demo`: the demo agency, in the profiles demo and test; its accounts sign in in the demo alone."""

import json
from datetime import date, timedelta

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from coordinator.access.service import installer_actor
from coordinator.agency.service import branch_by_code, zone_of
from coordinator.cli.common import command_work, door, say
from coordinator.cli.db import upgrade_here
from coordinator.cli.planning import page_of, plan_days
from coordinator.demo.agency import BRANCH, PASSWORD, Loaded, OnceDoorman, is_loaded, load
from coordinator.planning.model import PlanRun

group = AppGroup("demo", help="The demo agency.")


def load_demo(patients: int, clinicians: int, seed: int) -> Loaded | None:
    """Fill the database with the demo agency; None if it is there already. ClickException in production."""
    settings = door().settings
    if settings.profile == "production":
        raise click.ClickException("The demo agency has no place in production: its passwords are known to everybody.")
    with command_work("demo-load", actor=installer_actor("demo")) as work:
        if is_loaded(work):
            return None
        return load(
            work, OnceDoorman(settings), settings.directory_path, number_of_patients=patients,
            number_of_clinicians=clinicians, seed=seed, progress=say,
        )  # fmt: skip


@group.command("load")
@click.option("--patients", type=click.IntRange(1, 5000), default=60, show_default=True)
@click.option("--clinicians", type=click.IntRange(1, 500), default=16, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def load_command(patients: int, clinicians: int, seed: int, as_json: bool) -> None:
    """Fill an empty database with the demo agency; a second time changes nothing."""
    loaded = load_demo(patients, clinicians, seed)
    if as_json:
        answer = {"loaded": loaded is not None}
        if loaded is not None:
            answer |= {name: getattr(loaded, name) for name in ("patients", "clinicians", "physicians", "orders")}
        click.echo(json.dumps(answer))
    elif loaded is None:
        click.echo("The demo agency is there already; `make demo-reset` throws it away.")
    else:
        click.echo(
            f"Loaded {loaded.patients} patients, {loaded.clinicians} clinicians, {loaded.physicians} physicians and "
            f"{loaded.orders} signed orders into branch SF."
        )


#: Seconds that the demo's first plan searches.
PLAN_SECONDS = 12
#: From this hour of the branch's clock on, the demo's first plan begins tomorrow.
PLANS_TOMORROW_FROM = 14
#: Who signs in by which name.
SIGN_INS = (("scheduler", "plans and publishes"), ("nurse", "has a roster"), ("physician", "has orders to sign"))


@group.command("start")
def start() -> None:
    """Bring up the demo: tables, agency and the coming week's plan, each once; then say how to sign in."""
    upgrade_here()
    loaded = load_demo(60, 16, 1)
    if loaded is not None:
        click.echo(
            f"Loaded the demo agency: {loaded.patients} patients, {loaded.clinicians} clinicians, "
            f"{loaded.orders} signed orders."
        )
    first = _unplanned()
    if first is not None:
        click.echo(
            f"Planning {first} to {first + timedelta(days=6)}; the first time, the planner is compiled (a minute) ..."
        )
        click.echo(page_of(plan_days(BRANCH, first, seconds=PLAN_SECONDS, and_publish=True)))
    click.echo(f"\nSign in on http://127.0.0.1:8000 with the password {PASSWORD}:")
    for username, does in SIGN_INS:
        click.echo(f"  {username:<10} {does}")
    click.echo("The other accounts, from intake to aide, have the same password. Stop with Ctrl-C.\n")


def _unplanned() -> date | None:
    """The branch's today while there is a day left to make visits in, else tomorrow; None if somebody planned already.

    Whoever starts the demo in the morning finds the nurse's roster of this day, and not an empty one.
    """
    with command_work("demo-start", write=False) as work:
        branch = branch_by_code(work, BRANCH)
        if work.session.execute(sa.select(PlanRun.id).where(PlanRun.branch_id == branch.id).limit(1)).scalar():
            return None
        local = work.now.astimezone(zone_of(work, branch.id))
        return local.date() + timedelta(days=local.hour >= PLANS_TOMORROW_FROM)
