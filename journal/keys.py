"""API keys. A key is shown once; only its SHA-256 is kept, for it is too random to be guessed from that."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Engine, Row, select

from domain.model import Role
from domain.times import utc_now
from journal.store import writing
from journal.tables import api_keys

PREFIX = "vg_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """`organizations`: keys of organizations, or "*" for all. `revoked_at` as ISO 8601, None while it is good."""

    id: str
    name: str
    sha256: str
    role: Role
    organizations: Sequence[str]
    created_at: str
    revoked_at: str | None = None


def digest(key: str) -> str:
    return sha256(key.encode("utf-8")).hexdigest()


def create(engine: Engine, *, name: str, role: Role, organizations: Sequence[str]) -> tuple[str, ApiKey]:
    """The key itself, never to be seen again, and what is kept of it."""
    text = PREFIX + secrets.token_urlsafe(32)
    kept = ApiKey(
        id=secrets.token_hex(4),
        name=name,
        sha256=digest(text),
        role=role,
        organizations=tuple(organizations),
        created_at=utc_now().isoformat(),
    )
    row = {
        "id": kept.id,
        "name": kept.name,
        "sha256": kept.sha256,
        "role": kept.role.value,
        "organizations": ",".join(kept.organizations),
        "created_at": kept.created_at,
    }
    with writing(engine) as connection:
        connection.execute(api_keys.insert(), row)
    return text, kept


def all_keys(engine: Engine) -> list[ApiKey]:
    with engine.connect() as connection:
        return [_read(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.created_at))]


def revoke(engine: Engine, key_id: str) -> bool:
    """False where there is no such key that is still good."""
    good = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
    with writing(engine) as connection:
        done = connection.execute(api_keys.update().where(good).values(revoked_at=utc_now().isoformat()))
    return bool(done.rowcount)


def _read(row: Row[tuple[str, ...]]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        sha256=row.sha256,
        role=Role(row.role),
        organizations=tuple(row.organizations.split(",")),
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
