"""Care teams: who held which post, who stands in for whom, participants from outside and what they may be told.

A patient in an open episode whom nobody manages is under the physician of the latest plan of care, else of the latest
signed order, else of the referral. Whoever is still without keeps their episode; it is not started before one is named.

Revision ID: 0018
Revises: 0020
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0018"
down_revision = "0020"
branch_labels = None
depends_on = None

_OPEN = sa.text("ends_at IS NULL")
_OF_PLAN = """SELECT p.managing_physician_id FROM care_plan p WHERE p.patient_id = patient.id
    ORDER BY p.episode_id DESC, p.id DESC LIMIT 1"""
_OF_ORDER = """SELECT o.physician_id FROM care_order o WHERE o.patient_id = patient.id AND o.signed_at IS NOT NULL
    ORDER BY o.signed_at DESC, o.id DESC LIMIT 1"""
_OF_REFERRAL = """SELECT r.physician_id FROM referral r WHERE r.patient_id = patient.id AND r.physician_id IS NOT NULL
    ORDER BY r.id DESC LIMIT 1"""


def _ref(name: str, *, nullable: bool = True) -> sa.Column:
    return sa.Column(name, ROW_ID, nullable=nullable)


def _table(name: str, *columns: sa.Column | sa.Constraint, to: dict[str, str]) -> None:
    """A table with its number, its references (`to`: column -> table) and their indices."""
    op.create_table(
        name,
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        *columns,
        *(
            sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{name}_{column}"))
            for column, target in to.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
    for column in to:
        op.create_index(op.f(f"ix_{name}_{column}"), name, [column])


def upgrade() -> None:
    _table(
        "team_post",
        _ref("patient_id", nullable=False),
        sa.Column("post", sa.String(40), nullable=False),
        _ref("physician_id"),
        _ref("user_id"),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        _ref("recorded_by_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(physician_id IS NULL) <> (user_id IS NULL)", name=op.f("ck_team_post_one_holder")),
        to={"patient_id": "patient", "physician_id": "physician", "user_id": "app_user", "recorded_by_id": "app_user"},
    )
    op.create_index(
        "uq_team_post_held", "team_post", ["patient_id", "post"], unique=True, sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )  # fmt: skip
    people = ("clinician", "physician", "user")
    _table(
        "cover",
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        _ref("patient_id"),
        *(_ref(f"{who}_id") for who in people),
        *(_ref(f"by_{who}_id") for who in people),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        _ref("recorded_by_id"),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_cover_days")),
        sa.CheckConstraint(
            "(role = 'managing_physician' AND physician_id IS NOT NULL AND by_physician_id IS NOT NULL) OR "
            "(role = 'coordinator' AND user_id IS NOT NULL AND by_user_id IS NOT NULL) OR "
            "(role = 'primary' AND clinician_id IS NOT NULL AND by_clinician_id IS NOT NULL)",
            name=op.f("ck_cover_people"),
        ),
        to={
            "patient_id": "patient", "clinician_id": "clinician", "physician_id": "physician", "user_id": "app_user",
            "by_clinician_id": "clinician", "by_physician_id": "physician", "by_user_id": "app_user",
            "recorded_by_id": "app_user",
        },
    )  # fmt: skip
    with op.batch_alter_table("outside_participant") as batch:
        batch.add_column(sa.Column("kind", sa.String(40), nullable=False, server_default="other_professional"))
        batch.add_column(sa.Column("phone", sa.String(40), nullable=True))
        batch.add_column(sa.Column("email", sa.String(200), nullable=True))
        batch.add_column(sa.Column("starts_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("ends_on", sa.Date(), nullable=True))
        batch.add_column(_ref("recorded_by_id"))
        batch.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch.create_foreign_key(op.f("fk_outside_participant_recorded_by_id"), "app_user", ["recorded_by_id"], ["id"])
    op.create_index(op.f("ix_outside_participant_recorded_by_id"), "outside_participant", ["recorded_by_id"])
    _table(
        "sharing_consent",
        _ref("participant_id", nullable=False),
        sa.Column("given_by", sa.String(40), nullable=False),
        sa.Column("giver_name", sa.String(200), nullable=True),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_by", sa.String(40), nullable=True),
        _ref("recorded_by_id"),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        to={"participant_id": "outside_participant", "recorded_by_id": "app_user"},
    )
    _put_under_somebody()
    _remember_who_manages()


def _put_under_somebody() -> None:
    unmanaged = (
        "UPDATE patient SET managing_physician_id = ({found}) WHERE managing_physician_id IS NULL AND id IN "
        "(SELECT patient_id FROM episode WHERE discharged_on IS NULL)"
    )
    for found in (_OF_PLAN, _OF_ORDER, _OF_REFERRAL):
        op.execute(unmanaged.format(found=found))


def _remember_who_manages() -> None:
    """A first line of history: since the patient was first accepted, or since this step where nobody knows."""
    connection = op.get_bind()
    accepted = sa.table("episode", sa.column("patient_id", ROW_ID), sa.column("accepted_at", UtcDateTime()))
    patient = sa.table("patient", sa.column("id", ROW_ID), sa.column("managing_physician_id", ROW_ID))
    first = (
        sa.select(accepted.c.patient_id, sa.func.min(accepted.c.accepted_at, type_=UtcDateTime()).label("since"))
        .group_by(accepted.c.patient_id)
        .subquery()
    )
    rows = connection.execute(
        sa.select(patient.c.id, patient.c.managing_physician_id, first.c.since)
        .outerjoin(first, first.c.patient_id == patient.c.id)
        .where(patient.c.managing_physician_id.is_not(None))
    ).all()
    if not rows:
        return
    post = sa.table(
        "team_post", sa.column("patient_id", ROW_ID), sa.column("post", sa.String()), sa.column("physician_id", ROW_ID),
        sa.column("starts_at", UtcDateTime()), sa.column("version", sa.Integer()),
    )  # fmt: skip
    now = datetime.now(UTC)
    op.bulk_insert(
        post,
        [
            {
                "patient_id": row.id, "post": "managing_physician", "physician_id": row.managing_physician_id,
                "starts_at": row.since or now, "version": 1,
            }
            for row in rows
        ],
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("sharing_consent")
    op.drop_index(op.f("ix_outside_participant_recorded_by_id"), "outside_participant")
    with op.batch_alter_table("outside_participant") as batch:
        batch.drop_constraint(op.f("fk_outside_participant_recorded_by_id"), type_="foreignkey")
        for name in ("version", "recorded_by_id", "ends_on", "starts_on", "email", "phone", "kind"):
            batch.drop_column(name)
    op.drop_table("cover")
    op.drop_table("team_post")
