"""Sums of sales: their lines in whole numbers."""

import sqlalchemy as sa
from alembic import op

from journal.sums import fill

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "names",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("native", sa.String, nullable=False),
        sa.UniqueConstraint("account", "kind", "native"),
    )
    op.create_table(
        "sale_lines",
        sa.Column("account", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("machine", sa.BigInteger, nullable=False),
        sa.Column("product", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("method", sa.Integer, nullable=False),
        sa.Column("currency", sa.BigInteger, nullable=False),
        sa.Column("sales", sa.Integer, nullable=False),
        sa.Column("items", sa.BigInteger, nullable=False),
        sa.Column("total", sa.BigInteger),
        sa.Column("tax", sa.BigInteger),
        sa.Column("discount", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("sale_lines_seq", "sale_lines", ["seq"])
    fill(op.get_bind())
