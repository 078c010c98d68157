"""`flask programmes ...`: which programmes there are, and whether a file of the agency's own can be used."""

from pathlib import Path

import click
import flask

from coordinator.agency.policy import programmes_of, texts_in
from coordinator.cli.common import door
from coordinator.core.settings import Settings
from coordinator.rules.profile_files import ProfileError, programmes_from


@click.group("programmes")
def group() -> None:
    """Programmes: which rules hold under which."""


@group.command("list")
@flask.cli.with_appcontext
def list_programmes() -> None:
    """Every programme in use here, with the payers it goes with and what it asks for."""
    programmes = door().policy.programmes
    for code in programmes:
        profile = programmes.of(code)
        asks = [
            word
            for word, asked in (
                ("homebound", profile.homebound_required),
                ("skilled need", profile.skilled_need_required),
                (f"{len(profile.criteria)} criteria", bool(profile.criteria)),
            )
            if asked
        ]
        click.echo(f"{code:14} {profile.name}")
        click.echo(f"{'':14} payers {', '.join(sorted(profile.payers))}; asks {', '.join(asks) or 'nothing of these'}")


@group.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@flask.cli.with_appcontext
def check(files: tuple[Path, ...]) -> None:
    """Whether FILES could be used beside the programmes that are here already. Nothing is changed."""
    settings: Settings = flask.current_app.extensions["settings"]
    try:
        programmes = programmes_of(settings, *files)
    except ProfileError as error:
        raise click.ClickException(f"{len(error.problems)} to mend:\n{error}") from None
    except UnicodeDecodeError as error:
        raise click.ClickException(f"This is not text in UTF-8: {error.reason} at byte {error.start}.") from None
    before = programmes_from(texts_in(settings.programmes_path))
    added = [code for code in programmes if code not in before]
    click.echo(f"Sound. {len(programmes)} programmes; the agency's own: {', '.join(added) or 'none'}.")
