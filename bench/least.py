"""What the vendors' APIs allow at best: the fewest requests, and the longest chain of them.

The least is what somebody would send who knew every answer beforehand: the largest pages, the right window of time
at the first try, nothing twice, and the logins. The chain is the longest run of requests of which each needs the
answer before: a token, then a list, then what belongs to its things. A page counts into the chain only where the one
before is what tells how to ask for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from math import ceil
from typing import Any

from bench.queries import Query

Rows = Mapping[str, Sequence[Any]]
PAGE = 100  # the largest of Livello, VendNovation and SmartEPI
SMARTVEND_PAGE = 1000
LAST = 10  # sales of a machine that a query shows below it


@dataclass(frozen=True, slots=True)
class Cost:
    requests: int = 0
    chain: int = 0

    def then(self, other: "Cost") -> "Cost":
        return Cost(self.requests + other.requests, self.chain + other.chain)

    def beside(self, *others: "Cost") -> "Cost":
        costs = (self, *others)
        return Cost(sum(cost.requests for cost in costs), max(cost.chain for cost in costs))


NOTHING, ONE = Cost(), Cost(1, 1)


def counted(rows: int, page: int = PAGE) -> Cost:
    """A list whose first page tells how many there are: the others can be asked for at once."""
    pages = max(1, ceil(rows / page))
    return Cost(pages, min(pages, 2))


def numbered(rows: int) -> Cost:
    """A list without a total, that ends with a page which is not full: pages can be asked for before that is known."""
    return Cost(rows // PAGE + 1, 1)


def linked(rows: int) -> Cost:
    """A list in which only a page tells how to ask for the next."""
    pages = max(1, ceil(rows / PAGE))
    return Cost(pages, pages)


def apiece(machines: Sequence[Any]) -> Cost:
    """A request for each, all at once."""
    return Cost(len(machines), min(len(machines), 1))


@dataclass(frozen=True, slots=True)
class Needed:
    """What a query needs of one vendor: `truth` is all that it holds, and these are the parts that are shown.

    `below`: rows that a list of the machines' sales has down to the oldest that is shown."""

    wants: frozenset[str]
    truth: Rows
    machines: Sequence[Any]
    slots: int
    records: int
    below: int

    def if_wanted(self, kind: str, cost: Cost) -> Cost:
        return cost if kind in self.wants else NOTHING

    def if_catalogued(self, cost: Cost) -> Cost:
        """Products are read for their own sake, or for the slots of those machines that have any."""
        return cost if "products" in self.wants and ("slots" not in self.wants or self.machines) else NOTHING

    def sales_of(self, whole: Callable[[int], Cost]) -> Cost:
        """Those below machines: in one list of all of them, or in a list for each, whatever is less."""
        if not self.machines or "sales" not in self.wants:
            return NOTHING
        together, apart = whole(self.below), apiece(self.machines)
        return min(together, apart, key=lambda cost: cost.requests)


@dataclass(frozen=True, slots=True)
class Stages:
    """What can be asked for at once, and what needs the machines that were found."""

    first: Cost
    below: Cost = NOTHING


def _smartvend(need: Needed) -> Stages:
    """No login; a matrix for each machine; the texts of events are there from the start."""
    records = counted(need.records, SMARTVEND_PAGE)
    first = need.if_wanted("machines", ONE).beside(
        need.if_catalogued(ONE),
        need.if_wanted("sales", records) if not need.machines else NOTHING,
        need.if_wanted("events", records),
    )
    sales = need.sales_of(lambda rows: counted(rows, SMARTVEND_PAGE))
    return Stages(first, need.if_wanted("slots", apiece(need.machines)).beside(sales))


def _livello(need: Needed) -> Stages:
    """An inventory for each kiosk; a kiosk's location is its organization's."""
    records = counted(need.records)
    first = need.if_wanted("machines", counted(len(need.truth["machines"]))).beside(
        need.if_catalogued(counted(len(need.truth["products"]))),
        counted(len(need.truth["organizations"])) if need.wants & {"organizations", "places"} else NOTHING,
        need.if_wanted("sales", records) if not need.machines else NOTHING,
        need.if_wanted("events", records),
    )
    return Stages(ONE.then(first), need.if_wanted("slots", apiece(need.machines)).beside(need.sales_of(counted)))


