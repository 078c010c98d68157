"""Certifications signed by mistake, intervals that a practitioner justifies, and notices of an end that does not come.

Revision ID: 0015
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime
from migrations import guards

revision = "0015"
down_revision = "0025"
branch_labels = None
depends_on = None

_PERIOD = "uq_certification_period"
_NAMES = {
    "patient_id": ("patient", True),
    "episode_id": ("episode", True),
    "physician_id": ("physician", True),
    "recorded_by_id": ("app_user", False),
}


def _guard(*, superseded: bool) -> None:
    """One statement stands for each period; one that was superseded counts as little as one that was withdrawn."""
    dialect = op.get_bind().dialect.name
    for statement in guards.drop_certifications(dialect):
        op.execute(sa.text(statement))
    if not superseded:
        op.execute(sa.text("UPDATE certification SET status = 'withdrawn' WHERE status = 'superseded'"))
    op.drop_index(_PERIOD, table_name="certification")
    standing = sa.text("status NOT IN ('withdrawn', 'superseded')" if superseded else "status <> 'withdrawn'")
    op.create_index(
        _PERIOD, "certification", ["episode_id", "number"], unique=True, sqlite_where=standing,
        postgresql_where=standing,
    )  # fmt: skip
    for statement in guards.create_certifications(dialect, superseded=superseded):
        op.execute(sa.text(statement))


def upgrade() -> None:
    op.create_table(
        "idle_interval",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        *(sa.Column(name, ROW_ID, nullable=not needed) for name, (_, needed) in _NAMES.items()),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        *(
            sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_idle_interval_{name}"))
            for name, (target, _) in _NAMES.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idle_interval")),
    )
    for name in _NAMES:
        op.create_index(op.f(f"ix_idle_interval_{name}"), "idle_interval", [name])
    op.add_column("certification", sa.Column("superseded_at", UtcDateTime(), nullable=True))
    op.add_column("coverage_notice", sa.Column("withdrawn_at", UtcDateTime(), nullable=True))
    _guard(superseded=True)


def downgrade() -> None:
    _guard(superseded=False)
    op.drop_column("coverage_notice", "withdrawn_at")
    op.drop_column("certification", "superseded_at")
    op.drop_table("idle_interval")
