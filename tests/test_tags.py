"""A fridge's stock and sales, as its tags tell them."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from connectors.eatmachine.tags import catalogue, stock, taken
from connectors.reporting import Links
from domain.facts import Fact, Observation, Scan
from domain.model import Trust, Vendor
from domain.money import Money
from domain.sales import DispenseOutcome, Sale, SaleKind, SaleStatus
from tests.deliveries import NOW, account

LINKS = Links(products={"t1": "tea", "t2": "tea", "w1": "water", "w2": "water"}, names={"tea": "Tea", "water": "Still"})
UNPRICED = account(Vendor.EATMACHINE)
PRICED = account(Vendor.EATMACHINE, prices={"tea": Decimal("1.10"), "Still": Decimal("0.85")})
LATER = NOW + timedelta(seconds=7)
TAGS = st.frozensets(st.sampled_from(["t1", "t2", "w1", "w2", "x1", "x2"]))


def scanned(*tags: str, opening: str | None = "opening-1") -> Observation:
    return Observation(machine="fridge-1", at=NOW, scan=Scan(tags=frozenset(tags), opening=opening))


def sale(fact: Fact | None) -> Sale:
    assert fact is not None
    assert isinstance(fact.content, Sale)
    return fact.content


def lines(found: Sale) -> Mapping[str, int]:
    return {line.product_name: line.quantity for line in found.lines}


def test_tags_that_left_during_an_opening_are_a_sale() -> None:
    fact = taken(UNPRICED, scanned("t1", "n1"), frozenset({"t1", "t2", "w1", "w2"}), LINKS, LATER)
    found = sale(fact)
    assert fact is not None
    assert (fact.identity, fact.machine, fact.recorded_at, fact.occurred_at) == ("opening-1", "fridge-1", LATER, NOW)
    assert (found.kind, found.status, found.trust) == (SaleKind.PURCHASE, SaleStatus.COMPLETED, Trust.DERIVED)
    assert lines(found) == {"Still": 2, "Tea": 1}
    assert [line.product_ref and line.product_ref.native for line in found.lines] == ["water", "tea"]
    assert {line.dispensed for line in found.lines} == {DispenseOutcome.DISPENSED}


def test_without_an_opening_or_an_earlier_scan_nothing_is_sold() -> None:
    before = frozenset({"t1", "t2"})
    assert taken(PRICED, scanned("t1", opening=None), before, LINKS, LATER) is None
    assert taken(PRICED, scanned("t1"), None, LINKS, LATER) is None
    assert taken(PRICED, scanned("t1", "t2", "w1"), before, LINKS, LATER) is None
    assert taken(PRICED, replace(scanned("t1"), scan=None), before, LINKS, LATER) is None
    assert lines(sale(taken(PRICED, scanned(), before, LINKS, LATER))) == {"Tea": 2}


def test_tags_of_no_known_product_are_one_line_in_plain_words() -> None:
    found = sale(taken(PRICED, scanned(), frozenset({"x1", "x2", "t1"}), LINKS, LATER))
    assert lines(found) == {"Tea": 1, "Unknown product": 2}
    assert [(line.product_ref is None, line.unit_price is None) for line in found.lines] == [
        (False, False),
        (True, True),
    ]
    assert found.total is None


def test_prices_come_from_the_configured_list_by_id_or_by_name() -> None:
    found = sale(taken(PRICED, scanned(), frozenset({"t1", "t2", "w1"}), LINKS, LATER))
    assert [(line.unit_price, line.total) for line in found.lines] == [
        (Money(Decimal("0.85"), "EUR"), Money(Decimal("0.85"), "EUR")),
        (Money(Decimal("1.10"), "EUR"), Money(Decimal("2.20"), "EUR")),
    ]
    assert found.total == Money(Decimal("3.05"), "EUR")
    for poor in (UNPRICED, replace(PRICED, currency=None)):
        unpriced = sale(taken(poor, scanned(), frozenset({"t1"}), LINKS, LATER))
        assert (unpriced.lines[0].unit_price, unpriced.lines[0].total, unpriced.total) == (None, None, None)


def test_a_slot_is_a_product_and_counts_its_tags() -> None:
    found = stock(PRICED, "fridge-1", frozenset({"t1", "t2", "w1", "x1"}), LINKS, NOW)
    assert [(slot.position, slot.quantity) for slot in found] == [("water", 1), ("tea", 2), ("unknown", 1)]
    assert [slot.product_ref and slot.product_ref.native for slot in found] == ["water", "tea", None]
    assert [slot.price and slot.price.amount for slot in found] == [Decimal("0.85"), Decimal("1.10"), None]
    assert {(slot.machine_ref.native, slot.observed_at) for slot in found} == {("fridge-1", NOW)}
    assert stock(PRICED, "fridge-1", frozenset(), LINKS, NOW) == []


def test_a_slot_keeps_its_place_and_its_id_when_its_product_is_renamed() -> None:
    renamed = replace(LINKS, names={"tea": "Iced tea"})
    before, after = (stock(UNPRICED, "fridge-1", frozenset({"t1"}), links, NOW) for links in (LINKS, renamed))
    assert [(slot.ref, slot.position) for slot in before] == [(slot.ref, slot.position) for slot in after]


def test_the_catalogue_is_what_tags_were_linked_to() -> None:
    links = replace(LINKS, products={**LINKS.products, "b1": "nameless"})
    found = catalogue(PRICED, links)
    assert [(product.vendor_id, product.name) for product in found] == [
        ("water", "Still"),
        ("tea", "Tea"),
        ("nameless", "nameless"),
    ]
    assert [product.price and product.price.amount for product in found] == [Decimal("0.85"), Decimal("1.10"), None]


@given(TAGS, TAGS)
def test_every_tag_that_left_is_sold_once_and_every_tag_inside_is_in_stock_once(
    before: frozenset[str], after: frozenset[str]
) -> None:
    fact = taken(PRICED, scanned(*after), before, LINKS, LATER)
    assert sum(lines(sale(fact)).values()) == len(before - after) if before - after else fact is None
    counted: Collection[int | None] = [slot.quantity for slot in stock(PRICED, "fridge-1", after, LINKS, NOW)]
    assert sum(count or 0 for count in counted) == len(after)
    assert None not in counted
