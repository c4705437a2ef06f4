"""JSON from outside: what is too deep, or holds a number that nobody means, is refused before it is parsed."""

import re
from typing import Any

import orjson

from domain.errors import BadInput

DEEPEST = 64  # lists and objects within one another
TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
NUMBERS = re.compile(  # of more digits than fit into 64 bits, or any decimal has; or of more than 99 powers of ten
    rb"\d(?:\d{19}|[\d.]{31}|[eE][+-]?\d{3})"
)
BRACKETS = bytes.maketrans(b"{}", b"[]")
ALL_ELSE = bytes(set(range(256)) - set(b"[]{}"))


def loads(text: bytes) -> Any:
    """Raises BadInput, without saying what the text is of."""
    bare = TEXTS.sub(b"", text)
    if NUMBERS.search(bare):
        raise BadInput("a number in the JSON is longer or larger than any that is meant")
    if _is_deep(bare):
        raise BadInput(f"the JSON is nested more than {DEEPEST} levels deep")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadInput("what was sent is not JSON") from None


def _is_deep(bare: bytes) -> bool:
    """Innermost pairs are taken away again and again. What does not close is left to the parser, unless it is deep."""
    left = bare.translate(BRACKETS, ALL_ELSE)
    for _ in range(DEEPEST):
        left = left.replace(b"[]", b"")
    opened = left.count(b"[")
    return opened > DEEPEST or 0 < opened == left.count(b"]")
