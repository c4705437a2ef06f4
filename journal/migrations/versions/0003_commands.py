"""Commands: the ledger of what was asked of machines, and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _ledger()
    _audit()


def _ledger() -> None:
    op.create_table(
        "commands",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("organization", sa.String, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("vendor", sa.String, nullable=False),
        sa.Column("machine", sa.String),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("requested_by", sa.String, nullable=False),
        sa.Column("idempotency_key", sa.String, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("cents", sa.BigInteger),
        sa.Column("currency", sa.String),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("placed", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.String),
        sa.Column("owner", sa.String),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("until", sa.Float),
        sa.Column("vendor_id", sa.String),
        sa.Column("ordered", sa.LargeBinary),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("organization", "idempotency_key"),
    )
    op.create_index("commands_newest", "commands", ["organization", "created_at", "id"])
    op.create_index("commands_machine", "commands", ["account", "machine", "created_at"])
    op.create_index("commands_vendor_id", "commands", ["account", "vendor_id"])
    op.create_index("commands_status", "commands", ["status", "until"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("organization", sa.String, nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("address", sa.String),
        sa.Column("request_id", sa.String),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("command", sa.String),
        sa.Column("machine", sa.String),
        sa.Column("details", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("audit_newest", "audit", ["organization", "seq"])
