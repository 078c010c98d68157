"""`flask demo`: the demo agency. Refused in production."""

import json

import click
from flask.cli import AppGroup

from coordinator.access.service import installer_actor
from coordinator.cli.common import command_work, door, say
from coordinator.demo.agency import Loaded, OnceDoorman, is_loaded, load

group = AppGroup("demo", help="The demo agency.")


def load_demo(patients: int, clinicians: int, seed: int) -> Loaded | None:
    """Fill the database with the demo agency; None if it is there already. ClickException outside the demo profile."""
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
