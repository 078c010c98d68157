"""What keeps a visit or a period from being claimed, and rules set aside for an order as for a visit.

An override of before holds for no facts that were found: its rule is asked about again at the next change.

Revision ID: 0011
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0011"
down_revision = "0012"
branch_labels = None
depends_on = None


def _reference(column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_bill_hold_{column}"))


def upgrade() -> None:
    op.create_table(
        "bill_hold",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("subject", sa.String(60), nullable=False),
        sa.Column("visit_id", ROW_ID, nullable=True),
        sa.Column("order_id", ROW_ID, nullable=True),
        sa.Column("period", sa.Integer(), nullable=True),
        sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("opened_by", sa.String(40), nullable=False),
        sa.Column("cleared_at", UtcDateTime(), nullable=True),
        sa.Column("cleared_by", sa.String(40), nullable=True),
        _reference("branch_id", "branch"),
        _reference("patient_id", "patient"),
        _reference("episode_id", "episode"),
        _reference("visit_id", "visit"),
        _reference("order_id", "care_order"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bill_hold")),
    )
    for column in ("branch_id", "patient_id", "episode_id", "visit_id", "order_id"):
        op.create_index(op.f(f"ix_bill_hold_{column}"), "bill_hold", [column])
    still = sa.text("cleared_at IS NULL")
    op.create_index(
        "uq_bill_hold_open", "bill_hold", ["subject", "rule"], unique=True, sqlite_where=still, postgresql_where=still
    )
    with op.batch_alter_table("override") as batch:
        batch.alter_column("visit_id", existing_type=ROW_ID, nullable=True)
        batch.add_column(sa.Column("order_id", ROW_ID, nullable=True))
        batch.create_foreign_key(op.f("fk_override_order_id"), "care_order", ["order_id"], ["id"])
        batch.create_check_constraint(op.f("ck_override_one_subject"), "(visit_id IS NULL) <> (order_id IS NULL)")
    op.create_index(op.f("ix_override_order_id"), "override", ["order_id"])


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM override WHERE visit_id IS NULL"))
    op.drop_index(op.f("ix_override_order_id"), table_name="override")
    with op.batch_alter_table("override") as batch:
        batch.drop_constraint(op.f("ck_override_one_subject"), type_="check")
        batch.drop_constraint(op.f("fk_override_order_id"), type_="foreignkey")
        batch.drop_column("order_id")
        batch.alter_column("visit_id", existing_type=ROW_ID, nullable=False)
    op.drop_table("bill_hold")
