"""A vendor's answers change, a member at a time: its own record is all that is lost, and it is told which member it
was."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.drift import Drifts, checks
from connectors.registry import OPERATIONS
from connectors.shapes import Rows
from domain.drift import DriftKind
from domain.errors import VendorError
from domain.model import Vendor
from domain.times import Span
from sandbox.faults import Fault
from sandbox.world import World
from tests.shaped import SHAPES, Change, Member, at, changes, members, places
from tests.vendors import EVERYTHING, START, Standing, standing

UNREAD = frozenset({"who-am-i"})  # that it is answered is all that counts
BRIEF = World(scale=0.04, days=20, start=START, now=lambda: START)
RECENT = Counter(sales=2, events=30, movements=30, collections=30)  # days that are read
Differs = Counter[tuple[str, str, DriftKind, str]]


class Remembering(Drifts):
    """Keeps the answers, too, by operation, and has each looked at, though it came before."""

    def __init__(self, vendor: str) -> None:
        super().__init__(checks(SHAPES[vendor]))
        self.answers: defaultdict[str, list[Any]] = defaultdict(list)
        self.natives: dict[str, str] = {}

    def look(self, account: str, vendor: str, operation: str, answer: Any) -> bool:
        self.answers[operation].append(answer)
        super().look(account, vendor, operation, answer)
        return False

    def since(self, before: Differs) -> Differs:
        return self.differs() - before

    def differs(self) -> Differs:
        return Counter({(one.operation, one.path, one.kind, one.seen): one.count for one in self.seen})


@dataclass(frozen=True, slots=True)
class Read:
    """One operation: a part of its path, and what is read by it, with whether that is complete, where that is said."""

    vendor: str
    operation: str
    path: str
    read: Callable[[Standing], Awaitable[tuple[Iterable[Any], bool | None]]]


def whole(kind: str) -> Callable[[Standing], Awaitable[tuple[Iterable[Any], bool | None]]]:
    async def read(stand: Standing) -> tuple[Iterable[Any], bool | None]:
        found = await getattr(stand.connector, kind)()
        return found.items, found.complete

    return read


def recorded(kind: str, days: int | None = None) -> Callable[[Standing], Awaitable[tuple[Iterable[Any], bool | None]]]:
    async def read(stand: Standing) -> tuple[Iterable[Any], bool | None]:
        span = Span(START - timedelta(days=days or RECENT[kind]), START + timedelta(minutes=1))
        found = await getattr(stand.connector, kind)(span, EVERYTHING, None)
        return found.items, found.complete

    return read


def of_machine(kind: str) -> Callable[[Standing], Awaitable[tuple[Iterable[Any], bool | None]]]:
    async def read(stand: Standing) -> tuple[Iterable[Any], bool | None]:
        found = await getattr(stand.connector, kind)(await native(stand, "machines"))
        return found if isinstance(found, list | tuple) else [found], None

    return read


async def slots(stand: Standing) -> tuple[Iterable[Any], bool | None]:
    found = await stand.connector.slots([await native(stand, "machines")])
    (told,) = found.values()
    if isinstance(told, VendorError):
        raise told
    return told, None


def of_organization(kind: str) -> Callable[[Standing], Awaitable[tuple[Iterable[Any], bool | None]]]:
    async def read(stand: Standing) -> tuple[Iterable[Any], bool | None]:
        return await getattr(stand.connector, kind)(await native(stand, "organizations")), None

    return read


def one(kind: str, many: str) -> Callable[[Standing], Awaitable[tuple[Iterable[Any], bool | None]]]:
    async def read(stand: Standing) -> tuple[Iterable[Any], bool | None]:
        return [await getattr(stand.connector, kind)(await native(stand, many))], None

    return read


async def native(stand: Standing, kind: str) -> str:
    """Of the first there is, as it was told before anything changed."""
    drifts = stand.account.drifts
    assert isinstance(drifts, Remembering)
    if kind not in drifts.natives:
        found, _ = await (recorded if kind in RECENT else whole)(kind)(stand)
        drifts.natives[kind] = next(iter(found)).ref.native
    return drifts.natives[kind]


READS = (
    Read("smartvend", "get-list-of-controllers", "/get-list-of-controllers", whole("machines")),
    Read("smartvend", "get-controller-matrix", "/get-controller-matrix", slots),
    Read("smartvend", "get-controller-matrix", "/get-controller-matrix", of_machine("ingredients")),
    Read("smartvend", "get-list-of-products", "/get-list-of-products", whole("products")),
    Read("smartvend", "get-list-of-sales", "/get-list-of-sales", recorded("sales")),
    Read("smartvend", "get-list-of-events", "/get-list-of-events", recorded("events")),
    Read("smartvend", "get-encashments-list", "/get-encashments-list", recorded("collections")),
    Read("smartvend", "get-controller-config", "/get-controller-config", of_machine("config")),
    Read("smartvend", "get-controller-state", "/get-controller-state", of_machine("cash")),
    Read("livello", "list-kiosks", "/kiosks", whole("machines")),
    Read("livello", "get-kiosk-inventory", "/inventory", slots),
    Read("livello", "list-products", "/products", whole("products")),
    Read("livello", "list-transactions", "/transactions", recorded("sales")),
    Read("livello", "get-transaction", "/transactions/", one("sale", "sales")),
    Read("livello", "list-refills", "/refills", recorded("movements")),
    Read("livello", "get-refill", "/refills/", one("movement", "movements")),
    Read("livello", "list-organizations", "/organizations", whole("organizations")),
    Read("livello", "list-vat-rates", "/vat", of_organization("tax_rates")),
    Read("livello", "list-organization-product-lines", "/product-lines", of_organization("product_lines")),
    Read("livello", "list-users", "/users", whole("people")),
    Read("livello", "get-user", "/users/", one("person", "people")),
    Read("livello", "list-alerts", "/alerts", recorded("events")),
    Read("vendnovation", "list-machines", "/machines", whole("machines")),
    Read("vendnovation", "list-sites", "/sites", whole("places")),
    Read("vendnovation", "list-organizations", "/organizations", whole("organizations")),
    Read("vendnovation", "list-products", "/products", whole("products")),
    Read("vendnovation", "list-selections", "/selections", slots),
    Read("vendnovation", "list-transactions", "/transactions/", recorded("sales")),
    Read("vendnovation", "list-inventory-adjustments", "/inventory", recorded("movements")),
    Read("vendnovation", "list-alerts", "/alerts/", recorded("events")),
    Read("smartepi", "list-withdrawals", "/withdrawals", recorded("sales", 9)),
    Read("smartepi", "list-returns", "/returns", recorded("sales", 9)),
    Read("smartepi", "list-exchanges", "/exchanges", recorded("sales", 9)),
    Read("smartepi", "list-products", "/products", whole("products")),
    Read("smartepi", "list-employees", "/employees", whole("people")),
    Read("smartepi", "get-employee", "/employees/", one("person", "people")),
    Read("smartepi", "list-groups", "/groups", whole("groups")),
    Read("smartepi", "get-group", "/groups/", one("group", "groups")),
    Read("smartepi", "list-sectors", "/sectors", whole("units")),
    Read("smartepi", "list-cost-centers", "/cost-centers", whole("units")),
    Read("smartepi", "list-job-roles", "/job-roles", whole("units")),
    Read("smartepi", "list-access-groups", "/access-groups", whole("units")),
)


def by_id(values: Iterable[Any]) -> Mapping[Any, list[Any]]:
    """Less when they were read, what the vendor's record is, and what others say of them."""
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    for value in filter(None, values):
        plain = {
            name: None
            for name in ("observed_at", "vendor_data", "parent_ref")
            if name in getattr(value, "__dataclass_fields__", {})
        }
        found[getattr(value, "vendor_id", None) or getattr(value, "ref", None)].append(replace(value, **plain))
    return found


