"""Cursors: positions in an order, signed, and bound to who asked for what.

A cursor holds the position down to which the order has been read, and for each source that failed on the way
the position down to which that one has been read, so that it loses nothing when it heals."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

import orjson

from domain.errors import BadInput

MAC_BYTES = 16
LONGEST = 4096


class Position(NamedTuple):
    """A place in an order: the sort key as text that orders as the key does, and the id."""

    key: str
    id: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """None is the beginning. `behind` holds the sources that are not as far as `position`, by account key."""

    position: Position | None = None
    behind: Mapping[str, Position | None] = field(default_factory=dict)

    def start(self, account: str) -> Position | None:
        return self.behind.get(account, self.position)


BEGINNING = Cursor()


class CursorSigner:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, cursor: Cursor, binding: bytes) -> str:
        parts: list[object] = [_plain(cursor.position)]
        if cursor.behind:
            parts.append({account: _plain(at) for account, at in cursor.behind.items()})
        payload = orjson.dumps(parts)
        return urlsafe_b64encode(self._mac(payload, binding) + payload).rstrip(b"=").decode("ascii")

    def read(self, text: str | None, binding: bytes) -> Cursor:
        """Raises BadInput for a cursor that was not written here, for this caller and this list."""
        if text is None:
            return BEGINNING
        try:
            raw = urlsafe_b64decode(text[:LONGEST].encode("ascii") + b"=" * (-len(text) % 4))
        except (Base64Error, ValueError):
            raw = b""
        mac, payload = raw[:MAC_BYTES], raw[MAC_BYTES:]
        if not payload or not hmac.compare_digest(mac, self._mac(payload, binding)):
            raise BadInput("`after` is not a cursor of this list: pass a cursor of the same query, filter and key")
        position, *rest = orjson.loads(payload)
        behind = {account: _position(at) for account, at in rest[0].items()} if rest else {}
        return Cursor(_position(position), behind)

    def _mac(self, payload: bytes, binding: bytes) -> bytes:
        return hmac.new(self._secret, sha256(binding).digest() + payload, sha256).digest()[:MAC_BYTES]


def _plain(position: Position | None) -> list[str] | None:
    return None if position is None else list(position)


def _position(raw: list[str] | None) -> Position | None:
    return None if raw is None else Position(*raw)
