"""Scenarios beside the live plan, and their runs.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "scenario",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("made_by_id", ROW_ID, nullable=True),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["branch_id"], ["branch.id"], name=op.f("fk_scenario_branch_id")),
        sa.ForeignKeyConstraint(["made_by_id"], ["app_user.id"], name=op.f("fk_scenario_made_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario")),
        sa.UniqueConstraint("branch_id", "name", name=op.f("uq_scenario_branch_id_name")),
    )
    op.create_index(op.f("ix_scenario_branch_id"), "scenario", ["branch_id"])
    op.create_index(op.f("ix_scenario_made_by_id"), "scenario", ["made_by_id"])
    op.create_table(
        "scenario_run",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("scenario_id", ROW_ID, nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("iterations", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("requested_by_id", ROW_ID, nullable=True),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.Column("progress", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["requested_by_id"], ["app_user.id"], name=op.f("fk_scenario_run_requested_by_id")),
        sa.ForeignKeyConstraint(["scenario_id"], ["scenario.id"], name=op.f("fk_scenario_run_scenario_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario_run")),
    )
    for column in ("requested_by_id", "scenario_id", "status"):
        op.create_index(op.f(f"ix_scenario_run_{column}"), "scenario_run", [column])


def downgrade() -> None:
    op.drop_table("scenario_run")
    op.drop_table("scenario")
