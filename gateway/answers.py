"""Answers as they go out: JSON that any client can read, whatever stands in a vendor's own record."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson
from starlette.responses import Response


def response(answer: Mapping[str, Any], status: int, media: str, headers: Mapping[str, str]) -> Response:
    """Raises TypeError, ValueError or RecursionError for what is no JSON."""
    return Response(encoded(answer), status, media_type=f"{media}; charset=utf-8", headers=dict(headers))


def encoded(answer: Mapping[str, Any]) -> bytes:
    """By orjson, or, where it will not have a number of more than 64 bits or so many levels, by the slower way."""
    try:
        return orjson.dumps(answer, default=_exact)
    except TypeError:
        return json.dumps(_finite(answer), default=_exact, allow_nan=False).encode()


async def objects_in(data: Any) -> int:
    """How many there are in an answer. Others have their turn while a large one is counted."""
    count, level = 0, [data]
    while level:
        below: list[Any] = []
        for begin in range(0, len(level), STRETCH):
            if begin:
                await asyncio.sleep(0)
            values = level[begin : begin + STRETCH]
            objects = [value for value in values if type(value) is dict]
            count += len(objects)
            below += [one for value in objects for one in value.values() if type(one) is dict or type(one) is list]
            lists = (value for value in values if type(value) is list)
            below += [one for value in lists for one in value if type(one) is dict or type(one) is list]
        level = below
    return count


async def in_bytes(data: Any) -> tuple[bytes, int]:
    """A part of an answer as JSON, and how many objects are in it. Raises as `written`."""
    objects = await objects_in(data)
    return await written(data, objects), objects


async def written(data: Any, objects: int) -> bytes:
    """As `encoded`, of an answer of so many objects: a large one in pieces, between which others have their turn.

    Raises TypeError, ValueError or RecursionError for what is no JSON."""
    if objects <= STRETCH:
        return encoded(data)
    pieces, since = list[bytes](), 0
    try:
        for piece in _pieces(data, SPLIT):
            pieces.append(piece)
            since += len(piece)
            if since > LONG:
                since = 0
                await asyncio.sleep(0)
    except TypeError:
        return encoded(data)
    return b"".join(pieces)


def _pieces(value: Any, levels: int) -> Iterator[bytes]:
    """JSON, in the order in which it is put together. `levels`: how many may still be taken apart."""
    if levels and isinstance(value, dict) and value:
        for at, (name, one) in enumerate(value.items()):
            yield (b"," if at else b"{") + orjson.dumps(name) + b":"
            yield from _pieces(one, levels - 1)
        yield b"}"
    elif levels and isinstance(value, list) and len(value) > ITEMS:
        for begin in range(0, len(value), ITEMS):
            yield b"," if begin else b"["
            yield orjson.dumps(value[begin : begin + ITEMS], default=_exact)[1:-1]
        yield b"]"
    else:
        yield orjson.dumps(value, default=_exact)


STRETCH = 10_000  # objects that are dealt with in one go
SPLIT = 3  # levels: of a field at the root, its connection, and the list in that
ITEMS = 100  # of a list, in one piece
LONG = 262_144  # bytes in one go


def _exact(value: Any) -> str:
    """Decimals in a vendor's record go as text, like those of the graph."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _finite(value: Any) -> Any:
    """What is no number is null, as orjson writes it; what was written already is read once more."""
    if isinstance(value, orjson.Fragment):
        return json.loads(value.contents)
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