def _vendnovation(need: Needed) -> Stages:
    """Selections of many machines in one list."""
    records = numbered(need.records)
    first = need.if_wanted("machines", numbered(len(need.truth["machines"]))).beside(
        need.if_catalogued(numbered(len(need.truth["products"]))),
        need.if_wanted("organizations", numbered(len(need.truth["organizations"]))),
        need.if_wanted("places", numbered(len(need.truth["sites"]))),
        need.if_wanted("sales", records) if not need.machines else NOTHING,
        need.if_wanted("events", records),
    )
    slots = numbered(need.slots) if need.machines else NOTHING
    return Stages(ONE.then(first), need.if_wanted("slots", slots).beside(need.sales_of(numbered)))


def _smartepi(need: Needed) -> Stages:
    """Machines are known from their transactions only: all three lists are read, and the sales known with them."""
    statuses = ("withdrawalStatus", "returnStatus", "exchangeStatus")
    products = need.if_catalogued(linked(len(need.truth["products"])))
    if "machines" in need.wants:
        return Stages(products.beside(*(linked(sum(it in row for row in need.truth["sales"])) for it in statuses)))
    return Stages(products.beside(need.if_wanted("sales", Cost(max(3, ceil(need.records / PAGE)), 1))))


VENDORS: Mapping[str, Callable[[Needed], Stages]] = {
    "smartvend": _smartvend,
    "livello": _livello,
    "vendnovation": _vendnovation,
    "smartepi": _smartepi,
}
# Of a vendor's sale: which machine's it is, and when it was recorded.
SOLD: Mapping[str, Callable[[Any], tuple[str, float]]] = {
    "smartvend": lambda row: (row["controllerId"], float(row["createdAt"])),
    "livello": lambda row: (row["kiosk"]["serialNumber"], datetime.fromisoformat(row["created"]).timestamp()),
    "vendnovation": lambda row: (str(row["machineId"]), _moment(row["recordedAtUtc"])),
}


def _moment(text: str) -> float:
    whole, _, fraction = text.partition(".")
    return datetime.fromisoformat(whole + "+00:00").timestamp() + float(f"0.{fraction or 0}")


def least(query: Query, truth: Mapping[str, Rows], data: Any) -> tuple[Mapping[str, int], int]:
    """The fewest requests to each vendor, and the longest chain, for a query that was answered with `data`."""
    stages = {vendor: of(_needed(vendor, query, truth[vendor], data)) for vendor, of in VENDORS.items()}
    requests = {vendor: one.first.then(one.below).requests for vendor, one in stages.items()}
    if query.picks:
        chain = max(one.first.chain for one in stages.values()) + max(one.below.chain for one in stages.values())
    else:
        chain = max(one.first.then(one.below).chain for one in stages.values())
    return requests, chain


def _needed(vendor: str, query: Query, truth: Rows, data: Any) -> Needed:
    flat = [record for kind in ("sales", "events") for record in data.get(kind, {}).get("nodes", ())]
    nodes = data.get("machines", {}).get("nodes", ())
    mine = [one for one in nodes if one["vendor"] == vendor.upper() and one.get("slots") is not None]
    return Needed(
        query.wants,
        truth,
        mine,
        sum(len(machine["slots"]) for machine in mine),
        sum(record["vendor"] == vendor.upper() for record in flat),
        _rows_below(vendor, truth, {machine["vendorId"] for machine in mine if "sales" in machine}),
    )


def _rows_below(vendor: str, truth: Rows, machines: Iterable[str]) -> int:
    """How long a list of these machines' sales, newest first, has to be to hold the last ten of each."""
    times: dict[str, list[float]] = {machine: [] for machine in machines}
    for machine, moment in map(SOLD[vendor], truth["sales"]) if times else ():
        times.get(machine, []).append(moment)
    down_to = min((_last(found) for found in times.values()), default=0.0)
    return reduce(lambda rows, found: rows + sum(at >= down_to for at in found), times.values(), 0)


def _last(moments: Sequence[float]) -> float:
    """When the tenth newest was; a machine with fewer is read to its end."""
    return sorted(moments, reverse=True)[LAST - 1] if len(moments) >= LAST else 0.0
