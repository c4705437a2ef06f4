"""Days of sales, summed up by product and quarter of a day too: those that were before are summed up again."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE sale_days SET summed = 0")
