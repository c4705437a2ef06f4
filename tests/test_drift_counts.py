"""What differs is counted by what it was, told once, and never repeats what is nobody's business."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from connectors.drift import OTHER_WORD, WORDS, Drifts, checks
from connectors.shapes import TEXT, Members, Rows, Words
from domain.drift import Drift, DriftKind, joined
from tests.shaped import SHAPES

CHECKS = {vendor: checks(shapes) for vendor, shapes in SHAPES.items()}
OPERATIONS = [(vendor, operation) for vendor, known in SHAPES.items() for operation in known]
THING = Members({"id!": TEXT, "name": TEXT, "note?": TEXT, "state": Words(("open", "shut"), str.casefold)})
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("data", "items", "id", "type", "result", "success", "fridge")), inner)
    ),
    max_leaves=20,
)
WORDS_OF_OURS = frozenset(
    {
        "nothing",
        "null",
        "true or false",
        "a number",
        "a text",
        "a list",
        "an object",
        "a text of another form",
        "a text that is no word",
        OTHER_WORD,
    }
)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def compared(*answers: Any, drifts: Drifts | None = None) -> Sequence[Drift]:
    drifts = drifts or Drifts(checks({"list-things": Rows(THING)}))
    for answer in answers:
        drifts.look("acme-kiosks", "livello", "list-things", answer)
    return drifts.seen


def told(*answers: Any) -> list[tuple[str, str, str, int]]:
    return [(one.path, one.kind.value, one.seen, one.count) for one in compared(*answers)]


GOOD = {"id": "1", "name": None, "state": "open", "colour": "green"}


def test_what_is_as_it_was_taken_to_be_is_no_drift() -> None:
    assert told([GOOD, {**GOOD, "state": "SHUT", "note": "a"}, {**GOOD, "note": None, "state": None}], []) == []


def test_each_member_that_differs_is_counted_by_what_it_is_instead() -> None:
    odd = {"id": None, "state": "ajar", "note": 7}
    assert told([GOOD, odd, odd], [{**odd, "id": 5}], {"message": "no list"}) == [
        ("[].id", "MISSING", "null", 2),
        ("[].name", "MISSING", "nothing", 3),
        ("[].note", "RETYPED", "a number", 3),
        ("[].state", "UNKNOWN_WORD", "ajar", 3),
        ("[].id", "RETYPED", "a number", 1),
        ("", "RETYPED", "an object", 1),
    ]


def test_an_operation_without_a_shape_is_not_looked_at() -> None:
    drifts = Drifts(checks({"list-things": Rows(THING)}))
    drifts.look("acme-kiosks", "livello", "list-others", {"anything": 1})
    Drifts().look("acme-kiosks", "livello", "list-things", 7)
    assert not drifts.seen


def test_when_it_was_met_first_and_last_and_how_often() -> None:
    clock = Clock()
    drifts = Drifts(checks({"list-things": Rows(THING)}), clock)
    (first,) = compared([{**GOOD, "state": "ajar"}], drifts=drifts)
    clock.now = NOON + timedelta(hours=1)
    (later,) = compared([{**GOOD, "state": "ajar"}] * 4, drifts=drifts)
    assert (first.count, first.first_seen_at, first.last_seen_at) == (1, NOON, NOON)
    assert (later.count, later.first_seen_at, later.last_seen_at) == (5, NOON, clock.now)
    assert later.fingerprint == first.fingerprint
    assert drifts.counts == {("list-things", DriftKind.UNKNOWN_WORD): 5}


def test_a_fingerprint_is_of_the_difference_and_not_of_the_account() -> None:
    one, other, elsewhere = (Drifts(checks({"list-things": Rows(THING)})) for _ in range(3))
    one.look("acme-kiosks", "livello", "list-things", [{**GOOD, "state": "ajar"}])
    other.look("other-kiosks", "livello", "list-things", [{**GOOD, "state": "ajar"}, {**GOOD, "state": "broken"}])
    elsewhere.look("acme-vending", "vendnovation", "list-things", [{**GOOD, "state": "ajar"}])
    (mine,), (same, broken), (vendors,) = one.seen, other.seen, elsewhere.seen
    assert mine.fingerprint == same.fingerprint
    assert len({mine.fingerprint, broken.fingerprint, vendors.fingerprint}) == 3


@pytest.mark.parametrize(
    "value",
    ["ada@example.com", "Ada Albers", "4111111111111111", "T-12345678", "+49 211 123", "sk_live_" + "x" * 40, "é", ""],
)
def test_only_what_can_be_nothing_but_a_word_is_repeated(value: str) -> None:
    (one,) = compared([{**GOOD, "state": value}])
    assert (one.kind, one.seen) == (DriftKind.UNKNOWN_WORD, "a text that is no word")


@settings(max_examples=60)
@given(which=st.sampled_from(OPERATIONS), answer=JSON)
def test_no_answer_is_too_odd_and_none_of_it_is_repeated_but_words(which: tuple[str, str], answer: Any) -> None:
    vendor, operation = which
    drifts = Drifts(CHECKS[vendor])
    drifts.look("acme", vendor, operation, answer)
    for one in drifts.seen:
        assert one.seen in WORDS_OF_OURS or (one.kind is DriftKind.UNKNOWN_WORD and one.seen.isascii())


def test_words_without_end_take_no_room_without_end() -> None:
    seen = compared([{**GOOD, "state": f"w{number}"} for number in range(500)])
    assert len(seen) == WORDS + 1
    assert (seen[-1].seen, seen[-1].count) == (OTHER_WORD, 500 - WORDS)


def test_what_is_new_is_logged_once_and_what_was_known_is_not() -> None:
    drifts = Drifts(checks({"list-things": Rows(THING)}))
    with capture_logs() as logged:
        seen = compared([{**GOOD, "state": "ajar"}] * 3, [{**GOOD, "state": "ajar"}], drifts=drifts)
    (line,) = logged
    assert (line["account"], line["operation"], line["path"]) == ("acme-kiosks", "list-things", "[].state")
    assert (line["kind"], line["seen"], line["fingerprint"]) == ("UNKNOWN_WORD", "ajar", seen[0].fingerprint)
    after = Drifts(checks({"list-things": Rows(THING)}))
    after.begin(seen)
    with capture_logs() as logged:
        compared([{**GOOD, "state": "ajar"}], drifts=after)
    assert logged == []


def test_what_is_kept_is_not_told_again() -> None:
    drifts = Drifts(checks({"list-things": Rows(THING)}))
    compared([{**GOOD, "state": "ajar"}] * 2, drifts=drifts)
    untold = drifts.untold
    compared([{**GOOD, "state": "ajar"}], drifts=drifts)
    drifts.told(untold)
    assert [one.count for one in untold] == [2]
    assert [one.count for one in drifts.untold] == [1]
    assert [one.count for one in joined(untold, drifts.untold)] == [3]
