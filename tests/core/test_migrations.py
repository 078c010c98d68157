"""Migrations go up and down on both engines, meet the models at the head, and keep every guard."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from coordinator.core.db import Database
from coordinator.core.settings import ROOT
from migrations import guards

pytestmark = pytest.mark.own_database


def _config(connection: sa.Connection) -> Config:
    config = Config(toml_file=str(ROOT / "pyproject.toml"))
    config.attributes["connection"] = connection
    return config


def test_head_equals_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        command.check(_config(connection))


def test_every_step_goes_down_and_up_again(database: Database) -> None:
    with database.engine.connect() as connection:
        command.downgrade(_config(connection), "base")
        left = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
        assert left == set()
        command.upgrade(_config(connection), "head")
        connection.commit()


def test_every_guard_stands_at_the_head(database: Database) -> None:
    with database.engine.connect() as connection:
        if database.is_postgresql:
            constraints = connection.execute(
                sa.text("SELECT conname FROM pg_constraint WHERE contype = 'x' ORDER BY conname")
            ).scalars()
            assert list(constraints) == ["no_clinician_overlap", "no_hold_overlap", "no_patient_overlap"]
            triggers = connection.execute(
                sa.text("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgfoid = 'guard_refuses'::regproc")
            ).scalar_one()
            assert triggers == 7
            of_holds = connection.execute(
                sa.text("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgfoid = 'guard_holds'::regproc")
            ).scalar_one()
            assert of_holds == 4
        else:
            names = connection.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars()
            made_of = guards.create("sqlite") + guards.create_holds("sqlite") + guards.create_certifications("sqlite")
            made = {statement.split("CREATE TRIGGER ", 1)[1].split()[0] for statement in made_of}
            assert set(names) == made
            assert len(made) == 18
