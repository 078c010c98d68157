"""The queue's own tables, on PostgreSQL only: procrastinate looks after them.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # sa.text, not exec_driver_sql: a % in the script would be taken for a parameter.
        op.execute(sa.text(SchemaManager.get_schema().replace(":=", "\\:=")))


def downgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return
    found = bind.execute(
        sa.text(
            "SELECT format('DROP TABLE IF EXISTS %I CASCADE', tablename) FROM pg_tables "
            "WHERE schemaname = current_schema() AND tablename LIKE 'procrastinate_%' "
            "UNION ALL SELECT format('DROP FUNCTION IF EXISTS %s CASCADE', p.oid::regprocedure) FROM pg_proc p "
            "JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE n.nspname = current_schema() AND p.proname LIKE 'procrastinate_%' "
            "UNION ALL SELECT format('DROP TYPE IF EXISTS %I CASCADE', typname) FROM pg_type t "
            "JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = current_schema() "
            "AND t.typname LIKE 'procrastinate_%' AND t.typtype IN ('e', 'c') "
            "AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'r')"
        )
    ).scalars()
    for statement in found.all():
        op.execute(sa.text(statement))
