"""Text messages beside mail, messages for roles, and webhooks with the log of what was told.

Revision ID: 0028
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

from coordinator.core.db import ROW_ID, UtcDateTime

revision = "0028"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("contact") as batch:
        batch.alter_column("email", existing_type=sa.String(200), nullable=True)
        batch.add_column(sa.Column("phone", sa.String(20), nullable=True))
        batch.add_column(sa.Column("of_roles", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.create_check_constraint(op.f("ck_contact_somewhere"), "email IS NOT NULL OR phone IS NOT NULL")
    op.add_column("mail", sa.Column("channel", sa.String(40), nullable=False, server_default="email"))
    op.create_table(
        "webhook",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=True),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("note", sa.String(200), nullable=True),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("salt", sa.String(64), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by_id", ROW_ID, nullable=True),
        sa.Column("off_because", sa.String(40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["branch_id"], ["branch.id"], name=op.f("fk_webhook_branch_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["app_user.id"], name=op.f("fk_webhook_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    for column in ("branch_id", "created_by_id"):
        op.create_index(op.f(f"ix_webhook_{column}"), "webhook", [column])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", ROW_ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("webhook_id", ROW_ID, nullable=False),
        sa.Column("branch_id", ROW_ID, nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("noun", sa.String(40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("of_version", sa.Integer(), nullable=False),
        sa.Column("happened_at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("next_try_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("log", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_webhook_delivery_webhook_id")),
        sa.ForeignKeyConstraint(["branch_id"], ["branch.id"], name=op.f("fk_webhook_delivery_branch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
        sa.UniqueConstraint("key", name=op.f("uq_webhook_delivery_key")),
    )
    op.create_index("ix_webhook_delivery_due", "webhook_delivery", ["branch_id", "status", "next_try_at"])
    op.create_index("ix_webhook_delivery_webhook", "webhook_delivery", ["webhook_id", "status"])


def downgrade() -> None:
    """Who hears by text message alone hears of notices in the product; those messages are not in the log any more."""
    op.drop_table("webhook_delivery")
    op.drop_table("webhook")
    op.execute("DELETE FROM mail WHERE channel <> 'email'")
    op.execute("DELETE FROM contact WHERE email IS NULL")
    op.drop_column("mail", "channel")
    with op.batch_alter_table("contact") as batch:
        batch.drop_constraint(op.f("ck_contact_somewhere"), type_="check")
        batch.drop_column("of_roles")
        batch.drop_column("phone")
        batch.alter_column("email", existing_type=sa.String(200), nullable=False)
