"""API keys. A key is shown once; only its SHA-256 is kept, for it is too random to be guessed from that."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy import Engine, Row, select

from domain.model import Role
from domain.times import utc_now
from journal.store import writing
from journal.tables import api_keys

PREFIX = "vg_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """`organizations`: keys of organizations, or "*" for all. `revoked_at` as ISO 8601, None while it is good;
    `expires_at`, in UTC, is None for one that is good for ever. `introspection`: whether it may ask for the schema."""

    id: str
    name: str
    sha256: str
    role: Role
    organizations: Sequence[str]
    created_at: str
    revoked_at: str | None = None
    expires_at: datetime | None = None
    introspection: bool = False

    @property
    def good(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > utc_now())


def digest(key: str) -> str:
    return sha256(key.encode("utf-8")).hexdigest()


def create(
    engine: Engine,
    *,
    name: str,
    role: Role,
    organizations: Sequence[str],
    expires_at: datetime | None = None,
    introspection: bool = False,
) -> tuple[str, ApiKey]:
    """The key itself, never to be seen again, and what is kept of it."""
    text, kept = _made(name, role, organizations, expires_at, introspection)
    with writing(engine) as connection:
        connection.execute(api_keys.insert(), _row(kept))
    return text, kept


def rotate(engine: Engine, key_id: str, until: datetime, expires_at: datetime | None) -> tuple[str, ApiKey] | None:
    """A key in the place of another, which stays good until then, or until it expires if that is before. None where
    there is no such key that is still good."""
    with writing(engine) as connection:
        row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).one_or_none()
        old = None if row is None else _read(row)
        if old is None or not old.good:
            return None
        ends = until if old.expires_at is None else min(until, old.expires_at)
        text, kept = _made(old.name, old.role, old.organizations, expires_at, old.introspection)
        connection.execute(api_keys.update().where(api_keys.c.id == key_id).values(expires_at=ends.isoformat()))
        connection.execute(api_keys.insert(), _row(kept))
    return text, kept


def _made(
    name: str, role: Role, organizations: Sequence[str], expires_at: datetime | None, introspection: bool
) -> tuple[str, ApiKey]:
    text = PREFIX + secrets.token_urlsafe(32)
    kept = ApiKey(
        id=secrets.token_hex(4),
        name=name,
        sha256=digest(text),
        role=role,
        organizations=tuple(organizations),
        created_at=utc_now().isoformat(),
        expires_at=None if expires_at is None else expires_at.astimezone(UTC),
        introspection=introspection,
    )
    return text, kept


def _row(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "sha256": key.sha256,
        "role": key.role.value,
        "organizations": ",".join(key.organizations),
        "created_at": key.created_at,
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "introspection": key.introspection,
    }


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
        expires_at=None if row.expires_at is None else datetime.fromisoformat(row.expires_at),
        introspection=bool(row.introspection),
    )
