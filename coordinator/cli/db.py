"""`flask db`: bring the tables to the newest state."""

from pathlib import Path

import click
from alembic import command
from alembic.config import Config
from flask.cli import AppGroup

from coordinator.cli.common import door
from coordinator.core.db import Database
from coordinator.core.settings import ROOT

group = AppGroup("db", help="The database's tables.")


def upgrade_database(database: Database, revision: str = "head") -> None:
    """Run the migrations up to `revision`, in one transaction."""
    config = Config(toml_file=str(ROOT / "pyproject.toml"))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def upgrade_here(revision: str = "head") -> None:
    """Bring this app's database to `revision`; a SQLite file's folder is made."""
    database = door().database
    if database.engine.dialect.name == "sqlite" and database.engine.url.database:
        Path(database.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    upgrade_database(database, revision)


@group.command("upgrade")
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Create or update every table."""
    upgrade_here(revision)
    click.echo(f"The tables are at {revision}.")
