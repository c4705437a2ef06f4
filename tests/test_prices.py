"""Prices as JSON numbers: exact, or refused."""

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.prices import check_amount, check_currency, major
from domain.errors import BadInput
from domain.money import Money


@given(st.integers(0, 10**15 - 1))
def test_every_amount_in_hundredths_is_written_exactly(cents: int) -> None:
    amount = Decimal(cents).scaleb(-2)
    written = orjson.dumps(major(amount)).decode()
    assert Decimal(written) == amount
    assert "e" not in written.casefold()


@pytest.mark.parametrize(
    ("amount", "written"),
    [("1.79", "1.79"), ("0", "0"), ("-0", "0"), ("2.00", "2"), ("1.7900", "1.79"), ("1E+2", "100"), ("4.35", "4.35")],
)
def test_numbers_are_written_as_people_write_them(amount: str, written: str) -> None:
    assert orjson.dumps(major(Decimal(amount))).decode() == written


IMPOSSIBLE = ["-0.01", "-5", "NaN", "-NaN", "sNaN", "Infinity", "-Infinity", "1e99", "1e13", "-1e99"]


@pytest.mark.parametrize("amount", IMPOSSIBLE)
def test_what_can_be_no_price_is_refused(amount: str) -> None:
    for check in (major, check_amount):
        with pytest.raises(BadInput):
            check(Decimal(amount))


@pytest.mark.parametrize("amount", ["1.005", "0.001", "1e-3", "1e-400", "0.1000000000000000055511151231257827"])
def test_what_is_finer_than_hundredths_is_refused_and_never_rounded(amount: str) -> None:
    check_amount(Decimal(amount))
    with pytest.raises(BadInput):
        major(Decimal(amount))


@pytest.mark.parametrize("currency", ["USD", None])
def test_a_price_in_another_currency_is_refused(currency: str | None) -> None:
    check_currency(Money(Decimal(1), "EUR"), "EUR")
    with pytest.raises(BadInput):
        check_currency(Money(Decimal(1), "EUR"), currency)
