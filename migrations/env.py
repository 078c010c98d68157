"""Alembic's way in. The connection comes from the command or the test that asks; there is no URL of its own here."""

from typing import Any

from alembic import context

from coordinator.core.db import Database
from coordinator.core.settings import load_settings
from coordinator.schema import metadata


def include(thing: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
    """Leave the queue's own tables alone: procrastinate looks after them."""
    if kind == "table" and name is not None and name.startswith("procrastinate_"):
        return False
    # An exclusion constraint brings an index of its own, which no model names.
    return not (kind == "index" and reflected and name in {"no_clinician_overlap", "no_patient_overlap"})


def run(connection: Any) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=include,
        compare_type=True,
        # SQLite rebuilds a table to change it, and drops its triggers silently: see `migrations/guards.py`.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    database = Database(load_settings().database_url)
    with database.engine.connect() as opened:
        run(opened)
        opened.commit()
    database.dispose()
