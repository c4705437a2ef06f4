"""Cursors: positions in an order, signed, and bound to who asked for what.

A cursor holds the position down to which the order has been read, and the gaps above it: what a source that failed
on the way has not told yet, so that it loses nothing when it heals."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from domain.errors import BadInput

MAC_BYTES = 16
LONGEST = 131_072  # characters: room for a thousand accounts that all failed


class Position(NamedTuple):
    """A place in an order: the sort key as text that orders as the key does, and the id."""

    key: str
    id: str


class Gap(NamedTuple):
    """What lies strictly between two positions of an order. None is its beginning, or its end."""

    after: Position | None
    before: Position | None


EVERYWHERE = Gap(None, None)


@dataclass(frozen=True, slots=True)
class Cursor:
    """None is the beginning. `gaps`: by account key, in order, all of them above `position`."""

    position: Position | None = None
    gaps: Mapping[str, Sequence[Gap]] = field(default_factory=dict)

    def unread(self, account: str) -> list[Gap]:
        """What is still to be read of an account, in order."""
        return joined([*self.gaps.get(account, ()), Gap(self.position, None)])


BEGINNING = Cursor()


def joined(gaps: Iterable[Gap]) -> list[Gap]:
    """Gaps in order, without a seam where one ends and the next begins: what stands there is another account's."""
    found: list[Gap] = []
    for after, before in gaps:
        seam = bool(found) and found[-1].before is not None and found[-1].before == after
        found.append(Gap(found.pop().after if seam else after, before))
    return found


class CursorSigner:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def write(self, cursor: Cursor, binding: bytes) -> str:
        payload = orjson.dumps(_plain(cursor))
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
        return _cursor(orjson.loads(payload))

    def _mac(self, payload: bytes, binding: bytes) -> bytes:
        return hmac.new(self._secret, sha256(binding).digest() + payload, sha256).digest()[:MAC_BYTES]


def _plain(cursor: Cursor) -> list[Any]:
    """Each position once, however many accounts failed at the same place: accounts name theirs by number."""
    numbers: dict[Position | None, int] = {cursor.position: 0}
    gaps = {
        account: [numbers.setdefault(end, len(numbers)) for gap in gaps for end in gap]
        for account, gaps in cursor.gaps.items()
    }
    positions = [None if position is None else list(position) for position in numbers]
    return [positions, gaps] if gaps else [positions]


def _cursor(raw: list[Any]) -> Cursor:
    positions = [None if position is None else Position(*position) for position in raw[0]]
    gaps = {
        account: [Gap(positions[after], positions[before]) for after, before in zip(ends[::2], ends[1::2], strict=True)]
        for account, ends in (raw[1] if len(raw) > 1 else {}).items()
    }
    return Cursor(positions[0], gaps)
