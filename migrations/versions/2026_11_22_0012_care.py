"""Answers to instruments, readings, team conferences, plan domains and advance care documents; code status.

Revision ID: 0012
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0012"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    "assessment", "instrument_text", "alert_limit", "reading", "conference", "conference_seat", "plan_domain", "directive",
    "rights_talk",
)  # fmt: skip


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "assessment",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=True),
        sa.Column("visit_id", ROW_ID, nullable=True),
        sa.Column("caregiver_id", ROW_ID, nullable=True),
        sa.Column("instrument", sa.String(40), nullable=False),
        sa.Column("structure", sa.String(20), nullable=False),
        sa.Column("assessed_at", UtcDateTime(), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("respondent", sa.String(40), nullable=False),
        sa.Column("mode", sa.String(40), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("band", sa.String(40), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("error_reason", sa.String(300), nullable=True),
        sa.Column("recorded_by", ROW_ID, nullable=True),
        sa.Column("clinician_id", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("complete OR total IS NULL", name=op.f("ck_assessment_no_partial_total")),
        _reference("assessment", "patient_id", "patient"),
        _reference("assessment", "episode_id", "episode"),
        _reference("assessment", "visit_id", "visit"),
        _reference("assessment", "caregiver_id", "caregiver"),
        _reference("assessment", "recorded_by", "app_user"),
        _reference("assessment", "clinician_id", "clinician"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
    )
    for column in (
        "caregiver_id",
        "clinician_id",
        "episode_id",
        "patient_id",
        "recorded_by",
        "visit_id",
    ):
        op.create_index(op.f(f"ix_assessment_{column}"), "assessment", [column])
    op.create_index("ix_assessment_series", "assessment", ["patient_id", "instrument", "assessed_at"])
    op.create_table(
        "instrument_text",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("instrument", sa.String(40), nullable=False),
        sa.Column("item", sa.String(40), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("licence", sa.String(300), nullable=False),
        sa.Column("loaded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instrument_text")),
        sa.UniqueConstraint("instrument", "item", "language", name=op.f("uq_instrument_text_instrument_item_language")),
    )
    op.create_table(
        "alert_limit",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("measure", sa.String(40), nullable=False),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("rise", sa.Float(), nullable=True),
        sa.Column("rise_days", sa.Integer(), nullable=True),
        sa.Column("set_by", ROW_ID, nullable=True),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(rise IS NULL) = (rise_days IS NULL)", name=op.f("ck_alert_limit_rise_in_days")),
        _reference("alert_limit", "patient_id", "patient"),
        _reference("alert_limit", "set_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_limit")),
        sa.UniqueConstraint("patient_id", "measure", name=op.f("uq_alert_limit_patient_id_measure")),
    )
    for column in ("set_by",):
        op.create_index(op.f(f"ix_alert_limit_{column}"), "alert_limit", [column])
    op.create_table(
        "reading",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("visit_id", ROW_ID, nullable=True),
        sa.Column("measure", sa.String(40), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _reference("reading", "patient_id", "patient"),
        _reference("reading", "visit_id", "visit"),
        _reference("reading", "recorded_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading")),
    )
    for column in (
        "recorded_by",
        "visit_id",
    ):
        op.create_index(op.f(f"ix_reading_{column}"), "reading", [column])
    op.create_index("ix_reading_series", "reading", ["patient_id", "measure", "taken_at"])
    op.create_table(
        "conference",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("opened_by", ROW_ID, nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("closed_by", ROW_ID, nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _reference("conference", "branch_id", "branch"),
        _reference("conference", "patient_id", "patient"),
        _reference("conference", "episode_id", "episode"),
        _reference("conference", "opened_by", "app_user"),
        _reference("conference", "closed_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference")),
        sa.UniqueConstraint("episode_id", "held_on", name=op.f("uq_conference_episode_id_held_on")),
    )
    for column in (
        "branch_id",
        "closed_by",
        "episode_id",
        "opened_by",
        "patient_id",
    ):
        op.create_index(op.f(f"ix_conference_{column}"), "conference", [column])
    op.create_table(
        "conference_seat",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("conference_id", ROW_ID, nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("presence", sa.String(40), nullable=False),
        sa.Column("performer", sa.String(40), nullable=True),
        sa.Column("clinician_id", ROW_ID, nullable=True),
        sa.Column("physician_id", ROW_ID, nullable=True),
        sa.Column("name", sa.String(200), nullable=True),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.Column("signed_by", ROW_ID, nullable=True),
        _reference("conference_seat", "conference_id", "conference"),
        _reference("conference_seat", "clinician_id", "clinician"),
        _reference("conference_seat", "physician_id", "physician"),
        _reference("conference_seat", "signed_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conference_seat")),
    )
    for column in (
        "clinician_id",
        "conference_id",
        "physician_id",
        "signed_by",
    ):
        op.create_index(op.f(f"ix_conference_seat_{column}"), "conference_seat", [column])
    op.create_table(
        "plan_domain",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("domain", sa.String(40), nullable=False),
        sa.Column("entry", sa.Text(), nullable=True),
        sa.Column("no_need", sa.Boolean(), nullable=False),
        sa.Column("written_by", ROW_ID, nullable=True),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("no_need = (entry IS NULL)", name=op.f("ck_plan_domain_entry_or_none")),
        _reference("plan_domain", "patient_id", "patient"),
        _reference("plan_domain", "episode_id", "episode"),
        _reference("plan_domain", "written_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_domain")),
        sa.UniqueConstraint("episode_id", "domain", name=op.f("uq_plan_domain_episode_id_domain")),
    )
    for column in (
        "patient_id",
        "written_by",
    ):
        op.create_index(op.f(f"ix_plan_domain_{column}"), "plan_domain", [column])
    op.create_table(
        "directive",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("executed_on", sa.Date(), nullable=True),
        sa.Column("signed_by", sa.String(40), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("practitioner_type", sa.String(40), nullable=True),
        sa.Column("practitioner_name", sa.String(200), nullable=True),
        sa.Column("practitioner_signed_on", sa.Date(), nullable=True),
        sa.Column("notarised", sa.Boolean(), nullable=False),
        sa.Column("witnesses", sa.JSON(), nullable=False),
        sa.Column("agents", sa.JSON(), nullable=False),
        sa.Column("resuscitation", sa.String(40), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=True),
        sa.Column("original_at", sa.String(200), nullable=True),
        sa.Column("scan", sa.String(200), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("superseded_by_id", ROW_ID, nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(300), nullable=True),
        sa.Column("settled_at", UtcDateTime(), nullable=True),
        sa.Column("recorded_by", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _reference("directive", "patient_id", "patient"),
        _reference("directive", "superseded_by_id", "directive"),
        _reference("directive", "recorded_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directive")),
    )
    for column in (
        "patient_id",
        "recorded_by",
        "superseded_by_id",
    ):
        op.create_index(op.f(f"ix_directive_{column}"), "directive", [column])
    op.create_table(
        "rights_talk",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("patient_id", ROW_ID, nullable=False),
        sa.Column("episode_id", ROW_ID, nullable=False),
        sa.Column("told_on", sa.Date(), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("written", sa.Boolean(), nullable=False),
        sa.Column("told_by", ROW_ID, nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        _reference("rights_talk", "patient_id", "patient"),
        _reference("rights_talk", "episode_id", "episode"),
        _reference("rights_talk", "told_by", "app_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_talk")),
        sa.UniqueConstraint("episode_id", name=op.f("uq_rights_talk_episode_id")),
    )
    for column in (
        "patient_id",
        "told_by",
    ):
        op.create_index(op.f(f"ix_rights_talk_{column}"), "rights_talk", [column])
    # A plain column with a default needs no rebuilt table on SQLite, so no trigger is lost.
    op.add_column("patient", sa.Column("code_status", sa.String(40), nullable=False, server_default="not_recorded"))


def downgrade() -> None:
    op.drop_column("patient", "code_status")
    for table in reversed(TABLES):
        op.drop_table(table)
