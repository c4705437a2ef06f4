"""What the webhooks of all vendors have in common: bodies that anybody may have written, and facts to be told apart."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from typing import Any

from connectors.body import DEEPEST, depth

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # no database takes a NUL, and no UTF-8 half a character
ESCAPE = b"\\u"  # the only way in for either


def read(body: bytes) -> Any:
    """The JSON of a delivery. Raises ValueError, which UnicodeDecodeError is, where there is none."""
    try:
        found = json.loads(body.decode(), parse_constant=refused, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if body.count(b"[") + body.count(b"{") > DEEPEST and depth(found) > DEEPEST:
        raise ValueError("it is nested too deeply")
    return storable(found) if ESCAPE in body else found


def refused(constant: str) -> Any:
    """NaN and the infinities are Python's JSON, and nobody else's."""
    raise ValueError(f"{constant} is no number")


def _finite(text: str) -> float | None:
    found = float(text)
    return found if isfinite(found) else None


def storable(value: Any) -> Any:
    """With U+FFFD for every character that can be escaped in JSON but neither stored nor sent."""
    if isinstance(value, str):
        return UNSTORABLE.sub("�", value)
    if isinstance(value, Mapping):
        return {storable(key): storable(item) for key, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value


def digest(*parts: Any) -> str:
    """The same for the same JSON, however it was written down."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
