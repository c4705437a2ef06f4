"""What every parse module reads with: exactly, or not at all."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.parsing import cents, iso, money, need, need_iso, number, stamp, text, unix, whole, without, word
from domain.money import Money, from_cents
from domain.times import EPOCH

# What vendors mean by an amount: up to fifteen digits, which a double carries exactly.
AMOUNTS = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=4)
MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NO_NUMBERS: tuple[Any, ...] = (
    True, False, float("nan"), float("inf"), float("-inf"), "NaN", "sNaN", "-NaN1", "Infinity", "-inf",
    "1e400", "1e-400", "0e999999999", "1e999999999", "9" * 19, "0." + "1" * 25, 10**18, 1e300,
    "one", "1.5.2", "1,5", "0x10", "--1", " ", [], [1], {}, {"a": 1}, b"1",
)  # fmt: skip


@given(AMOUNTS)
def test_a_number_is_the_same_as_text_and_as_json(amount: Decimal) -> None:
    assert number(str(amount)) == amount
    assert number(orjson.loads(str(amount))) == amount
    assert type(number(float(amount))) is Decimal


@given(st.floats(-(10.0**17), 10.0**17))
@example(4.440892098500626e-16)
@example(-0.0)
def test_a_double_is_read_by_what_was_written(value: float) -> None:
    found = number(value) if value == 0 or abs(value) > 1e-22 else Decimal(0)
    assert found is not None
    assert float(found) == value or abs(value) <= 1e-22


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_a_whole_number_is_the_same_in_every_form(value: int) -> None:
    assert [whole(form) for form in (value, str(value), f" {value} ")] == [value] * 3
    if abs(value) < 10**15:
        assert [whole(form) for form in (f"{value}.0", float(value), f"{value}e0")] == [value] * 3


@given(AMOUNTS.filter(lambda amount: amount != amount.to_integral_value()))
def test_a_broken_number_is_no_whole_one(amount: Decimal) -> None:
    with pytest.raises(ValueError, match="whole"):
        whole(str(amount))


@pytest.mark.parametrize(
    "read", [number, whole, unix, lambda value: cents(value, "EUR"), lambda value: money(value, "EUR")]
)
@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: repr(value)[:20])
def test_what_is_no_number_is_refused(read: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        read(value)


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_no_number_and_no_money(value: Any) -> None:
    assert [number(value), whole(value), cents(value, "EUR"), money(value, "EUR"), iso(value), text(value)] == [
        None
    ] * 6
    for read in (unix, need, need_iso):
        with pytest.raises(ValueError, match="missing"):
            read(value)


@given(AMOUNTS, st.sampled_from(["EUR", "JPY", "KWD"]))
def test_money_is_exact(amount: Decimal, currency: str) -> None:
    assert money(str(amount), currency) == Money(amount, currency)
    assert money(orjson.loads(str(amount)), currency) == Money(amount, currency)
    assert money(str(amount), None) is None


@given(st.integers(-(10**17), 10**17))
def test_cents_are_hundredths_exactly(value: int) -> None:
    for form in (value, str(value)):
        found = cents(form, "EUR")
        assert found == from_cents(value, "EUR")
        assert found is not None
        assert found.amount * 100 == value
        assert found.amount.as_tuple().exponent == -2
    assert cents(value, None) is None


@given(MOMENTS)
def test_a_unix_time_is_exact_to_the_microsecond(moment: datetime) -> None:
    microseconds = (moment - EPOCH) // timedelta(microseconds=1)
    seconds = Decimal(microseconds).scaleb(-6)
    assert unix(str(seconds)) == moment
    assert unix(str(seconds * 1000)) == moment
    for form in (int(seconds), str(int(seconds)), int(seconds) * 1000, str(int(seconds) * 1000)):
        assert unix(form) == moment.replace(microsecond=0)
    assert unix(str(seconds)).tzinfo is UTC


@pytest.mark.parametrize("value", [10**17, "-" + "9" * 17, 253402300800])
def test_a_time_beyond_the_calendar_is_refused_or_counts_milliseconds(value: Any) -> None:
    try:
        found = unix(value)
    except (ValueError, ArithmeticError):
        return
    assert found < datetime(1979, 1, 1, tzinfo=UTC)


@given(MOMENTS, OFFSETS)
def test_a_moment_is_the_same_from_every_zone(moment: datetime, offset: timezone) -> None:
    found = iso(moment.astimezone(offset).isoformat())
    assert found == moment
    assert found is not None
    assert found.tzinfo is UTC
    assert need_iso(moment.isoformat().replace("+00:00", "Z")) == moment
    assert need_iso(moment.replace(tzinfo=None).isoformat()) == moment


@given(MOMENTS, st.text("0123456789", min_size=1, max_size=12))
def test_a_fraction_may_have_any_number_of_digits(moment: datetime, digits: str) -> None:
    whole_seconds = moment.replace(microsecond=0)
    wanted = whole_seconds + timedelta(microseconds=int(digits[:6].ljust(6, "0")))
    for zone in ("", "Z", "+00:00"):
        assert iso(f"{whole_seconds.replace(tzinfo=None).isoformat()}.{digits}{zone}") == wanted


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000+02:00"])
def test_the_first_year_means_never(value: str) -> None:
    assert iso(value) is None


@given(st.one_of(st.text(), st.integers(), st.booleans(), st.floats(), st.lists(st.integers())))
@example("9999-12-31T23:59:59-14:00")
def test_what_is_no_moment_is_refused(value: Any) -> None:
    """And never in a way that a record cannot be blamed for."""
    try:
        found = iso(value)
    except (ValueError, TypeError, ArithmeticError):
        return
    assert found is None or found.tzinfo is UTC


@given(st.one_of(st.text(min_size=1), st.integers()))
def test_an_id_is_text_whether_it_comes_as_text_or_number(value: str | int) -> None:
    assert text(value) == need(value) == str(value)


@pytest.mark.parametrize("value", [{}, [], {"id": 1}, ["a"]])
def test_a_text_is_no_structure(value: Any) -> None:
    assert text(value) is None
    with pytest.raises(ValueError, match="missing"):
        need(value)


@given(st.one_of(st.text(), st.integers(0, 10**20).map(str)))
@example("٣")
@example("²")
@example("-1")
def test_a_stamp_is_digits_and_no_more_of_them_than_a_calendar_has(digits: str) -> None:
    found = stamp(digits)
    if found is None:
        assert len(digits) > 13 or not digits or set(digits) - set("0123456789")
    else:
        assert datetime.fromtimestamp(found / 1000, UTC).year < 2300
        assert str(found) == digits.lstrip("0") or found == 0


@given(
    st.one_of(
        st.none(), st.text(), st.integers(), st.booleans(), st.lists(st.text()), st.dictionaries(st.text(), st.text())
    )
)
def test_a_word_is_what_it_means_or_otherwise(value: Any) -> None:
    words = {"on": 1, "off": 2}
    assert word(words, value, 0) == (words[value] if isinstance(value, str) and value in words else 0)
    truths = {True: 1, False: 2}
    assert word(truths, value, 0) == (truths[value] if isinstance(value, bool) else 0)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from("abc"), JSON))
def test_what_holds_a_secret_is_left_out_at_any_depth_and_nothing_else_is(row: dict[str, Any]) -> None:
    found = orjson.dumps(without(row, frozenset({"a"})), option=orjson.OPT_SORT_KEYS)
    assert b'"a":' not in found
    assert without(row, frozenset()) == row
    assert without(orjson.loads(found), frozenset({"a"})) == orjson.loads(found)
