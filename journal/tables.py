"""The tables. Times are UTC as ISO 8601 text, so that both databases order and keep them alike."""

from sqlalchemy import Column, LargeBinary, MetaData, String, Table

metadata = MetaData()

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("organizations", String, nullable=False),  # keys of organizations, by commas; * is all
    Column("created_at", String, nullable=False),
    Column("revoked_at", String),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
