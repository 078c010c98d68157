"""A patient's illnesses have tags: groups that people name, beside those that the diagnoses suggest.

Revision ID: 0027b
Revises: 0029b
"""

import sqlalchemy as sa
from alembic import op

revision = "0027b"
down_revision = "0029b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("patient", sa.Column("condition_groups", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("patient", "condition_groups")
