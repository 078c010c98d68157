"""Visits that scores propose, safety protocols, and treatments scored before and after.

Revision ID: 0021
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLES = (
    "visit_proposal",
    "safety_protocol",
    "safety_step",
    "symptom_treatment",
)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "visit_proposal",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("assessment_id", ROW_ID, nullable=False),
        sa.Column("discipline", sa.String(40), nullable=False),
        sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("because", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("order_id", ROW_ID, nullable=True),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("physician_id", ROW_ID, nullable=True),
        sa.Column("visit_id", ROW_ID, nullable=True),
        sa.Column("decline_reason", sa.String(300), nullable=True),
        sa.Column("proposed_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", ROW_ID, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status <> 'accepted' OR visit_id IS NOT NULL", name=op.f("ck_visit_proposal_accepted_is_visit")
        ),
        sa.CheckConstraint(
            "status <> 'proposed' OR order_id IS NOT NULL", name=op.f("ck_visit_proposal_proposed_under_order")
        ),
        _reference("visit_proposal", "patient_id", "patient"),
        _reference("visit_proposal", "assessment_id", "assessment"),
        _reference("visit_proposal", "order_id", "care_order"),
        _reference("visit_proposal", "physician_id", "physician"),
        _reference("visit_proposal", "visit_id", "visit"),
        _reference("visit_proposal", "decided_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_proposal")),
        sa.UniqueConstraint("assessment_id", "discipline", name=op.f("uq_visit_proposal_assessment_id_discipline")),
    )
    op.create_index(op.f("ix_visit_proposal_assessment_id"), "visit_proposal", ["assessment_id"])
    op.create_index(op.f("ix_visit_proposal_decided_by"), "visit_proposal", ["decided_by"])
    op.create_index(op.f("ix_visit_proposal_order_id"), "visit_proposal", ["order_id"])
    op.create_index(op.f("ix_visit_proposal_patient_id"), "visit_proposal", ["patient_id"])
    op.create_index(op.f("ix_visit_proposal_physician_id"), "visit_proposal", ["physician_id"])
    op.create_index(op.f("ix_visit_proposal_visit_id"), "visit_proposal", ["visit_id"])
    op.create_table(
        "safety_protocol",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("assessment_id", ROW_ID, nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=True),
        sa.Column("outcome_note", sa.Text(), nullable=True),
        sa.Column("closed_by", ROW_ID, nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (outcome IS NULL)", name=op.f("ck_safety_protocol_closed_with_outcome")
        ),
        _reference("safety_protocol", "patient_id", "patient"),
        _reference("safety_protocol", "assessment_id", "assessment"),
        _reference("safety_protocol", "closed_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safety_protocol")),
        sa.UniqueConstraint("assessment_id", name=op.f("uq_safety_protocol_assessment_id")),
    )
    op.create_index(op.f("ix_safety_protocol_closed_by"), "safety_protocol", ["closed_by"])
    op.create_index(op.f("ix_safety_protocol_patient_id"), "safety_protocol", ["patient_id"])
    op.create_table(
        "safety_step",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("protocol_id", ROW_ID, nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("taken_by", ROW_ID, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        _reference("safety_step", "protocol_id", "safety_protocol"),
        _reference("safety_step", "taken_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safety_step")),
        sa.UniqueConstraint("protocol_id", "step", name=op.f("uq_safety_step_protocol_id_step")),
    )
    op.create_index(op.f("ix_safety_step_protocol_id"), "safety_step", ["protocol_id"])
    op.create_index(op.f("ix_safety_step_taken_by"), "safety_step", ["taken_by"])
    op.create_table(
        "symptom_treatment",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("visit_id", ROW_ID, nullable=True),
        sa.Column("order_id", ROW_ID, nullable=False),
        sa.Column("treatment", sa.String(120), nullable=False),
        sa.Column("symptom", sa.String(40), nullable=False),
        sa.Column("given_at", UtcDateTime(), nullable=False),
        sa.Column("given_by", ROW_ID, nullable=True),
        sa.Column("score_before", sa.Integer(), nullable=False),
        sa.Column("score_due_at", UtcDateTime(), nullable=False),
        sa.Column("score_after", sa.Integer(), nullable=True),
        sa.Column("scored_at", UtcDateTime(), nullable=True),
        sa.Column("recorded_by", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(score_after IS NULL) = (scored_at IS NULL)", name=op.f("ck_symptom_treatment_scored_then")
        ),
        sa.CheckConstraint(
            "score_before BETWEEN 0 AND 10 AND score_after BETWEEN 0 AND 10", name=op.f("ck_symptom_treatment_scores")
        ),
        _reference("symptom_treatment", "patient_id", "patient"),
        _reference("symptom_treatment", "visit_id", "visit"),
        _reference("symptom_treatment", "order_id", "care_order"),
        _reference("symptom_treatment", "given_by", "clinician"),
        _reference("symptom_treatment", "recorded_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_symptom_treatment")),
    )
    op.create_index(op.f("ix_symptom_treatment_given_by"), "symptom_treatment", ["given_by"])
    op.create_index(op.f("ix_symptom_treatment_order_id"), "symptom_treatment", ["order_id"])
    op.create_index(op.f("ix_symptom_treatment_patient_id"), "symptom_treatment", ["patient_id"])
    op.create_index(op.f("ix_symptom_treatment_recorded_by"), "symptom_treatment", ["recorded_by"])
    op.create_index(op.f("ix_symptom_treatment_visit_id"), "symptom_treatment", ["visit_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
