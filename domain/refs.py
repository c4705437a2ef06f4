"""Which thing is meant: a reference, and its opaque text form, the `id` of the graph."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class Kind(StrEnum):
    """What a reference points to. The letters are part of every id that clients keep: never change one."""

    ORGANIZATION = "o"
    ACCOUNT = "a"
    MACHINE = "m"
    SLOT = "s"
    PRODUCT = "p"
    SALE = "t"
    EVENT = "e"
    PLACE = "l"
    COMMAND = "c"
    STOCK_MOVEMENT = "sm"
    CASH_COLLECTION = "cc"
    PERSON = "h"
    UNIT = "u"
    GROUP = "g"
    BULK = "b"


class Ref(NamedTuple):
    """`native` is the vendor's own id as text, and, where the vendor cannot look one up by that alone, what
    it can look it up by. `account` is the account's key, empty for what is no account's: bulks, and the
    organizations of the configuration."""

    kind: Kind
    account: str
    native: str

    @property
    def text(self) -> str:
        return _encode(self)

    @classmethod
    def parse(cls, text: str) -> "Ref | None":
        """The reference behind an id, or None where the text never was an id."""
        try:
            raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("utf-8")
            kind, account, native = raw.split("\x1f", 2)
            ref = cls(Kind(kind), account, native)
        except (Base64Error, ValueError):  # UnicodeError is a ValueError
            return None
        return ref if ref.text == text and "\0" not in raw else None  # no store takes a zero in a text


def spelt(ref: Ref) -> str:
    """Its text, which is not kept: for what is told once and in masses."""
    raw = "\x1f".join(ref).encode("utf-8")
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


_encode = lru_cache(maxsize=65_536)(spelt)
