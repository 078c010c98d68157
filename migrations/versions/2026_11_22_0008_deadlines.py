"""What a deadline asks, when it is told, who closed it, and the coded reason of a waiver.

Revision ID: 0008
Revises: 0014
"""

from datetime import date, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0014"
branch_labels = None
depends_on = None

_COLUMNS = ("task", "escalate_on", "tell_on", "closed_by", "waiver")


def upgrade() -> None:
    op.add_column("deadline", sa.Column("task", sa.String(40), nullable=False, server_default=""))
    op.add_column("deadline", sa.Column("escalate_on", sa.Date(), nullable=False, server_default="9999-12-31"))
    op.add_column("deadline", sa.Column("tell_on", sa.Date(), nullable=True))
    op.add_column("deadline", sa.Column("closed_by", sa.String(40), nullable=True))
    op.add_column("deadline", sa.Column("waiver", sa.String(40), nullable=True))
    op.create_index("ix_deadline_branch_status", "deadline", ["branch_id", "status"])
    op.create_index("ix_deadline_branch_tell", "deadline", ["branch_id", "tell_on"])
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """Rows that stand say what their facts say, and are told of from the next night on, each at most once more."""
    table = sa.table(
        "deadline",
        sa.column("id", sa.BigInteger), sa.column("due_on", sa.Date), sa.column("status", sa.String),
        sa.column("facts", sa.JSON), sa.column("task", sa.String), sa.column("escalate_on", sa.Date),
        sa.column("tell_on", sa.Date), sa.column("closed_by", sa.String), sa.column("waiver", sa.String),
    )  # fmt: skip
    values = []
    for row in connection.execute(sa.select(table.c.id, table.c.due_on, table.c.status, table.c.facts)):
        days = [date.fromisoformat(day) for day in row.facts.get("remind_on", [])]
        late = row.due_on + timedelta(days=1)
        # Whether a person said so was not kept: what was done stays done, as it did.
        closed_by = {"done": "person", "waived": "person", "superseded": "facts"}.get(row.status)
        values.append(
            {
                "number": row.id, "new_task": row.facts.get("task", ""), "new_escalate_on": late,
                "new_closed_by": closed_by, "new_tell_on": min([*days, late]) if row.status == "open" else None,
                "new_waiver": "other" if row.status == "waived" else None,
            }
        )  # fmt: skip
    if values:
        connection.execute(
            sa.update(table)
            .where(table.c.id == sa.bindparam("number"))
            .values({name: sa.bindparam(f"new_{name}") for name in _COLUMNS}),
            values,
        )


def downgrade() -> None:
    op.drop_index("ix_deadline_branch_tell", "deadline")
    op.drop_index("ix_deadline_branch_status", "deadline")
    # One by one: SQLite cannot rebuild a table to whose rows the duties of visits point.
    for column in reversed(_COLUMNS):
        op.drop_column("deadline", column)
