"""The journal: what was told, what it means for machines, and how far feeds have read."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _journal()
    _what_it_means()
    _webhooks()
    _feeds()
    op.execute("INSERT INTO journal_head (id, seq, pruned) VALUES (1, 0, 0)")


def _journal() -> None:
    op.create_table(
        "journal_head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("pruned", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "journal_facts",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("identity", sa.String, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "journal_entries",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("machine", sa.String),
        sa.Column("machine_name", sa.String),
        sa.Column("recorded_at", sa.String, nullable=False),
        sa.Column("received_at", sa.String, nullable=False),
        sa.Column("origin", sa.String, nullable=False),
        sa.Column("changed", sa.String),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("raw", sa.LargeBinary),
    )
    op.create_index("journal_entries_history", "journal_entries", ["account", "kind", "recorded_at"])
    op.create_index("journal_entries_received", "journal_entries", ["received_at"])
    op.create_table(
        "journal_heard",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("machine", sa.String, primary_key=True),
        sa.Column("topic", sa.String, primary_key=True),
        sa.Column("identity", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
    )


def _what_it_means() -> None:
    op.create_table(
        "machine_states",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("machine", sa.String, primary_key=True),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "tag_links",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("tag", sa.String, primary_key=True),
        sa.Column("product", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
    )


def _webhooks() -> None:
    op.create_table(
        "webhook_counts",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        sa.Column("duplicates", sa.BigInteger, nullable=False),
        sa.Column("rejected", sa.BigInteger, nullable=False),
        sa.Column("quarantined", sa.BigInteger, nullable=False),
        sa.Column("last_received_at", sa.String),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("machine", sa.String),
        sa.Column("received_at", sa.String, nullable=False),
        sa.Column("headers", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("signed", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("replayed_at", sa.String),
    )


def _feeds() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("until", sa.Float, nullable=False),
    )
    op.create_table(
        "watermarks",
        sa.Column("account", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("since", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("missed_at", sa.String),
    )
