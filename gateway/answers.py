"""Answers as they go out: JSON that any client can read, whatever stands in a vendor's own record."""

import json
from collections.abc import Mapping
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


def _exact(value: Any) -> str:
    """Decimals in a vendor's record go as text, like those of the graph."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


def _finite(value: Any) -> Any:
    """What is no number is null, as orjson writes it."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
