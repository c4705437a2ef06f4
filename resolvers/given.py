"""Checks of what callers give, which several ways have in common. Each raises BadInput with the path to the fault."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from domain.errors import BadInput
from domain.refs import Kind, Ref
from domain.times import utc_now
from resolvers.sources import Source
from resolvers.ways import LARGEST_AMOUNT

LONGEST_PROSE = 5000
MOST = 2**31 - 1


def native(source: Source, id_: str | None, kind: Kind, what: str, *field: str) -> str | None:
    """The vendor's id of a thing of this account."""
    if id_ is None:
        return None
    ref = Ref.parse(id_)
    if ref is None or ref[:2] != (kind, source.key):
        raise BadInput(f"there is no such {what} in this account", "input", *field)
    return ref.native


def worded(text: str | None, longest: int, *field: str, needed: bool = False) -> None:
    """A text that says something, where there is one."""
    if text is None and not needed:
        return
    if text is None or not text.strip() or len(text) > longest or "\0" in text:
        raise BadInput(f"a text of 1 to {longest} characters is expected", "input", *field)


def counted(number: int | None, *field: str, least: int = 0, most: int = MOST) -> None:
    if number is not None and not least <= number <= most:
        raise BadInput(f"a number from {least} to {most} is expected", "input", *field)


def measured(number: Decimal | None, *field: str, most: Decimal = LARGEST_AMOUNT) -> None:
    """From 0, and with no more than six decimal places: then a double keeps it as it is."""
    if number is None:
        return
    if not number.is_finite() or not 0 <= number <= most:
        raise BadInput(f"a number from 0 to {most} is expected", "input", *field)
    if number != number.quantize(Decimal("0.000001")):
        raise BadInput("it has more than six decimal places", "input", *field)


def to_come(at: datetime | None, since: datetime | None, *field: str) -> None:
    """Later than now, and than what it follows."""
    if at is not None and at <= max(utc_now(), since or at.min.replace(tzinfo=at.tzinfo)):
        raise BadInput("what ends then never begins", "input", *field)


def few(items: Sequence[object] | None, most: int, *field: str, least: int = 1) -> None:
    if items is not None and not least <= len(items) <= most:
        raise BadInput(f"{least} to {most} are expected", "input", *field)
