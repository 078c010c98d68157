"""Repairs of a published plan, and what each would change.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_REPAIR = ("branch_id", "requested_by_id", "decided_by_id", "status")
_CHANGE = ("repair_id", "visit_id", "patient_id", "old_clinician_id", "clinician_id")


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "repair",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.Column("max_patients", sa.Integer(), nullable=True),
        sa.Column("max_visits", sa.Integer(), nullable=True),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("searching", sa.Boolean(), nullable=False),
        sa.Column("base", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("requested_by_id", ROW_ID, nullable=True),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by_id", ROW_ID, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _refers("repair", "branch_id", "branch"),
        _refers("repair", "requested_by_id", "app_user"),
        _refers("repair", "decided_by_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair")),
    )
    for column in _REPAIR:
        op.create_index(op.f(f"ix_repair_{column}"), "repair", [column])
    op.create_index("ix_repair_branch_time", "repair", ["branch_id", "requested_at"])
    op.create_table(
        "repair_change",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("repair_id", ROW_ID, nullable=False),
        sa.Column("visit_id", ROW_ID, nullable=False),
        sa.Column("visit_version", sa.Integer(), nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("change", sa.String(length=40), nullable=False),
        sa.Column("what", sa.JSON(), nullable=False),
        sa.Column("hit", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("old_clinician_id", ROW_ID, nullable=True),
        sa.Column("old_starts_at", UtcDateTime(), nullable=True),
        sa.Column("clinician_id", ROW_ID, nullable=True),
        sa.Column("starts_at", UtcDateTime(), nullable=True),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("face", sa.String(length=10), nullable=True),
        sa.Column("cause", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        _refers("repair_change", "repair_id", "repair"),
        _refers("repair_change", "visit_id", "visit"),
        _refers("repair_change", "patient_id", "patient"),
        _refers("repair_change", "old_clinician_id", "clinician"),
        _refers("repair_change", "clinician_id", "clinician"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair_change")),
        sa.UniqueConstraint("repair_id", "visit_id", name=op.f("uq_repair_change_repair_id_visit_id")),
    )
    for column in _CHANGE:
        op.create_index(op.f(f"ix_repair_change_{column}"), "repair_change", [column])


def downgrade() -> None:
    op.drop_table("repair_change")
    op.drop_table("repair")
