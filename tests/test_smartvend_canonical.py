"""What SmartVend signs is printed as JavaScript prints it."""

import json
import re
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.smartvend.canonical import DEEPEST, _exactly, _quickly, canonical, number, value
from connectors.smartvend.canonical import _NotPlain as NotPlain
from tests.deliveries import vectors

_, VECTORS = vectors("smartvend")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,20})(?:\.[0-9]+)?(?:e[+-][1-9][0-9]*)?")

TEXTS = st.text(st.characters(exclude_categories=[]), max_size=8)
NAMES = TEXTS | st.integers(0, 2**33).map(str) | st.sampled_from(["__proto__", "a", "b", "01", "-1"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**14), 10**14) | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.from_regex(r"\A[a-zA-Z]\w{0,5}\Z"), inner, max_size=4)
    ),
    max_leaves=12,
)


def body(found: Any) -> bytes:
    """As some vendor might write it down; halves of characters can only be written as escapes."""
    return json.dumps(found).encode()


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: f"{row['id']}-{row['category']}")
def test_every_vector_is_printed_as_node_prints_it(row: dict[str, Any]) -> None:
    try:
        found = sha256(canonical(row["raw"])).hexdigest()
    except ValueError:
        assert row["canonical_sha256"] is None or row["category"] == "deep"
    else:
        assert found == row["canonical_sha256"]


@given(VALUES)
def test_what_is_canonical_stays_as_it_is(found: Any) -> None:
    once = canonical(body(found))
    assert canonical(once) == once


@given(PLAIN | VALUES)
def test_the_quick_way_prints_what_the_exact_way_prints(found: Any) -> None:
    text = body(found).decode()
    try:
        quick = _quickly(text)
    except (NotPlain, UnicodeEncodeError):
        return
    assert quick == _exactly(text)


def test_a_usual_delivery_takes_the_quick_way() -> None:
    for text in ('{"b":[1,"ж",{"a1":null}],"a":1732319999.5,"c":-0}', '{"a":{}}', '"\\u001f"', "[true]"):
        assert _quickly(text) == _exactly(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"1":0}',
        '{"é":0}',
        '{"__proto__":0}',
        '{"":0}',
        "1.0",
        "1e2",
        "1e-7",
        "1e16",
        "1" * 16,
        '"\\ud800"',
        '{"a b":0}',
    ],
)
def test_what_python_may_print_differently_takes_the_exact_way(text: str) -> None:
    with pytest.raises((NotPlain, UnicodeEncodeError)):
        _quickly(text)


@given(st.dictionaries(NAMES, st.none()))
def test_names_are_in_javascripts_order(found: dict[str, None]) -> None:
    def rank(name: str) -> tuple[bool, int, list[int]]:
        units = [unit for char in name for unit in ([ord(char)] if ord(char) < 0x10000 else halves(ord(char)))]
        index = name.isascii() and name.isdigit() and str(int(name)) == name and int(name) < 2**32 - 1
        return (not index, int(name) if index else 0, units)

    names = [name for name, _ in json.loads(canonical(body(found)), object_pairs_hook=list)]
    assert names == sorted((joined(name) for name in found if name != "__proto__"), key=rank)


def halves(code: int) -> list[int]:
    return [0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FF)]


def joined(text: str) -> str:
    """Two halves side by side are read as one character."""
    found: str = json.loads(json.dumps(text))
    return found


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_printed_with_the_fewest_digits_that_mean_it(found: float) -> None:
    text = number(found)
    assert NUMBER.fullmatch(text)
    assert float(text) == found
    assert ("e" in text) == (found != 0 and not 1e-6 <= abs(found) < 1e21)
    assert significant(text) == significant(repr(found))


def significant(text: str) -> str:
    return text.lstrip("-").partition("e")[0].replace(".", "").strip("0")


@given(st.integers(-(2**53), 2**53))
def test_a_safe_integer_is_printed_as_it_is(found: int) -> None:
    assert number(float(found)) == str(found)
    assert canonical(str(found).encode()) == str(found).encode()


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("1.0", "1"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("1e2", "100"),
        ("0.1", "0.1"),
        ("123.456", "123.456"),
        ("-1.5e-3", "-0.0015"),
        ("0.000001", "0.000001"),
        ("0.0000015", "0.0000015"),
        ("1e-7", "1e-7"),
        ("1.25E-7", "1.25e-7"),
        ("1e20", "100000000000000000000"),
        ("123456789012345678901", "123456789012345680000"),
        ("1E21", "1e+21"),
        ("-1.5e300", "-1.5e+300"),
        ("9007199254740993", "9007199254740992"),
        ("12345678901234567890", "12345678901234567000"),
        ("5e-324", "5e-324"),
        ("2.2250738585072014e-308", "2.2250738585072014e-308"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("1e400", "null"),
        ("-1e400", "null"),
        ("9" * 5000, "null"),
    ],
)
def test_numbers_have_the_forms_that_ecmascript_gives_them(sent: str, text: str) -> None:
    assert canonical(sent.encode()).decode() == text


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"a":NaN}', '{"1":Infinity}'])
def test_pythons_own_numbers_are_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        canonical(text.encode())


@pytest.mark.parametrize(
    "text",
    ["", " ", "{'a':1}", "\ufeff{}", '{"a":1}'.encode("utf-16-le").decode(), "\u0661", '{"a":1', '{"a":1}x', "[01]"],
)
def test_what_javascript_does_not_read_is_no_json(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        canonical(text.encode())


@pytest.mark.parametrize("before", ["", "[1e400,", '[{"1":0},'])
@pytest.mark.parametrize("depth", [DEEPEST + 1, 5_000, 300_000])
def test_depth_is_bounded_on_either_way(before: str, depth: int) -> None:
    end = "]" if before else ""
    with pytest.raises(ValueError, match="deep"):
        canonical((before + "[" * depth + "]" * depth + end).encode())
    shallow = "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1)
    assert canonical(shallow.encode()).decode() == shallow


def test_what_cannot_be_stored_is_replaced_in_what_is_acted_on() -> None:
    signed = canonical(b'{"a":"x\\ud800","b\\u0000":["\\\\ud800","\\ud83d\\ude00"]}')
    assert b"\\ud800" in signed
    assert value(signed) == {"a": "x�", "b�": ["\\ud800", "😀"]}
