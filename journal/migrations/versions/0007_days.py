"""Days of sales, summed up ahead of reports."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

DAY = 86_400_000_000  # in microseconds


def upgrade() -> None:
    op.create_table(
        "sale_days",
        sa.Column("account", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("summed", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("sale_days_summed", "sale_days", ["summed", "day"])
    op.create_table(
        "sale_sums",
        sa.Column("account", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("grain", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("machine", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("product", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("method", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("currency", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sales", sa.BigInteger, nullable=False),
        sa.Column("items", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger),
        sa.Column("tax", sa.BigInteger),
        sa.Column("discount", sa.BigInteger),
        sa.Column("shares", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO sale_days SELECT DISTINCT account, at / {DAY}, 0 FROM sale_lines"  # noqa: S608  our own number
    )
