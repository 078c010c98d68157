"""What every test may ask for. A test that touches rows runs on both engines, each on a fresh database of its own.

The database is cloned from one that the migrations made, so what is tested is what is deployed.
"""

import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy.orm import Session

from coordinator.access.service import permissions_of, system_actor
from coordinator.agency.policy import policy_of
from coordinator.app import create_app, furnish
from coordinator.cli.db import upgrade_database
from coordinator.core import audit
from coordinator.core.db import Database
from coordinator.core.http import Coordinator, Door
from coordinator.core.settings import Settings, load_settings
from coordinator.core.work import Actor, Work
from coordinator.domain.vocabulary import Role
from coordinator.rules.terms import Policy
from tests.postgres import Server

#: `make test` tries the same examples each time, so that what fails, fails for everybody; `make explore` tries others.
#: No test is timed: a busy machine is no defect.
hypothesis_settings.register_profile(
    "same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile("explore", hypothesis_settings.get_profile("same"), derandomize=False)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

ENGINES = ("sqlite", "postgresql")
#: The one database of this process on PostgreSQL.
SHARED_DATABASE = "test_shared"
#: A Monday in the middle of a week without clock changes; 08:00 in San Francisco.
NOW = datetime(2026, 11, 9, 16, 0, tzinfo=UTC)

_numbers = itertools.count(1)
_server: list[Server] = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`@pytest.mark.long_on("postgresql")`: part of `make slow` on that engine, and of `make test` on the other.

    What takes longest begins first: at the end, one process would work on it while the others have nothing to do.
    """
    for item in items:
        engines = item.get_closest_marker("long_on")
        if engines is not None and item.callspec.params.get("engine_name") in engines.args:  # type: ignore[attr-defined]
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What could not be tried for want of a program is said aloud in the last lines."""
    skipped = terminalreporter.stats.get("skipped", ())
    for reason in sorted({str(report.longrepr[2]) for report in skipped if "NOT TRIED" in str(report.longrepr)}):
        terminalreporter.write_line(f"*** {reason.removeprefix('Skipped: ')} ***", red=True, bold=True)


def postgres_server() -> Server:
    """The one server of this test process."""
    if not _server:
        _server.append(Server())
        admin = sa.create_engine(_psycopg(_server[0].url("postgres")), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text("CREATE DATABASE template_coordinator"))
        admin.dispose()
        database = Database(_server[0].url("template_coordinator"))
        upgrade_database(database)
        database.dispose()
    return _server[0]


def _psycopg(url: str) -> str:
    return url.replace("postgresql:", "postgresql+psycopg:", 1)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.sqlite3"
    database = Database(f"sqlite:///{path}")
    upgrade_database(database)
    with database.engine.connect().execution_options(sqlite_begin="DEFERRED") as connection:
        connection.exec_driver_sql("SELECT 1")
    database.dispose()
    return path


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """The engine that this run of the test is on."""
    name: str = request.param
    return name


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a migrated, empty database.

    It is one address for all tests of the process, so that the engine of `kept` need not write every statement anew for
    each. On SQLite the file is a fresh copy; on PostgreSQL the tables are emptied before each test, because cloning
    takes a second or more. A test that changes tables says `@pytest.mark.own_database` and is given a clone.
    """
    own = request.node.get_closest_marker("own_database") is not None
    if engine_name == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = tmp_path / "test.sqlite3" if own else template.with_name("test.sqlite3")
        for suffix in ("", "-wal", "-shm"):
            source, copy = (one.with_name(one.name + suffix) for one in (template, path))
            copy.unlink(missing_ok=True)  # whoever still has the last test's file open keeps that one
            if source.exists():
                shutil.copy(source, copy)
        yield f"sqlite:///{path}"
        return
    server = postgres_server()
    name = f"test_{next(_numbers)}_{time.time_ns()}" if own else SHARED_DATABASE
    admin = sa.create_engine(_psycopg(server.url("postgres")), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        known = connection.execute(sa.text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).scalar()
        if known is None:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE template_coordinator"))
        else:
            _empty(server.url(name))
    yield server.url(name)
    if own:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def _empty(url: str) -> None:
    """Make the database as new: nobody connected, no rows, numbers from one."""
    engine = sa.create_engine(_psycopg(url), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        connection.execute(sa.text(_EMPTYING))
    engine.dispose()


#: With replication's role no guard and no foreign key is asked; each table that has rows is emptied.
_EMPTYING = """
DO $$
DECLARE name text; has_rows boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT format('%I', tablename) FROM pg_tables
                WHERE schemaname = current_schema() AND tablename <> 'alembic_version' LOOP
        EXECUTE 'SELECT EXISTS (SELECT 1 FROM ' || name || ')' INTO has_rows;
        IF has_rows THEN EXECUTE 'DELETE FROM ' || name; END IF;
    END LOOP;
    FOR name IN SELECT format('%I', sequencename) FROM pg_sequences
                WHERE schemaname = current_schema() AND last_value IS NOT NULL LOOP
        EXECUTE 'ALTER SEQUENCE ' || name || ' RESTART';
    END LOOP;
END $$
"""


@pytest.fixture
def settings(database_url: str) -> Settings:
    return load_settings(
        {
            "COORDINATOR_PROFILE": "test",
            "COORDINATOR_DATABASE_URL": database_url,
            "COORDINATOR_SECRET_KEY": "a-secret-of-the-tests-alone-0123456789",
        }
    )


@pytest.fixture(scope="session")
def bare_app() -> Coordinator:
    """Every route, once for all tests of the process: laying them out takes half a second."""
    return create_app(
        load_settings(
            {
                "COORDINATOR_PROFILE": "test",
                "COORDINATOR_DATABASE_URL": "sqlite:////nowhere/never-opened.sqlite3",
                "COORDINATOR_SECRET_KEY": "a-secret-of-the-tests-alone-0123456789",
            }
        )
    )


@lru_cache(maxsize=len(ENGINES))
def kept(settings: Settings) -> tuple[Database, Policy]:
    """What an installation at that address need not build again."""
    return Database(settings.database_url, pool_size=settings.pool_size), policy_of(settings)


@pytest.fixture
def app(bare_app: Coordinator, settings: Settings) -> Iterator[Coordinator]:
    """The whole product on a fresh database."""
    database, policy = kept(settings)
    furnish(bare_app, settings, database=database, policy=policy)
    yield bare_app
    bare_app.extensions["database"].dispose()


@pytest.fixture
def database(app: Coordinator) -> Database:
    """The app's database."""
    found: Database = app.extensions["database"]
    return found


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session for setting the scene: commit before the product looks."""
    with database.session(write=True) as opened:
        yield opened


def actor_with(*roles: Role | str, **identity: object) -> Actor:
    """An actor who holds these roles; identity: user_id, clinician_id, performer, physician_id, branch_ids."""
    held = frozenset(Role(role) for role in roles)
    return Actor(
        name=f"test:{'+'.join(sorted(held))}",
        roles=frozenset(role.value for role in held),
        permissions=permissions_of(held, identity.get("performer")),  # type: ignore[arg-type]
        **identity,  # type: ignore[arg-type]
    )


WorkAs = Callable[..., AbstractContextManager[Work]]


@pytest.fixture
def work_as(app: Coordinator) -> WorkAs:
    """`with work_as(actor, now=...) as work:` one transaction of the product, committed at the end like a door does."""
    door: Door = app.extensions["door"]

    @contextmanager
    def opened(actor: Actor | None = None, *, now: datetime = NOW) -> Iterator[Work]:
        with door.database.transaction() as session:
            work = Work(
                session=session,
                actor=actor or system_actor("test"),
                now=now,
                policy=door.policy,
                handlers=door.handlers,
                enqueue=door.enqueue,
                atlas=door.atlas,
            )
            yield work
            session.flush()  # refusals of the database come before the chain's lock is taken
            audit.seal(session, work.trail)

    return opened
