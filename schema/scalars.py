"""Scalars: moments with an offset, exact decimals, dates, and JSON."""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType

import strawberry
from graphql import FloatValueNode, IntValueNode, StringValueNode, ValueNode

from domain.errors import BadInput

JSON = NewType("JSON", object)
FURTHEST = 100  # powers of ten: a number that is written in a few letters must not fill the memory when it is spelt out


def write_time(value: datetime) -> str:
    written = (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()
    return written.removesuffix("+00:00") + "Z"


def read_time(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):  # in UTC it may lie before the year 1, or after 9999
        pass
    raise BadInput(f"{value!r:.60} is no RFC 3339 time with an offset, such as 2026-03-01T09:30:00Z")


def read_date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadInput(f"{value!r:.60} is no ISO 8601 date, such as 2026-03-01") from None


def write_decimal(value: Decimal) -> str:
    return format(value, "f")


def read_decimal(value: Any) -> Decimal:
    """From a text or a whole number; a float is refused, for it has already lost what it stood for."""
    try:
        found = Decimal(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
    except InvalidOperation:
        found = None
    if found is None or not found.is_finite() or abs(found.adjusted()) > FURTHEST:
        raise BadInput(f'{value!r:.60} is no decimal: pass it as a text, such as "2.50"')
    return found


def read_decimal_literal(node: ValueNode, _: Any = None) -> Decimal:
    """A number that stands in the document is still a text there."""
    if isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
        return read_decimal(node.value)
    raise BadInput('a decimal is a text, such as "2.50"')


SCALARS: dict[object, Any] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment as RFC 3339 with an offset. Answers are in UTC, such as 2026-03-01T09:30:00Z.",
        serialize=write_time,
        parse_value=read_time,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A day of the calendar as ISO 8601, such as 2026-03-01.",
        serialize=date.isoformat,
        parse_value=read_date,
    ),
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as a text, such as "2.50".',
        serialize=write_decimal,
        parse_value=read_decimal,
        parse_literal=read_decimal_literal,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="Any JSON value.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
}