@pytest.mark.parametrize("read", READS, ids=lambda read: f"{read.vendor}-{read.operation}")
async def test_a_member_that_changes_costs_its_own_record_at_most_and_is_told(read: Read) -> None:
    drifts = Remembering(read.vendor)
    async with standing(read.vendor, BRIEF, drifts=drifts) as stand:
        await read.read(stand)  # it learns how much to ask for at once
        first = drifts.differs()
        drifts.answers.clear()
        values, complete = await read.read(stand)
        usual, before = drifts.since(first), by_id(values)
        assert complete is not False
        answers = list(drifts.answers[read.operation])
        for member in members(SHAPES[read.vendor][read.operation]):
            answer = next(answer for answer in answers if any(places(answer, member.path)))
            for batch in batches(answer, member):
                known = drifts.differs()
                after, complete = await _drifting(stand, read, batch)
                told = drifts.since(known)
                _compare((read.operation, member, batch), len(answers), before, after, complete)
                of = {key[:3] for key, count in told.items() if key not in usual or count > usual[key]}
                kinds = {change.kind for change in batch.values()} - {None}
                assert of == {(read.operation, member.path, kind) for kind in kinds}, batch


Batch = Mapping[str, Change]  # by place: each in a record of its own


def batches(answer: Any, member: Member) -> Iterator[Batch]:
    """All changes of a member, as many at once as there are records. What means the same goes by itself."""
    where = list(places(answer, member.path))
    wanted = list(changes(member, at(answer, where[0])))
    yield from ({where[0]: change} for change in wanted if change.same)
    others = [change for change in wanted if not change.same]
    for begin in range(0, len(others), len(where)):
        yield dict(zip(where, others[begin : begin + len(where)], strict=False))


async def _drifting(stand: Standing, read: Read, batch: Batch) -> tuple[Mapping[Any, list[Any]] | None, bool | None]:
    """None where it could not be read at all."""
    sets = {place: change.value for place, change in batch.items() if not change.dropped}
    drops = [place for place, change in batch.items() if change.dropped]
    app: Any = stand.wire.app
    faults = app.state.controls.faults
    faults.append(Fault(read.vendor, "drift", read.path, sets=sets, drops=drops))
    try:
        values, complete = await read.read(stand)
    except VendorError:
        return None, None
    finally:
        faults.clear()
    return by_id(values), complete


def _compare(
    said: tuple[str, Member, Batch],
    answers: int,
    before: Mapping[Any, list[Any]],
    after: Mapping[Any, list[Any]] | None,
    complete: bool | None,
) -> None:
    """Of each answer as many records were changed as there are changes."""
    _, member, batch = said
    listed, most = "[]" in member.path and len(before) > 1, answers * len(batch)
    if after is None:
        assert not listed or len(before) <= most, said
        return
    if most == 1 and all(change.same for change in batch.values()):
        assert after == before, said
    lost = [key for key in before if key not in after]
    changed = [key for key in before if key in after and after[key] != before[key]]
    new = [key for key in after if key not in before]
    if listed:
        assert len(lost) + len(changed) <= most, said
        assert len(new) <= most, said
    if len(lost) > len(new) and not isinstance(member.shape, Rows):  # a list that is not there is an empty one
        assert complete is not True, said


@pytest.mark.parametrize("vendor", Vendor, ids=lambda vendor: vendor.value)
def test_what_is_read_has_a_shape(vendor: Vendor) -> None:
    reads = {operation.name for operation in OPERATIONS[vendor].values() if operation.reads}
    assert reads - UNREAD <= SHAPES[vendor.value].keys()
