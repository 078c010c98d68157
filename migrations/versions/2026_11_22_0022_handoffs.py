"""Handoff cards: what whoever comes next is to know, from whom, and whether it was read.

Revision ID: 0022
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0022"
down_revision = "0018"
branch_labels = None
depends_on = None

_LIVE = sa.text("status IN ('draft', 'finished', 'acknowledged')")
#: Column -> table, whether it must name a row, and whether it has an index of its own.
_NAMES = {
    "branch_id": ("branch", True, True),
    "patient_id": ("patient", True, False),
    "from_clinician_id": ("clinician", True, True),
    "to_clinician_id": ("clinician", True, True),
    "visit_id": ("visit", False, True),
    "cover_id": ("cover", False, True),
    "finished_by_id": ("app_user", False, True),
    "acknowledged_by_id": ("app_user", False, True),
}


def _at(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "handoff",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        *(sa.Column(name, ROW_ID, nullable=not needed) for name, (_, needed, _) in _NAMES.items()),
        *(sa.Column(name, sa.String(40), nullable=False) for name in ("discipline", "cause", "status")),
        _at("due_at", nullable=False),
        _at("opened_at", nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("changed", sa.Text(), nullable=True),
        sa.Column("watch", sa.Text(), nullable=True),
        _at("finished_at"),
        _at("acknowledged_at"),
        sa.Column("passed_over_for", sa.String(40), nullable=True),
        _at("ended_at"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("from_clinician_id <> to_clinician_id", name=op.f("ck_handoff_two_people")),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.id"], name=op.f(f"fk_handoff_{name}"))
            for name, (table, _, _) in _NAMES.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff")),
    )
    for name, (_, _, indexed) in _NAMES.items():
        if indexed:
            op.create_index(op.f(f"ix_handoff_{name}"), "handoff", [name])
    op.create_index(
        "uq_handoff_live", "handoff", ["patient_id", "discipline", "to_clinician_id"], unique=True,
        sqlite_where=_LIVE, postgresql_where=_LIVE,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("handoff")
