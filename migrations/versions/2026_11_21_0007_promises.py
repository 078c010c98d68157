"""Promises about referrals, slots held for them, and the guards of these slots.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime
from migrations import guards

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "promise",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=False),
        sa.Column("referral_id", ROW_ID, nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("requested_by_id", ROW_ID, nullable=True),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        _reference("promise", "branch_id", "branch"),
        _reference("promise", "referral_id", "referral"),
        _reference("promise", "requested_by_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
    )
    for column in ("branch_id", "referral_id", "requested_by_id", "status"):
        op.create_index(op.f(f"ix_promise_{column}"), "promise", [column])
    op.create_table(
        "slot_hold",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=False),
        sa.Column("referral_id", ROW_ID, nullable=False),
        sa.Column("clinician_id", ROW_ID, nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("held_by_id", ROW_ID, nullable=True),
        sa.Column("held_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("end_reason", sa.String(40), nullable=True),
        sa.Column("visit_id", ROW_ID, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_slot_hold_times")),
        _reference("slot_hold", "branch_id", "branch"),
        _reference("slot_hold", "referral_id", "referral"),
        _reference("slot_hold", "clinician_id", "clinician"),
        _reference("slot_hold", "held_by_id", "app_user"),
        _reference("slot_hold", "visit_id", "visit"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_hold")),
    )
    for column in ("branch_id", "referral_id", "held_by_id", "visit_id"):
        op.create_index(op.f(f"ix_slot_hold_{column}"), "slot_hold", [column])
    op.create_index("ix_slot_hold_clinician_time", "slot_hold", ["clinician_id", "starts_at"])
    op.create_index("ix_slot_hold_expiry", "slot_hold", ["status", "expires_at"])
    held = sa.text("status = 'held'")
    op.create_index(
        "uq_slot_hold_referral", "slot_hold", ["referral_id"], unique=True, sqlite_where=held, postgresql_where=held
    )
    for statement in guards.create_holds(op.get_bind().dialect.name):
        op.execute(sa.text(statement))


def downgrade() -> None:
    for statement in guards.drop_holds(op.get_bind().dialect.name):
        op.execute(sa.text(statement))
    op.drop_table("slot_hold")
    op.drop_table("promise")
