"""JSON from outside: what is refused before it is parsed, and what is not."""

from typing import Any

import pytest

from domain.errors import BadInput
from gateway.jsons import DEEPEST, loads

READ: dict[str, tuple[str, Any]] = {
    "as deep as may be": ("[" * DEEPEST + "]" * DEEPEST, None),
    "brackets in a text": ('"' + "[{" * 1000 + '"', "[{" * 1000),
    "an escaped quote": ('["\\"[[[[", "\\\\"]', ['"[[[[', "\\"]),
    "digits in a text": ('"' + "9" * 5000 + '"', "9" * 5000),
    "the largest number of 64 bits": ("9223372036854775807", 9223372036854775807),
    "an exponent": ("[1e99, -2.5E-10]", [1e99, -2.5e-10]),
    "many lists, side by side": ("[" + "[]," * 1000 + "[]]", [[]] * 1001),
}
REFUSED: dict[str, tuple[str, str]] = {
    "too deep": ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "levels"),
    "too deep somewhere": ("[[], [" + "[[]," * DEEPEST + "1" + "]" * DEEPEST + "]]", "levels"),
    "much too deep": ('{"a":' * 50_000, "levels"),
    "a number of 5000 digits": ("9" * 5000, "number"),
    "a number of more than 64 bits": ('{"a": 100000000000000000000}', "number"),
    "a fraction of many digits": ("0." + "1" * 100, "number"),
    "a large exponent": ("1e100", "number"),
    "a small exponent": ("[1E-100]", "number"),
    "an endless exponent": ('{"a": 1e+' + "9" * 1000 + "}", "number"),
    "a text that does not end": ('"' + "a" * 1000, "not JSON"),
    "half an object": ('{"a": 1', "not JSON"),
    "nothing": ("", "not JSON"),
    "no number": ("[NaN]", "not JSON"),
}


@pytest.mark.parametrize("what", READ)
def test_it_is_read(what: str) -> None:
    text, expected = READ[what]
    found = loads(text.encode())
    assert expected is None or found == expected


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused(what: str) -> None:
    text, reason = REFUSED[what]
    with pytest.raises(BadInput, match=reason):
        loads(text.encode())
