"""What the team asks of each other: tasks, and what happened to each.

Revision ID: 0019
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0019"
down_revision = "0010"
branch_labels = None
depends_on = None

#: Columns that name a row of another table, each with its index: (column, table, whether it must).
_NAMES = {
    "task": (
        ("branch_id", "branch", True), ("patient_id", "patient", False), ("owner_id", "app_user", False),
        ("asked_by_id", "app_user", False), ("ended_by_id", "app_user", False),
    ),
    "task_step": (("task_id", "task", True), ("by_id", "app_user", False), ("to_id", "app_user", False)),
}  # fmt: skip


def _create(table: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        *(sa.Column(name, ROW_ID, nullable=not needed) for name, _, needed in _NAMES[table]),
        *columns,
        *(
            sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}"))
            for name, target, _ in _NAMES[table]
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    for name, _, _ in _NAMES[table]:
        op.create_index(op.f(f"ix_{table}_{name}"), table, [name])


def _word(name: str, *, nullable: bool = False, length: int = 40) -> sa.Column:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def upgrade() -> None:
    _create(
        "task", sa.Column("version", sa.Integer(), nullable=False), _word("kind"), _word("source"),
        _word("source_ref", length=80), _word("about", nullable=True, length=60),
        sa.Column("note", sa.Text(), nullable=True), _word("priority"), _word("owner_role", nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False), _at("due_at", nullable=True), _at("late_from"), _word("status"),
        _at("opened_at"), _at("accepted_at", nullable=True), _at("ended_at", nullable=True),
        _word("outcome", nullable=True), sa.Column("outcome_note", sa.Text(), nullable=True),
        _word("cancelled_for", nullable=True), _word("escalated_to", nullable=True), _at("escalate_at", nullable=True),
        sa.UniqueConstraint("source", "source_ref", "kind", name=op.f("uq_task_source_source_ref_kind")),
        sa.CheckConstraint("owner_role IS NOT NULL OR owner_id IS NOT NULL", name=op.f("ck_task_has_owner")),
    )  # fmt: skip
    op.create_index("ix_task_branch_status", "task", ["branch_id", "status", "late_from"])
    op.create_index("ix_task_branch_escalate", "task", ["branch_id", "escalate_at"])
    _create(
        "task_step", _at("at"), _word("deed"), _word("to_role", nullable=True), _word("reason", nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("task_step")
    op.drop_table("task")
