"""Who is watched at work and by whom; what a visit carries; what a missed visit's notice says.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

#: Columns that name a row of another table, and whether they must; each with its index but for `deadline_id`.
_NAMES = {
    "aide_concern": {
        "aide_id": ("clinician", True), "patient_id": ("patient", True), "noted_by_id": ("clinician", True),
        "supervision_id": ("supervision", False),
    },
    "aide_observation": {
        "aide_id": ("clinician", True), "patient_id": ("patient", True), "observer_id": ("clinician", True),
        "concern_id": ("aide_concern", False),
    },
    "assistant_supervision": {
        "patient_id": ("patient", True), "assistant_id": ("clinician", True), "supervisor_id": ("clinician", True),
        "visit_id": ("visit", False),
    },
    "therapist_of_record": {
        "patient_id": ("patient", True), "clinician_id": ("clinician", True), "assigned_by_id": ("app_user", True),
    },
    "bill_exception": {"visit_id": ("visit", True), "user_id": ("app_user", True)},
    "missed_notice": {"visit_id": ("visit", True), "told_by_id": ("app_user", True)},
    "written_schedule": {
        "patient_id": ("patient", True), "visit_id": ("visit", False), "given_by_id": ("app_user", True),
    },
    "visit_duty": {"visit_id": ("visit", True), "deadline_id": ("deadline", True)},
    "aide_acknowledgement": {"plan_id": ("aide_care_plan", True), "clinician_id": ("clinician", True)},
    "aide_competence": {"clinician_id": ("clinician", True)},
    "in_service": {"clinician_id": ("clinician", True)},
}  # fmt: skip
_NO_INDEX = {("visit_duty", "deadline_id"), ("aide_competence", "clinician_id")}


def _create(table: str, *columns: sa.Column | sa.Constraint) -> None:
    names = _NAMES[table]
    op.create_table(
        table,
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        *(sa.Column(name, ROW_ID, nullable=not needed) for name, (_, needed) in names.items()),
        *columns,
        *(
            sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}"))
            for name, (target, _) in names.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    for name in names:
        if (table, name) not in _NO_INDEX:
            op.create_index(op.f(f"ix_{table}_{name}"), table, [name])


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _day(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Date(), nullable=nullable)


def upgrade() -> None:
    _create(
        "aide_concern", _day("noted_on"), sa.Column("tasks", sa.JSON(), nullable=False),
        sa.Column("deficient", sa.Boolean(), nullable=True), _day("cleared_on", nullable=True), _at("recorded_at"),
    )  # fmt: skip
    _create(
        "aide_observation", _day("observed_on"), sa.Column("passed", sa.Boolean(), nullable=False), _at("recorded_at")
    )
    _create("assistant_supervision", _day("supervised_on"), _at("recorded_at"))
    _create(
        "therapist_of_record", sa.Column("discipline", sa.String(40), nullable=False), _day("starts_on"),
        sa.Column("reason", sa.String(300), nullable=False), _at("recorded_at"),
    )  # fmt: skip
    _create(
        "bill_exception", sa.Column("rule", sa.String(20), nullable=False),
        sa.Column("code", sa.String(40), nullable=False), sa.Column("text", sa.Text(), nullable=False), _at("at"),
        sa.UniqueConstraint("visit_id", "rule", name=op.f("uq_bill_exception_visit_id_rule")),
    )  # fmt: skip
    _create(
        "missed_notice", sa.Column("told", sa.String(20), nullable=False), _at("told_at"),
        sa.Column("how", sa.String(40), nullable=False), sa.Column("instruction", sa.Text(), nullable=True),
        _at("recorded_at"),
    )  # fmt: skip
    _create(
        "written_schedule", _day("given_on"), sa.Column("language", sa.String(20), nullable=False), _at("recorded_at")
    )
    _create(
        "visit_duty", sa.Column("rule", sa.String(20), nullable=False), _day("first_on"), _day("last_on"),
        sa.Column("kind_before", sa.String(40), nullable=True), sa.Column("raised", sa.Boolean(), nullable=False), _at("attached_at"), _at("ended_at", nullable=True),
        sa.Column("outcome", sa.String(20), nullable=True),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_visit_duty_days")),
    )  # fmt: skip
    open_ = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_visit_duty_deadline", "visit_duty", ["deadline_id"], unique=True, sqlite_where=open_,
        postgresql_where=open_,
    )  # fmt: skip
    _create(
        "aide_acknowledgement", _at("acknowledged_at"),
        sa.UniqueConstraint("plan_id", "clinician_id", name=op.f("uq_aide_acknowledgement_plan_id_clinician_id")),
    )  # fmt: skip
    _create(
        "aide_competence", _day("last_paid_work_on", nullable=True), _day("requalified_on", nullable=True),
        _day("year_began_on", nullable=True), _at("recorded_at"),
        sa.UniqueConstraint("clinician_id", name=op.f("uq_aide_competence_clinician_id")),
    )  # fmt: skip
    _create(
        "in_service", _day("held_on"), sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(200), nullable=False), _at("recorded_at"),
        sa.CheckConstraint("minutes BETWEEN 5 AND 1440", name=op.f("ck_in_service_minutes")),
    )  # fmt: skip
    for column in (
        sa.Column("purpose", sa.String(40), nullable=True),
        sa.Column("tasks_done", sa.JSON(none_as_null=True), nullable=True),
        _at("note_signed_at", nullable=True),
    ):
        op.add_column("visit", column)


def downgrade() -> None:
    for name in ("note_signed_at", "tasks_done", "purpose"):
        op.drop_column("visit", name)
    for table in reversed(_NAMES):
        op.drop_table(table)
