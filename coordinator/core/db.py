"""The database: one engine, two ways to begin (to read, to write), and column types that refuse what would bite later.

SQLite and PostgreSQL behave alike behind this door. On SQLite a writer begins IMMEDIATE, so that it waits in line
instead of failing half-way; a reader begins DEFERRED, so that it never blocks anybody.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from coordinator.core.errors import NotFound

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

E = TypeVar("E", bound=str)
R = TypeVar("R", bound="Base")


class Base(DeclarativeBase):
    """Parent of every table."""

    metadata = sa.MetaData(naming_convention=NAMING)


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An instant: aware and UTC in memory and at rest. A naive datetime is refused with ValueError.

    SQLite keeps it as text of fixed width, so that comparison of text is comparison of time.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What a cursor reads such a key back as."""
        return datetime

    def load_dialect_impl(self, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(sa.String(26) if dialect.name == "sqlite" else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database: give it a zone")
        value = value.astimezone(UTC)
        return value.strftime("%Y-%m-%d %H:%M:%S.%f") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        return value.astimezone(UTC)  # type: ignore[no-any-return]


class EnumText(sa.types.TypeDecorator[Any]):
    """A word of a StrEnum, or a code, kept as its text; what the type does not take is refused with ValueError."""

    impl = sa.String(40)
    cache_ok = True

    def __init__(self, of: type[str]) -> None:
        super().__init__()
        self.of = of
        #: The words of a closed list, so that reading thousands of rows does not ask the list for each of them.
        self._known: dict[str, Any] = {one.value: one for one in of} if issubclass(of, StrEnum) else {}

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else str(self.of(value))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self._known.get(value) or self.of(value)


def enum_column(of: type[E], **kwargs: Any) -> Mapped[E]:
    """A column for one word of a closed list, or for a code."""
    return mapped_column(EnumText(of), **kwargs)


#: Type of every row's number: eight bytes on PostgreSQL, SQLite's own rowid there.
ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def row_id() -> Mapped[int]:
    """The number of the row."""
    return mapped_column(ROW_ID, primary_key=True, autoincrement=True)


def refers_to(target: str, **kwargs: Any) -> Mapped[int]:
    """A column that names a row of `target` (table.column), indexed."""
    kwargs.setdefault("index", True)
    return mapped_column(ROW_ID, sa.ForeignKey(target), nullable=False, **kwargs)


def may_refer_to(target: str, **kwargs: Any) -> Mapped[int | None]:
    """Like `refers_to`, or nothing."""
    kwargs.setdefault("index", True)
    return mapped_column(ROW_ID, sa.ForeignKey(target), nullable=True, **kwargs)


class Versioned:
    """Rows that people edit: every change raises `version`, and a stale change is refused by the database."""

    version: Mapped[int] = mapped_column(sa.Integer, nullable=False)

    @sa.orm.declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


def filled(row: R) -> R:
    """The row with what its columns would be filled with when it is added: for rows that never are.

    An attribute that nobody set is None until then, whatever its type says.
    """
    for attribute in sa.inspect(type(row)).column_attrs:
        default = getattr(attribute.columns[0], "default", None)
        if default is None or attribute.key in row.__dict__:
            continue
        if default.is_scalar:
            setattr(row, attribute.key, default.arg)
        elif default.is_callable:
            setattr(row, attribute.key, default.arg(None))
    return row


def touch(row: Versioned) -> None:
    """Raise the row's version although none of its own columns changed: something that belongs to it did."""
    plain = next(
        key
        for key, column in sa.inspect(type(row)).columns.items()
        if not column.primary_key and column is not sa.inspect(type(row)).version_id_col
    )
    sa.orm.attributes.flag_modified(row, plain)


def _on_sqlite_connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN below decides, not the driver's
    cursor = connection.cursor()
    for pragma in ("foreign_keys=ON", "busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_sqlite_begin(connection: sa.Connection) -> None:
    how = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {how}")


class Database:
    """The engine and its sessions. `write` sessions take the writer's place in line; `read` sessions cannot change."""

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        if url.startswith("sqlite"):
            self.engine: Engine = sa.create_engine(
                url, pool_size=pool_size, max_overflow=10, pool_timeout=60, connect_args={"check_same_thread": False}
            )
            event.listen(self.engine, "connect", _on_sqlite_connect)
            event.listen(self.engine, "begin", _on_sqlite_begin)
            self._reader: Engine = self.engine.execution_options(sqlite_begin="DEFERRED")
        else:
            self.engine = sa.create_engine(
                url.replace("postgresql:", "postgresql+psycopg:", 1),
                pool_size=pool_size,
                max_overflow=10,
                pool_timeout=60,
                pool_pre_ping=True,
                connect_args={"options": "-c timezone=UTC -c lock_timeout=15s -c statement_timeout=60s"},
            )
            self._reader = self.engine.execution_options(postgresql_readonly=True)
        self._write = sessionmaker(self.engine, expire_on_commit=False)
        self._read = sessionmaker(self._reader, expire_on_commit=False)

    @property
    def is_postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def session(self, *, write: bool) -> Session:
        """A new session; the caller commits, rolls back and closes it."""
        return self._write() if write else self._read()

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back if anything is raised."""
        with self.session(write=write) as session:
            try:
                yield session
            except BaseException:
                session.rollback()
                raise
            session.commit()

    def dispose(self) -> None:
        self.engine.dispose()


#: SQLSTATEs after which the same transaction may simply be tried again: serialization failure and deadlock.
_RETRYABLE = {"40001", "40P01"}


def is_retryable(error: DBAPIError) -> bool:
    """Whether the transaction lost a race that a second try would win."""
    return getattr(error.orig, "sqlstate", None) in _RETRYABLE


def is_busy(error: DBAPIError) -> bool:
    """Whether a lock could not be had in time (PostgreSQL lock or statement timeout, SQLite busy)."""
    if getattr(error.orig, "sqlstate", None) in {"55P03", "57014"}:
        return True
    return isinstance(error, OperationalError) and "database is locked" in str(error.orig)


def broken_constraint(error: DBAPIError) -> str | None:
    """Name of the constraint or guard that refused, the same on both engines; None if it cannot be told."""
    diag = getattr(error.orig, "diag", None)
    if diag is not None and diag.constraint_name:
        return str(diag.constraint_name)
    text = str(error.orig)
    for name in GUARDS:
        if name in text:
            return name
    return None


#: Guards written as triggers on SQLite, and as constraints or triggers of the same name on PostgreSQL.
GUARDS: tuple[str, ...] = (
    "no_clinician_overlap",
    "no_patient_overlap",
    "no_hold_overlap",
    "audit_is_append_only",
    "signed_text_is_immutable",
)


def fetch(session: Session, row: type[R], key: int, what: str) -> R:
    """The row with that key, or NotFound that says what was looked for."""
    found = session.get(row, key)
    if found is None:
        raise NotFound(what)
    return found


def locked(session: Session, row: type[R], key: int, what: str) -> R:
    """The row with that key, locked against other writers until this transaction ends."""
    found = session.get(row, key, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(what)
    return found


def in_sight(
    session: Session, row: type[R], key: int, sight: sa.ColumnElement[bool], what: str, *, lock: bool = False
) -> R:
    """The row with that key where `sight` holds, or NotFound: what is not one's to see sounds like a missing one.

    With `lock`, read anew and locked against other writers until this transaction ends.
    """
    query = sa.select(row).where(row.id == key, sight)  # type: ignore[attr-defined]
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.execute(query).scalar()
    if found is None:
        raise NotFound(what)
    return found
