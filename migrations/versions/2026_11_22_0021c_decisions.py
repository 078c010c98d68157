"""What team conferences decide.

Revision ID: 0021c
Revises: 0020b
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0021c"
down_revision = "0020b"
branch_labels = None
depends_on = None

TABLES = ("conference_decision",)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "conference_decision",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("conference_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("order_id", ROW_ID, nullable=True),
        sa.Column("owner", sa.String(40), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("made_by", ROW_ID, nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(kind = 'order') = (order_id IS NOT NULL)", name=op.f("ck_conference_decision_order_is_there")
        ),
        sa.CheckConstraint(
            "kind = 'order' OR (owner IS NOT NULL AND due_on IS NOT NULL)",
            name=op.f("ck_conference_decision_owner_and_day"),
        ),
        _reference("conference_decision", "conference_id", "conference"),
        _reference("conference_decision", "order_id", "care_order"),
        _reference("conference_decision", "made_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference_decision")),
    )
    op.create_index(op.f("ix_conference_decision_conference_id"), "conference_decision", ["conference_id"])
    op.create_index(op.f("ix_conference_decision_made_by"), "conference_decision", ["made_by"])
    op.create_index(op.f("ix_conference_decision_order_id"), "conference_decision", ["order_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
