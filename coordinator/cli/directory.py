"""`flask directory`: the directory loaded, imported from a sheet, exported, and what of it is to be checked."""

import json
from pathlib import Path

import click
from flask.cli import AppGroup

from coordinator.cli.common import command_work, door
from coordinator.core.errors import Invalid
from coordinator.directory import hsds, keeping, service

group = AppGroup("directory", help="Where patients can be sent on to.")


@group.command("load")
def load() -> None:
    """Load the shipped directory; what the agency has edited stays as it is."""
    with command_work("directory-load") as work:
        count = service.load(work, door().settings.directory_path)
    click.echo(f"{count} organisations are loaded.")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
def import_sheet(file: Path, dry_run: bool) -> None:
    """Add and change organisations from a CSV FILE, by key; every mistake is told, and then nothing is changed."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise click.ClickException(f"{file.name} is not UTF-8: save it as UTF-8 CSV.") from None
    with command_work("directory-import") as work:
        try:
            done = keeping.import_sheet(work, text)
        except Invalid as refusal:
            lines = [f"line {one['line']}, {one['column']}: {one['detail']}" for one in refusal.extra["mistakes"]]
            raise click.ClickException("\n".join([refusal.detail, *lines])) from None
        if dry_run:
            work.session.rollback()
            work.trail.clear()
    click.echo(f"{len(done.added)} added, {len(done.changed)} changed, {len(done.unchanged)} unchanged.")


@group.command("export")
@click.option("--own-alone", is_flag=True, help="Only what the agency has added.")
@click.option("--hsds", "as_hsds", is_flag=True, help="In the shape of Open Referral's HSDS 3, as JSON.")
def export(own_alone: bool, as_hsds: bool) -> None:
    """Write the directory: as a sheet that can be imported again, or as HSDS."""
    with command_work("directory-export") as work:
        if as_hsds:
            rows = [row for row in service.search(work) if not own_alone or row.origin == "agency"]
            listed = (hsds.Listed(row.key, service.entry_of(row), row.checked_on, row.active) for row in rows)
            said = json.dumps(hsds.export(listed), ensure_ascii=False, indent=2) + "\n"
        else:
            said = keeping.export_sheet(work, own_alone=own_alone)
    click.echo(said, nl=False)


@group.command("stale")
def stale() -> None:
    """List the organisations that nobody has asked for too long, the longest first."""
    with command_work("directory-stale") as work:
        lines = [f"{row.checked_on or 'never'}  {row.key}  {row.name_en}" for row in service.stale(work)]
    for line in lines:
        click.echo(line)
