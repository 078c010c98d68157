"""Enrolments elsewhere, what excuses from visit verification, palliative screenings, payment periods, admission notices.

Revision ID: 0010
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None


def _id() -> sa.Column:
    return sa.Column("id", ROW_ID, autoincrement=True, nullable=False)


def _of(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def _key(table: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))


def upgrade() -> None:
    op.create_table(
        "enrolment",
        _id(),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("programme", sa.String(40), nullable=False),
        sa.Column("payer", sa.String(40), nullable=False),
        sa.Column("condition", sa.String(10), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        _of("enrolment", "patient_id", "patient"),
        _key("enrolment"),
    )
    op.create_table(
        "evv_circumstance",
        _id(),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("clinician_id", ROW_ID, nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("exemption_on", sa.Date(), nullable=True),
        _of("evv_circumstance", "patient_id", "patient"),
        _of("evv_circumstance", "clinician_id", "clinician"),
        _key("evv_circumstance"),
    )
    op.create_index(op.f("ix_evv_circumstance_clinician_id"), "evv_circumstance", ["clinician_id"])
    op.create_table(
        "palliative_screening",
        _id(),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("screened_on", sa.Date(), nullable=False),
        sa.Column("plan", sa.String(40), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("answer", sa.String(40), nullable=False),
        sa.Column("recorded_by_id", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _of("palliative_screening", "patient_id", "patient"),
        _of("palliative_screening", "recorded_by_id", "app_user"),
        _key("palliative_screening"),
    )
    op.create_index(op.f("ix_palliative_screening_recorded_by_id"), "palliative_screening", ["recorded_by_id"])
    for table in ("enrolment", "evv_circumstance", "palliative_screening"):
        op.create_index(op.f(f"ix_{table}_patient_id"), table, ["patient_id"])
    op.create_table(
        "payment_period",
        _id(),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("case_mix_group", sa.String(10), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        _of("payment_period", "episode_id", "episode"),
        _key("payment_period"),
        sa.UniqueConstraint("episode_id", "number", name="uq_payment_period_number"),
    )
    op.create_table(
        "admission_notice",
        _id(),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("submitted_on", sa.Date(), nullable=False),
        sa.Column("recorded_by_id", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _of("admission_notice", "episode_id", "episode"),
        _of("admission_notice", "recorded_by_id", "app_user"),
        _key("admission_notice"),
        sa.UniqueConstraint("episode_id", name=op.f("uq_admission_notice_episode_id")),
    )
    op.create_index(op.f("ix_admission_notice_recorded_by_id"), "admission_notice", ["recorded_by_id"])


def downgrade() -> None:
    for table in ("admission_notice", "payment_period", "palliative_screening", "evv_circumstance", "enrolment"):
        op.drop_table(table)
