"""`flask instruments`: the agency's own licensed wording of instruments, from its file."""

import tomllib
from pathlib import Path

import click
from flask.cli import AppGroup

from coordinator.care import texts
from coordinator.cli.common import command_work
from coordinator.rules.questionnaires import InstrumentsError

group = AppGroup("instruments", help="Instruments and their wording.")


@group.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(file: Path) -> None:
    """Load texts from a TOML FILE: per instrument a `licence`, per language a table of items. Whole, or not at all."""
    try:
        mapping = tomllib.loads(file.read_text(encoding="utf-8"))
        with command_work("instruments-load") as work:
            counted = texts.load(work, mapping)
    except (InstrumentsError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file.name}: {error}") from None
    for (code, language), number in sorted(counted.items()):
        click.echo(f"{code.value}, {language}: {number} texts.")
