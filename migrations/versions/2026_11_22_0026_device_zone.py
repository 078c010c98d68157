"""The zone of the clock that captured a visit (EVV-04).

Revision ID: 0026
Revises: 0027b
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0027b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("visit", sa.Column("device_zone", sa.String(60), nullable=True))


def downgrade() -> None:
    op.drop_column("visit", "device_zone")
