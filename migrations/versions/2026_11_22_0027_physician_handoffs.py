"""A handoff card may be between two physicians: who directed the care tells who directs it now.

Revision ID: 0027
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID

revision = "0027"
down_revision = "0015"
branch_labels = None
depends_on = None

_LIVE = sa.text("status IN ('draft', 'finished', 'acknowledged')")
_TWO = "ck_handoff_two_people"
_CLINICIANS = (
    "discipline IS NOT NULL AND from_clinician_id IS NOT NULL AND to_clinician_id IS NOT NULL "
    "AND from_clinician_id <> to_clinician_id AND from_physician_id IS NULL AND to_physician_id IS NULL"
)
_PHYSICIANS = (
    "discipline IS NULL AND from_clinician_id IS NULL AND to_clinician_id IS NULL "
    "AND from_physician_id IS NOT NULL AND to_physician_id IS NOT NULL AND from_physician_id <> to_physician_id"
)
_BETWEEN = ("from_physician_id", "to_physician_id")
_OF_CLINICIANS = {"discipline": sa.String(40), "from_clinician_id": ROW_ID, "to_clinician_id": ROW_ID}


def upgrade() -> None:
    with op.batch_alter_table("handoff") as table:
        for name in _BETWEEN:
            table.add_column(sa.Column(name, ROW_ID, nullable=True))
            table.create_foreign_key(op.f(f"fk_handoff_{name}"), "physician", [name], ["id"])
        for name, kind in _OF_CLINICIANS.items():
            table.alter_column(name, existing_type=kind, nullable=True)
        table.drop_constraint(op.f(_TWO), type_="check")
        table.create_check_constraint(op.f(_TWO), f"({_CLINICIANS}) OR ({_PHYSICIANS})")
    for name in _BETWEEN:
        op.create_index(op.f(f"ix_handoff_{name}"), "handoff", [name])
    op.create_index(
        "uq_handoff_live_physician", "handoff", ["patient_id", "to_physician_id"], unique=True, sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )  # fmt: skip


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM handoff WHERE to_physician_id IS NOT NULL"))
    op.drop_index("uq_handoff_live_physician", table_name="handoff")
    for name in _BETWEEN:
        op.drop_index(op.f(f"ix_handoff_{name}"), table_name="handoff")
    with op.batch_alter_table("handoff") as table:
        table.drop_constraint(op.f(_TWO), type_="check")
        table.create_check_constraint(op.f(_TWO), "from_clinician_id <> to_clinician_id")
        for name, kind in _OF_CLINICIANS.items():
            table.alter_column(name, existing_type=kind, nullable=False)
        for name in _BETWEEN:
            table.drop_constraint(op.f(f"fk_handoff_{name}"), type_="foreignkey")
            table.drop_column(name)
