"""When keys expire, and which of them may ask for the schema."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("expires_at", sa.String))
    op.add_column("api_keys", sa.Column("introspection", sa.Boolean))
