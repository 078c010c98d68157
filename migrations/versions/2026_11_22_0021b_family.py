"""The family's links, what they were told and are to be told, what they ask for; consent of and about caregivers.

Revision ID: 0021b
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0021b"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = (
    "family_link",
    "told_visit",
    "family_notice",
    "care_request",
)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "family_link",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("caregiver_id", ROW_ID, nullable=True),
        sa.Column("language", sa.String(40), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_by", ROW_ID, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_by", ROW_ID, nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _reference("family_link", "patient_id", "patient"),
        _reference("family_link", "caregiver_id", "caregiver"),
        _reference("family_link", "created_by", "app_user"),
        _reference("family_link", "revoked_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_family_link_token_hash")),
    )
    op.create_index(op.f("ix_family_link_caregiver_id"), "family_link", ["caregiver_id"])
    op.create_index(op.f("ix_family_link_created_by"), "family_link", ["created_by"])
    op.create_index(op.f("ix_family_link_patient_id"), "family_link", ["patient_id"])
    op.create_index(op.f("ix_family_link_revoked_by"), "family_link", ["revoked_by"])
    op.create_table(
        "told_visit",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("visit_id", ROW_ID, nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=False),
        _reference("told_visit", "visit_id", "visit"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_visit")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_told_visit_visit_id")),
    )
    op.create_table(
        "family_notice",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("caregiver_id", ROW_ID, nullable=True),
        sa.Column("visit_id", ROW_ID, nullable=False),
        sa.Column("change", sa.String(40), nullable=False),
        sa.Column("language", sa.String(40), nullable=False),
        sa.Column("old_starts_at", UtcDateTime(), nullable=False),
        sa.Column("new_starts_at", UtcDateTime(), nullable=True),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.Column("told_by", ROW_ID, nullable=True),
        sa.Column("told_how", sa.String(40), nullable=True),
        sa.Column("void_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _reference("family_notice", "branch_id", "branch"),
        _reference("family_notice", "patient_id", "patient"),
        _reference("family_notice", "caregiver_id", "caregiver"),
        _reference("family_notice", "visit_id", "visit"),
        _reference("family_notice", "told_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_family_notice")),
    )
    op.create_index(op.f("ix_family_notice_branch_id"), "family_notice", ["branch_id"])
    op.create_index(op.f("ix_family_notice_caregiver_id"), "family_notice", ["caregiver_id"])
    op.create_index(op.f("ix_family_notice_patient_id"), "family_notice", ["patient_id"])
    op.create_index(op.f("ix_family_notice_told_by"), "family_notice", ["told_by"])
    op.create_index(op.f("ix_family_notice_visit_id"), "family_notice", ["visit_id"])
    op.create_table(
        "care_request",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("caregiver_id", ROW_ID, nullable=True),
        sa.Column("link_id", ROW_ID, nullable=True),
        sa.Column("concern", sa.String(40), nullable=False),
        sa.Column("topic", sa.String(40), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("raised_by", ROW_ID, nullable=True),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=True),
        sa.Column("outcome_note", sa.Text(), nullable=True),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("closed_by", ROW_ID, nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name=op.f("ck_care_request_closed_with_outcome")),
        _reference("care_request", "branch_id", "branch"),
        _reference("care_request", "patient_id", "patient"),
        _reference("care_request", "caregiver_id", "caregiver"),
        _reference("care_request", "link_id", "family_link"),
        _reference("care_request", "raised_by", "app_user"),
        _reference("care_request", "closed_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_care_request")),
    )
    op.create_index(op.f("ix_care_request_branch_id"), "care_request", ["branch_id"])
    op.create_index(op.f("ix_care_request_caregiver_id"), "care_request", ["caregiver_id"])
    op.create_index(op.f("ix_care_request_closed_by"), "care_request", ["closed_by"])
    op.create_index(op.f("ix_care_request_link_id"), "care_request", ["link_id"])
    op.create_index(op.f("ix_care_request_link_raised"), "care_request", ["link_id", "raised_at"])
    op.create_index(op.f("ix_care_request_patient_id"), "care_request", ["patient_id"])
    op.create_index(op.f("ix_care_request_raised_by"), "care_request", ["raised_by"])
    # Plain columns that may be empty need no rebuilt table on SQLite, so no trigger is lost.
    op.add_column("patient", sa.Column("concurrent_treatment", sa.Boolean(), nullable=True))
    op.add_column("caregiver", sa.Column("willing_on", sa.Date(), nullable=True))
    op.add_column("caregiver", sa.Column("consent_to_share", sa.Boolean(), nullable=True))
    op.add_column("caregiver", sa.Column("consent_from", sa.Date(), nullable=True))
    op.add_column("caregiver", sa.Column("consent_until", sa.Date(), nullable=True))


def downgrade() -> None:
    for column in ("consent_until", "consent_from", "consent_to_share", "willing_on"):
        op.drop_column("caregiver", column)
    op.drop_column("patient", "concurrent_treatment")
    for table in reversed(TABLES):
        op.drop_table(table)
