"""JSON from outside: what is too deep, or holds a number that nobody means, is refused before it is parsed."""

import re
from typing import Any

import orjson

from domain.errors import BadInput

DEEPEST = 64  # lists and objects within one another
TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
NUMBERS = re.compile(
    rb"\d{20}"  # more than fit into 64 bits
    rb"|\d[\d.]{31}"  # more digits than any decimal has that is meant
    rb"|\d[eE][+-]?\d{3}"  # more than 99 powers of ten
)
BRACKETS = re.compile(rb"[][{}]")
OPENING = b"[{"


def loads(text: bytes) -> Any:
    """Raises BadInput, without saying what the text is of."""
    bare = TEXTS.sub(b"", text)
    if NUMBERS.search(bare):
        raise BadInput("a number in the JSON is longer or larger than any that is meant")
    if _depth(bare) > DEEPEST:
        raise BadInput(f"the JSON is nested more than {DEEPEST} levels deep")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadInput("what was sent is not JSON") from None


def _depth(bare: bytes) -> int:
    """As far as it matters."""
    depth = deepest = 0
    for bracket in BRACKETS.finditer(bare):
        depth += 1 if bracket[0] in OPENING else -1
        deepest = max(deepest, depth)
        if deepest > DEEPEST:
            break
    return deepest
