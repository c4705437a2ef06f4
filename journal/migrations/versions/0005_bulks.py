"""Bulks: commands that were asked for together."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulks",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("organization", sa.String, nullable=False),
        sa.Column("idempotency_key", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("requested_by", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("until", sa.Float),
        sa.UniqueConstraint("organization", "idempotency_key"),
    )
    op.create_table(
        "bulk_items",
        sa.Column("bulk", sa.String, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("command", sa.String),
        sa.Column("errors", sa.LargeBinary),
    )
    op.create_index("bulk_items_command", "bulk_items", ["command"])
