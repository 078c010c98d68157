"""Referrals to organisations with their steps, suggestions, what matters of a patient for them, and education given.

Revision ID: 0020b
Revises: 0021b
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0020b"
down_revision = "0021b"
branch_labels = None
depends_on = None

_USER = ("app_user", False)
#: Columns that name a row of another table, and whether they must.
_NAMES = {
    "resource_profile": {"patient_id": ("patient", True), "recorded_by_id": _USER},
    "resource_suggestion": {"branch_id": ("branch", True), "patient_id": ("patient", False), "settled_by_id": _USER},
    "resource_referral": {
        "patient_id": ("patient", True), "caregiver_id": ("caregiver", False), "resource_id": ("resource", True),
        "visit_id": ("visit", False), "suggestion_id": ("resource_suggestion", False),
        "consent_recorded_by_id": _USER,
    },
    "resource_referral_step": {"referral_id": ("resource_referral", True), "by_id": _USER},
    "education_given": {
        "patient_id": ("patient", True), "caregiver_id": ("caregiver", False), "item_id": ("education_item", True),
        "assigned_by_id": _USER, "sent_by_id": _USER, "viewed_noted_by_id": _USER,
    },
}  # fmt: skip
#: Unique, and so without an index of its own.
_NO_INDEX = {("resource_profile", "patient_id")}


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


def _text(name: str, length: int = 40, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _day(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, sa.Date(), nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _version() -> sa.Column:
    return sa.Column("version", sa.Integer(), nullable=False)


def upgrade() -> None:
    _create(
        "resource_profile", sa.Column("is_veteran", sa.Boolean(), nullable=True), _text("health_system", nullable=True),
        _text("county", 60, nullable=True), _at("recorded_at"),
        sa.UniqueConstraint("patient_id", name=op.f("uq_resource_profile_patient_id")),
    )  # fmt: skip
    _create(
        "resource_suggestion", _text("reason"), _text("source_ref", 60), sa.Column("finding", sa.JSON(), nullable=False),
        sa.Column("resource_keys", sa.JSON(), nullable=False), _day("due_on", nullable=False), _text("status"),
        _at("opened_at"), _text("dismissal", nullable=True), _at("settled_at", nullable=True), _version(),
        sa.UniqueConstraint("reason", "source_ref", name=op.f("uq_resource_suggestion_reason_source_ref")),
    )  # fmt: skip
    _create(
        "resource_referral", _text("need"), _text("status"), _text("way", nullable=True),
        _text("referred_by", nullable=True), _text("consent_by", nullable=True), _text("consent_form", nullable=True),
        _day("consent_on"), _day("follow_up_on"), _text("failure", nullable=True), _version(),
    )  # fmt: skip
    _create("resource_referral_step", _text("status"), _at("at"))
    _create(
        "education_given", _text("language", 20), _at("assigned_at"), _text("way", nullable=True), _day("sent_on"),
        _day("viewed_on"), _version(),
    )  # fmt: skip


def downgrade() -> None:
    for table in reversed(_NAMES):
        op.drop_table(table)
