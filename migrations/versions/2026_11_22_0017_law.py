"""Precautions of a home and the watch over who is there alone; sunset; conversations; records that were destroyed.

Revision ID: 0017
Revises: 0021c
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime
from migrations import guards

revision = "0017"
down_revision = "0021c"
branch_labels = None
depends_on = None

_NO = sa.false()
_FLAGS = {"home": ("two_person", "until_sunset"), "no_visit_window": ("starts_at_sunset", "ends_at_sunset")}


def upgrade() -> None:
    for table, names in _FLAGS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.Boolean(), nullable=False, server_default=_NO))
    op.add_column("home", sa.Column("check_in_minutes", sa.Integer(), nullable=True))
    op.add_column("visit", sa.Column("conversation", sa.String(40), nullable=True))
    op.create_table(
        "lone_work",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("visit_id", ROW_ID, nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=True),
        sa.Column("told_due_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_lone_work_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lone_work")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_lone_work_visit_id")),
    )
    op.create_table(
        "destruction",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=False),
        sa.Column("patient_number", ROW_ID, nullable=False),
        sa.Column("kept_until", sa.Date(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("by_id", ROW_ID, nullable=True),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["branch_id"], ["branch.id"], name=op.f("fk_destruction_branch_id")),
        sa.ForeignKeyConstraint(["by_id"], ["app_user.id"], name=op.f("fk_destruction_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destruction")),
        sa.UniqueConstraint("patient_number", name=op.f("uq_destruction_patient_number")),
    )
    op.create_index(op.f("ix_destruction_branch_id"), "destruction", ["branch_id"])
    op.create_index(op.f("ix_destruction_by_id"), "destruction", ["by_id"])
    for statement in guards.let_destruction_pass(op.get_bind().dialect.name):
        op.execute(sa.text(statement))


def downgrade() -> None:
    for statement in guards.let_nothing_pass(op.get_bind().dialect.name):
        op.execute(sa.text(statement))
    op.drop_table("destruction")
    op.drop_table("lone_work")
    op.drop_column("visit", "conversation")
    op.drop_column("home", "check_in_minutes")
    for table, names in _FLAGS.items():
        for name in names:
            op.drop_column(table, name)
