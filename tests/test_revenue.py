"""The shares of a sale: whatever it is, they add up to what it brought in."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.refs import Kind, Ref
from domain.revenue import Share, scaled, shares, unscaled
from domain.sales import DispenseOutcome, Payment, PaymentMethod, Sale, SaleLine, SaleStatus
from tests.journals import sale as fact

amounts = st.decimals(0, 1_000, places=4)


def euro(amount: Decimal | str | None) -> Money | None:
    return None if amount is None else Money(Decimal(amount), "EUR")


def line(product: str | None, total: Decimal | str | None, **changed: Any) -> SaleLine:
    known: dict[str, Any] = {
        "product_ref": None if product is None else Ref(Kind.PRODUCT, "acme", product),
        "product_name": product or "",
        "position": None,
        "quantity": 1,
        "unit_price": None,
        "total": euro(total),
        "tax": None,
        "tax_rate": None,
        "dispensed": DispenseOutcome.DISPENSED,
    }
    return SaleLine(**(known | changed))


def sale(**changed: Any) -> Sale:
    found = fact("1", **changed).content
    assert isinstance(found, Sale)
    return found


def total(found: Sequence[Share]) -> Decimal:
    return unscaled(sum(share.total or 0 for share in found))


lines = st.builds(
    line,
    st.sampled_from(["a", "b", None]),
    amounts,
    quantity=st.integers(1, 3),
    tax=st.none() | amounts.map(euro),
    dispensed=st.sampled_from(DispenseOutcome),
)
payments = st.builds(Payment, method=st.sampled_from(PaymentMethod), amount=st.none() | amounts.map(euro))


@given(
    whole=amounts,
    of=st.lists(lines, max_size=4),
    paid=st.lists(payments, max_size=3),
    tax=st.none() | amounts,
    discount=st.none() | amounts,
)
def test_shares_add_up_to_the_sale(
    whole: Decimal, of: list[SaleLine], paid: list[Payment], tax: Decimal | None, discount: Decimal | None
) -> None:
    given_ = [one for one in of if one.dispensed is not DispenseOutcome.FAILED]
    found = shares(sale(total=euro(whole), lines=of, payments=paid, tax=euro(tax), discount=euro(discount)))
    assert sum(share.sales for share in found) == 1
    assert sum(share.items for share in found) == sum(one.quantity for one in given_)
    if len(given_) == len(of):
        assert total(found) == whole
        assert tax is None or unscaled(sum(share.tax or 0 for share in found)) == tax
    assert sum(share.discount or 0 for share in found) == scaled(discount or Decimal(0))
    products = [share.product for share in found if share.product is not None]
    assert len(set(products)) == len(products)


@pytest.mark.parametrize(
    "status",
    [SaleStatus.FAILED, SaleStatus.REFUNDED, SaleStatus.PENDING, SaleStatus.UNKNOWN],
    ids=lambda one: one.value,
)
def test_what_is_no_sale_brings_nothing(status: SaleStatus) -> None:
    assert shares(sale(status=status, total=euro("5.00"), lines=[line("a", "5.00")])) == []


def test_what_was_not_handed_out_is_taken_off_with_its_tax() -> None:
    failed = line("b", "2.00", tax=euro("0.20"), dispensed=DispenseOutcome.FAILED)
    told = {"tax": euro("0.50"), "lines": [line("a", "3.00", tax=euro("0.30")), failed], "status": SaleStatus.PARTIAL}
    (share,) = shares(sale(total=euro("5.50"), **told))
    assert (share.product, share.total, share.tax) == ("a", scaled(Decimal("3.30")), scaled(Decimal("0.30")))


def test_a_vendor_that_has_taken_it_off_already_is_believed() -> None:
    of = [line("a", "3.00"), line("b", "2.00", dispensed=DispenseOutcome.FAILED)]
    assert total(shares(sale(total=euro("3.00"), lines=of, status=SaleStatus.PARTIAL))) == Decimal("3.00")


def test_a_discount_is_no_products() -> None:
    found = shares(sale(total=euro("4.50"), discount=euro("0.50"), lines=[line("a", "3.00"), line("b", "2.00")]))
    told = [(share.product, unscaled(share.total or 0), share.sales) for share in found]
    assert told == [("a", Decimal("3.00"), 1), ("b", Decimal("2.00"), 0), (None, Decimal("-0.50"), 0)]


def test_each_way_of_paying_has_its_amount() -> None:
    paid = [
        Payment(method=PaymentMethod.COIN, amount=euro("1.20")),
        Payment(method=PaymentMethod.CARD, amount=euro("3.80")),
    ]
    found = shares(sale(total=euro("5.00"), lines=[line("a", "5.00")], payments=paid))
    sums = {method: total([share for share in found if share.method is method]) for method in PaymentMethod}
    assert {method: amount for method, amount in sums.items() if amount} == {
        PaymentMethod.COIN: Decimal("1.20"),
        PaymentMethod.CARD: Decimal("3.80"),
    }


def test_what_has_no_price_is_counted_alone() -> None:
    (share,) = shares(sale(lines=[line("a", None, quantity=2)]))
    assert (share.currency, share.total, share.sales, share.items) == (None, None, 1, 2)


def test_lines_stand_for_a_total_that_is_not_told() -> None:
    assert total(shares(sale(lines=[line("a", "1.25"), line("b", "2.00")]))) == Decimal("3.25")


@pytest.mark.parametrize(("amount", "text"), [("1.5", "1.50"), ("2", "2.00"), ("0.1905", "0.1905"), ("-0.5", "-0.50")])
def test_money_comes_back_as_it_was(amount: str, text: str) -> None:
    assert str(unscaled(scaled(Decimal(amount)))) == text
