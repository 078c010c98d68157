"""Encounters, certifications with their signatures, homebound assessments and absences, stays, assessments, discharges.

Revision ID: 0009
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime
from migrations import guards

revision = "0009"
down_revision = "0011"
branch_labels = None
depends_on = None


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "face_to_face",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("encounter_on", sa.Date(), nullable=False),
        sa.Column("modality", sa.String(40), nullable=False),
        sa.Column("performer_type", sa.String(40), nullable=False),
        sa.Column("performer_npi", sa.String(10), nullable=True),
        sa.Column("reason_code", sa.String(10), nullable=True),
        sa.Column("related_to_primary_reason", sa.Boolean(), nullable=False),
        sa.Column("from_inpatient_or_collaborating", sa.Boolean(), nullable=False),
        sa.Column("same_practice", sa.Boolean(), nullable=False),
        sa.Column("coordination_evidence", sa.String(200), nullable=True),
        sa.Column("recorded_by_id", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("replaced_by_id", ROW_ID, nullable=True),
        sa.Column("correction_reason", sa.String(200), nullable=True),
        _reference("face_to_face", "patient_id", "patient"),
        _reference("face_to_face", "episode_id", "episode"),
        _reference("face_to_face", "recorded_by_id", "app_user"),
        _reference("face_to_face", "replaced_by_id", "face_to_face"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_to_face")),
    )
    for column in (
        "episode_id",
        "patient_id",
        "recorded_by_id",
        "replaced_by_id",
    ):
        op.create_index(op.f(f"ix_face_to_face_{column}"), "face_to_face", [column])
    op.create_table(
        "certification",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("physician_id", ROW_ID, nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("homebound", sa.Boolean(), nullable=False),
        sa.Column("skilled_need", sa.Boolean(), nullable=False),
        sa.Column("plan_established", sa.Boolean(), nullable=False),
        sa.Column("under_care", sa.Boolean(), nullable=False),
        sa.Column("face_to_face_on", sa.Date(), nullable=True),
        sa.Column("estimated_further_duration", sa.String(300), nullable=True),
        sa.Column("drafted_by_id", ROW_ID, nullable=True),
        sa.Column("drafted_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("reviewed_at", UtcDateTime(), nullable=True),
        sa.Column("reviewed_version", sa.Integer(), nullable=True),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_reason", sa.String(200), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_certification_number")),
        _reference("certification", "patient_id", "patient"),
        _reference("certification", "episode_id", "episode"),
        _reference("certification", "physician_id", "physician"),
        _reference("certification", "drafted_by_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification")),
    )
    for column in (
        "drafted_by_id",
        "episode_id",
        "patient_id",
        "physician_id",
    ):
        op.create_index(op.f(f"ix_certification_{column}"), "certification", [column])
    where = sa.text("status <> 'withdrawn'")
    op.create_index(
        "uq_certification_period",
        "certification",
        ["episode_id", "number"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_table(
        "certification_signature",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("certification_id", ROW_ID, nullable=False),
        sa.Column("physician_id", ROW_ID, nullable=False),
        sa.Column("user_id", ROW_ID, nullable=False),
        sa.Column("certification_version", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        _reference("certification_signature", "certification_id", "certification"),
        _reference("certification_signature", "physician_id", "physician"),
        _reference("certification_signature", "user_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certification_signature")),
        sa.UniqueConstraint("certification_id", name=op.f("uq_certification_signature_certification_id")),
    )
    for column in (
        "physician_id",
        "user_id",
    ):
        op.create_index(op.f(f"ix_certification_signature_{column}"), "certification_signature", [column])
    op.create_table(
        "practitioner_check",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("physician_id", ROW_ID, nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("npi_kind", sa.Integer(), nullable=False),
        sa.Column("enrolled_from", sa.Date(), nullable=True),
        sa.Column("enrolled_to", sa.Date(), nullable=True),
        sa.Column("financial_relationship", sa.Boolean(), nullable=False),
        sa.Column("checked_by_id", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _reference("practitioner_check", "physician_id", "physician"),
        _reference("practitioner_check", "checked_by_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioner_check")),
    )
    for column in (
        "checked_by_id",
        "physician_id",
    ):
        op.create_index(op.f(f"ix_practitioner_check_{column}"), "practitioner_check", [column])
    op.create_table(
        "homebound_assessment",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("leaves", sa.JSON(), nullable=False),
        sa.Column("result", sa.String(40), nullable=False),
        sa.Column("clinician_id", ROW_ID, nullable=True),
        sa.Column("recorded_by_id", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _reference("homebound_assessment", "patient_id", "patient"),
        _reference("homebound_assessment", "episode_id", "episode"),
        _reference("homebound_assessment", "clinician_id", "clinician"),
        _reference("homebound_assessment", "recorded_by_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_homebound_assessment")),
    )
    for column in (
        "clinician_id",
        "episode_id",
        "patient_id",
        "recorded_by_id",
    ):
        op.create_index(op.f(f"ix_homebound_assessment_{column}"), "homebound_assessment", [column])
    op.create_table(
        "home_absence",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("taxing_effort", sa.Boolean(), nullable=False),
        sa.Column("recorded_by_id", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        _reference("home_absence", "patient_id", "patient"),
        _reference("home_absence", "episode_id", "episode"),
        _reference("home_absence", "recorded_by_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_home_absence")),
    )
    for column in (
        "episode_id",
        "patient_id",
        "recorded_by_id",
    ):
        op.create_index(op.f(f"ix_home_absence_{column}"), "home_absence", [column])
    op.create_table(
        "inpatient_stay",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("left_home_at", UtcDateTime(), nullable=False),
        sa.Column("admitted_at", UtcDateTime(), nullable=True),
        sa.Column("diagnostic_only", sa.Boolean(), nullable=False),
        sa.Column("facility", sa.String(200), nullable=True),
        sa.Column("planned", sa.Boolean(), nullable=False),
        sa.Column("learned_at", UtcDateTime(), nullable=False),
        sa.Column("transferred_at", UtcDateTime(), nullable=True),
        sa.Column("discharged_at", UtcDateTime(), nullable=True),
        sa.Column("home_at", UtcDateTime(), nullable=True),
        sa.Column("ordered_resumption_on", sa.Date(), nullable=True),
        sa.Column("summary_sent_at", UtcDateTime(), nullable=True),
        sa.Column("recorded_by_id", ROW_ID, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _reference("inpatient_stay", "patient_id", "patient"),
        _reference("inpatient_stay", "episode_id", "episode"),
        _reference("inpatient_stay", "recorded_by_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inpatient_stay")),
    )
    for column in (
        "episode_id",
        "patient_id",
        "recorded_by_id",
    ):
        op.create_index(op.f(f"ix_inpatient_stay_{column}"), "inpatient_stay", [column])
    where = sa.text("home_at IS NULL")
    op.create_index(
        "uq_inpatient_stay_open",
        "inpatient_stay",
        ["episode_id"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_table(
        "comprehensive_assessment",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("event_on", sa.Date(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("clinician_id", ROW_ID, nullable=False),
        sa.Column("serves_period", sa.Integer(), nullable=True),
        sa.Column("recorded_by_id", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _reference("comprehensive_assessment", "patient_id", "patient"),
        _reference("comprehensive_assessment", "episode_id", "episode"),
        _reference("comprehensive_assessment", "clinician_id", "clinician"),
        _reference("comprehensive_assessment", "recorded_by_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comprehensive_assessment")),
    )
    for column in (
        "clinician_id",
        "episode_id",
        "patient_id",
        "recorded_by_id",
    ):
        op.create_index(op.f(f"ix_comprehensive_assessment_{column}"), "comprehensive_assessment", [column])
    op.create_table(
        "discharge",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("discipline", sa.String(40), nullable=True),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(60), nullable=True),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("drafted_by_id", ROW_ID, nullable=True),
        sa.Column("drafted_at", UtcDateTime(), nullable=False),
        sa.Column("finalised_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _reference("discharge", "patient_id", "patient"),
        _reference("discharge", "episode_id", "episode"),
        _reference("discharge", "drafted_by_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discharge")),
    )
    for column in (
        "drafted_by_id",
        "episode_id",
        "patient_id",
    ):
        op.create_index(op.f(f"ix_discharge_{column}"), "discharge", [column])
    op.create_table(
        "coverage_notice",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("discipline", sa.String(40), nullable=True),
        sa.Column("last_covered_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("frequency", sa.String(400), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("recorded_by_id", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _reference("coverage_notice", "patient_id", "patient"),
        _reference("coverage_notice", "episode_id", "episode"),
        _reference("coverage_notice", "recorded_by_id", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_notice")),
    )
    for column in (
        "episode_id",
        "patient_id",
        "recorded_by_id",
    ):
        op.create_index(op.f(f"ix_coverage_notice_{column}"), "coverage_notice", [column])
    for statement in guards.create_certifications(op.get_bind().dialect.name):
        op.execute(sa.text(statement))


def downgrade() -> None:
    for statement in guards.drop_certifications(op.get_bind().dialect.name):
        op.execute(sa.text(statement))
    op.drop_table("coverage_notice")
    op.drop_table("discharge")
    op.drop_table("comprehensive_assessment")
    op.drop_table("inpatient_stay")
    op.drop_table("home_absence")
    op.drop_table("homebound_assessment")
    op.drop_table("practitioner_check")
    op.drop_table("certification_signature")
    op.drop_table("certification")
    op.drop_table("face_to_face")
