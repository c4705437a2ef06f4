"""What came into a fridge and left it between two scans, product by product."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from connectors.base import Account
from connectors.eatmachine.tags import counted, name_of, position_of
from connectors.reporting import Links
from domain.facts import Fact, Observation, Scan, recorded
from domain.model import Trust, Vendor
from domain.refs import Kind
from domain.stock import MovementKind, StockMovement

Tags = frozenset[str]


def moved(account: Account, scan: Fact, before: Tags | None, links: Links, now: datetime) -> Sequence[Fact]:
    """Nothing without an earlier scan: what a fridge held by then, nobody knows.

    What leaves during a customer's opening is taken; a person who fills it up opens it just so, so that what comes in
    is a restock whoever it was."""
    seen = scan.content
    if not isinstance(seen, Observation) or seen.scan is None or before is None:
        return ()
    return [
        recorded(one.ref.native, one) for one in _movements(account, scan.identity, seen, seen.scan, before, links, now)
    ]


def _movements(
    account: Account, identity: str, seen: Observation, scan: Scan, before: Tags, links: Links, now: datetime
) -> Iterator[StockMovement]:
    left = MovementKind.REMOVAL if scan.opening is None else MovementKind.TAKE
    levels = Counter(links.products.get(tag) for tag in scan.tags)
    for kind, sign, tags in ((left, -1, before - scan.tags), (MovementKind.RESTOCK, 1, scan.tags - before)):
        for product, count in counted(tags, links):
            place = position_of(product)
            yield StockMovement(
                ref=account.to(Kind.STOCK_MOVEMENT, f"{identity}/{kind.value.lower()}/{place}"),
                kind=kind,
                machine_ref=account.to(Kind.MACHINE, seen.machine),
                vendor=Vendor.EATMACHINE,
                vendor_id=identity,
                position=place,
                product_ref=None if product is None else account.to(Kind.PRODUCT, product),
                product_name=name_of(product, links),
                delta=sign * count,
                level=levels[product],
                recorded_at=now,
                occurred_at=seen.at,
                person=None,
                trust=Trust.DERIVED,
                vendor_data=None,
            )
