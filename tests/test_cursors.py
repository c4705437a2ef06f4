"""Cursors: what is written is read, by whom it was written for, and by nobody else."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInput
from resolvers.cursors import BEGINNING, Cursor, CursorSigner, Gap, Position, joined

SIGNER = CursorSigner(b"a secret of the store")
LIST = b'["sales",null,[],["acme"]]'

positions = st.builds(Position, st.text(max_size=40), st.text(max_size=40))
ends = st.none() | positions
gaps = st.dictionaries(
    st.text("abcdefghij-0123456789", min_size=1, max_size=64),
    st.lists(st.builds(Gap, ends, ends), min_size=1, max_size=3),
    max_size=5,
)
cursors = st.builds(Cursor, ends, gaps)


@given(cursors)
def test_what_is_written_is_read(cursor: Cursor) -> None:
    assert SIGNER.read(SIGNER.write(cursor, LIST), LIST) == cursor


@given(cursors)
def test_another_process_with_the_same_secret_writes_the_same(cursor: Cursor) -> None:
    other = CursorSigner(b"a secret of the store")
    assert other.write(cursor, LIST) == SIGNER.write(cursor, LIST)


@given(cursors, st.binary())
def test_a_cursor_is_good_for_its_own_list_alone(cursor: Cursor, other: bytes) -> None:
    if other != LIST:
        with pytest.raises(BadInput):
            SIGNER.read(SIGNER.write(cursor, LIST), other)


@given(cursors)
def test_a_cursor_of_another_secret_is_refused(cursor: Cursor) -> None:
    with pytest.raises(BadInput):
        SIGNER.read(CursorSigner(b"of another store").write(cursor, LIST), LIST)


@given(cursors, st.data())
def test_a_cursor_with_one_bit_changed_is_refused(cursor: Cursor, data: st.DataObject) -> None:
    text = SIGNER.write(cursor, LIST)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
    forged = text[:at] + letter + text[at + 1 :]
    try:
        assert SIGNER.read(forged, LIST) == cursor  # the last letter holds bits that stand for nothing
    except BadInput:
        return
    assert forged == text or at == len(text) - 1


@pytest.mark.parametrize("text", ["", "x", "é", "=", "AAAA", "A" * 30, "A" * 1_000_000, "\0", "not a cursor"])
def test_what_never_was_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        SIGNER.read(text, LIST)


def test_no_cursor_is_the_beginning() -> None:
    assert SIGNER.read(None, LIST) == BEGINNING
    assert BEGINNING.unread("acme-coffee") == [Gap(None, None)]


def test_a_thousand_accounts_that_failed_on_one_page_fit_into_a_cursor() -> None:
    start, here = Position("2026-03-01T00:00:00.000000+00:00", "x" * 150), Position("2026-02-01", "y" * 150)
    failed: Mapping[str, Sequence[Gap]] = {f"{number:064}": [Gap(start, here)] for number in range(1000)}
    cursor = Cursor(here, failed)
    assert SIGNER.read(SIGNER.write(cursor, LIST), LIST) == cursor


def test_a_gap_that_ends_where_the_rest_begins_is_read_with_it() -> None:
    one, two, three = Position("3", "a"), Position("2", "a"), Position("1", "a")
    cursor = Cursor(three, {"all of it": [Gap(None, three)], "some": [Gap(None, one), Gap(two, three)]})
    assert cursor.unread("all of it") == [Gap(None, None)]
    assert cursor.unread("some") == [Gap(None, one), Gap(two, None)]
    assert cursor.unread("none of it") == [Gap(three, None)]
    assert joined([]) == []
