"""How people are employed and checked, wishes and interpreters, emergency access, and what is owed about records.

Columns are added in place: no table is rebuilt, so no trigger is lost on SQLite.

Revision ID: 0013
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0013"
down_revision = "0009"
branch_labels = None
depends_on = None


def _columns() -> dict[str, list[sa.Column]]:
    """New columns of old tables; what may not be empty begins with a value."""
    return {
        "clinician": [
            sa.Column("ot_profile", sa.String(40), nullable=False, server_default="standard"),
            sa.Column("first_meal_waived_on", sa.Date(), nullable=True),
            sa.Column("second_meal_waived_on", sa.Date(), nullable=True),
            sa.Column("excluded_on", sa.Date(), nullable=True),
            sa.Column("exclusions_checked_on", sa.Date(), nullable=True),
        ],
        "credential": [sa.Column("restricted_kinds", sa.JSON(none_as_null=True), nullable=True)],
        "patient": [
            sa.Column("diet", sa.String(200), nullable=True),
            sa.Column("truth_telling", sa.String(40), nullable=True),
            sa.Column("death_rituals", sa.Text(), nullable=True),
            sa.Column("race_ethnicity", sa.JSON(none_as_null=True), nullable=True),
        ],
        "caregiver": [
            sa.Column("may_contact", sa.Boolean(), nullable=True),
            sa.Column("burden_score", sa.Integer(), nullable=True),
            sa.Column("burden_scored_on", sa.Date(), nullable=True),
            sa.Column("teaching", sa.JSON(none_as_null=True), nullable=True),
        ],
        "visit": [
            sa.Column("interpreter_reference", sa.String(80), nullable=True),
            sa.Column("interpreter_companion", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("interpreter_companion_age", sa.Integer(), nullable=True),
            sa.Column("interpreter_companion_basis", sa.String(20), nullable=True),
        ],
    }


def _table(name: str, *columns: sa.Column | sa.Constraint, to: dict[str, str], version: bool = False) -> None:
    """A table with its number, its references (`to`: column -> table) and their indices."""
    more = [sa.Column("version", sa.Integer(), nullable=False)] if version else []
    op.create_table(
        name,
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        *columns,
        *more,
        *(
            sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{name}_{column}"))
            for column, target in to.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    for column in to:
        op.create_index(op.f(f"ix_{name}_{column}"), name, [column])


def _ref(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, ROW_ID, nullable=nullable)


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    _table(
        "exclusion_check",
        _ref("clinician_id"),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("matched", sa.Boolean(), nullable=False),
        _ref("recorded_by_id", nullable=True),
        to={"clinician_id": "clinician", "recorded_by_id": "app_user"},
    )
    _table(
        "meal_period",
        _ref("clinician_id"),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        _ref("recorded_by_id", nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_meal_period_times")),
        to={"clinician_id": "clinician", "recorded_by_id": "app_user"},
    )
    _table(
        "emergency_access",
        _ref("user_id"),
        _ref("patient_id"),
        sa.Column("reason_code", sa.String(40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("review_due_on", sa.Date(), nullable=False),
        sa.Column("reviewed_at", UtcDateTime(), nullable=True),
        _ref("reviewed_by_id", nullable=True),
        sa.Column("justified", sa.Boolean(), nullable=True),
        sa.Column("review_text", sa.Text(), nullable=True),
        to={"user_id": "app_user", "patient_id": "patient", "reviewed_by_id": "app_user"},
    )
    _table(
        "record_request",
        _ref("patient_id"),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("requested_by", sa.String(20), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_by", sa.String(20), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        _ref("recorded_by_id", nullable=True),
        to={"patient_id": "patient", "recorded_by_id": "app_user"},
        version=True,
    )
    _table(
        "disclosure",
        _ref("patient_id"),
        sa.Column("disclosed_on", sa.Date(), nullable=False),
        sa.Column("recipient", sa.String(200), nullable=False),
        sa.Column("recipient_address", sa.String(300), nullable=True),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        _ref("recorded_by_id", nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        to={"patient_id": "patient", "recorded_by_id": "app_user"},
    )
    _table(
        "breach",
        _ref("branch_id"),
        sa.Column("detected_on", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("state_due_on", sa.Date(), nullable=False),
        sa.Column("federal_due_on", sa.Date(), nullable=False),
        sa.Column("state_told_on", sa.Date(), nullable=True),
        sa.Column("patients_told_on", sa.Date(), nullable=True),
        sa.Column("federal_told_on", sa.Date(), nullable=True),
        _ref("recorded_by_id", nullable=True),
        to={"branch_id": "branch", "recorded_by_id": "app_user"},
        version=True,
    )
    _table(
        "breach_patient",
        _ref("breach_id"),
        _ref("patient_id"),
        sa.UniqueConstraint("breach_id", "patient_id", name=op.f("uq_breach_patient_breach_id_patient_id")),
        to={"breach_id": "breach", "patient_id": "patient"},
    )
    _table(
        "legal_hold",
        _ref("patient_id"),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.Column("placed_on", sa.Date(), nullable=False),
        _ref("placed_by_id", nullable=True),
        sa.Column("released_on", sa.Date(), nullable=True),
        _ref("released_by_id", nullable=True),
        to={"patient_id": "patient", "placed_by_id": "app_user", "released_by_id": "app_user"},
    )


def downgrade() -> None:
    for table in (
        "legal_hold", "breach_patient", "breach", "disclosure", "record_request",
        "emergency_access", "meal_period", "exclusion_check",
    ):  # fmt: skip
        op.drop_table(table)
    for table, columns in _columns().items():
        for column in columns:
            op.drop_column(table, column.name)
