"""Road times that are remembered, and how precise the point of a home is.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "travel_point",
        sa.Column("id", _ROW, autoincrement=True, nullable=False),
        sa.Column("lat_e5", sa.Integer(), nullable=False),
        sa.Column("lon_e5", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_travel_point")),
        sa.UniqueConstraint("lat_e5", "lon_e5", name=op.f("uq_travel_point_lat_e5_lon_e5")),
    )
    op.create_table(
        "travel_leg",
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("from_id", _ROW, nullable=False),
        sa.Column("to_id", _ROW, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("metres", sa.Float(), nullable=True),
        sa.Column("measured_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["travel_point.id"], name=op.f("fk_travel_leg_from_id")),
        sa.ForeignKeyConstraint(["to_id"], ["travel_point.id"], name=op.f("fk_travel_leg_to_id")),
        sa.PrimaryKeyConstraint("source", "from_id", "to_id", name=op.f("pk_travel_leg")),
    )
    op.create_index(op.f("ix_travel_leg_measured_at"), "travel_leg", ["measured_at"])
    op.create_index(op.f("ix_travel_leg_to_id"), "travel_leg", ["to_id"])
    # Columns are added in place: no table is rebuilt, so no trigger is lost on SQLite.
    op.add_column("home", sa.Column("point_precision", sa.String(20), nullable=True))
    op.add_column("home", sa.Column("point_note", sa.String(200), nullable=True))
    # Until now every point was given by somebody.
    op.execute(sa.text("UPDATE home SET point_precision = 'given' WHERE lat IS NOT NULL"))


def downgrade() -> None:
    op.drop_column("home", "point_note")
    op.drop_column("home", "point_precision")
    op.drop_table("travel_leg")
    op.drop_table("travel_point")
