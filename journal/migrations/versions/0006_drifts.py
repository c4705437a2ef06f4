"""How vendors' answers differ from what they are taken to be."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drifts",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("fingerprint", sa.String, primary_key=True),
        sa.Column("operation", sa.String, nullable=False),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("expected", sa.String, nullable=False),
        sa.Column("seen", sa.String, nullable=False),
        sa.Column("counted", sa.BigInteger, nullable=False),
        sa.Column("first_seen_at", sa.String, nullable=False),
        sa.Column("last_seen_at", sa.String, nullable=False),
    )
