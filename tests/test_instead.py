"""A vendor whose list fails from the start: what webhooks told is shown, and the rest comes once it is well."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine

from connectors.registry import CONNECT
from domain.errors import VendorError, VendorUnavailable
from domain.facts import FactKind
from domain.model import Vendor
from domain.refs import Kind, Ref
from domain.times import END, EPOCH, Span
from journal import reports
from journal.reports import Watermark
from resolvers.cursors import EVERYWHERE, Gap, Position
from resolvers.reported import Reported
from resolvers.stretches import NEXT, Machines, Wanted, at
from resolvers.timeline import Found
from tests.gateways import without_repeats
from tests.journals import AT, journal, report, sale
from tests.running import Elapsed, Gateway, Sandbox, running_gateway, running_sandbox
from tests.scripted import account

PAGE = """query ($vendor: Vendor!, $first: Int!, $after: String) {
  sales(first: $first, after: $after, filter: {vendors: [$vendor]}) {
    nodes { vendorId } pageInfo { endCursor hasNextPage }
    sources { state complete asOf error { code } } } }"""
EVENTS = """{ events(first: 5, filter: {vendors: [SMARTVEND]}) { nodes { vendorId } sources { state } } }"""
KINDS = """{ sales(first: 5, filter: {vendors: [SMARTEPI], kinds: [RETURN]}) { nodes { vendorId } } }"""
MACHINES = """{ machines(first: 50, filter: {vendors: [SMARTVEND]}) {
  nodes { vendorId sales(first: 1) { nodes { vendorId } sources { state } } } } }"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Its clock is ahead: vendors tell whole seconds, and a gateway may begin in the midst of one."""
    ahead = Elapsed()
    ahead.seconds = 2.0
    with running_sandbox(scale=0.1, days=5, now=ahead) as sandbox:
        yield sandbox


def ask(gateway: Gateway, vendor: str = "SMARTVEND", first: int = 50, after: str | None = None) -> Any:
    return gateway.ask(PAGE, {"vendor": vendor, "first": first, "after": after})["sales"]


def shown(page: Any) -> list[str]:
    return [one["vendorId"] for one in page["nodes"]]


def sell(sandbox: Sandbox, gateway: Gateway, count: int) -> set[str]:
    """Sales that their webhooks have told."""
    sandbox.webhooks(vendor="smartvend", address=gateway.base)
    sold = {row["saleId"] for row in sandbox.sell("smartvend", count)}
    sandbox.settle()
    return sold


def walked(gateway: Gateway, after: str) -> list[str]:
    """Everything from a cursor on."""
    found: list[str] = []
    page: Any = {"pageInfo": {"hasNextPage": True, "endCursor": after}}
    while page["pageInfo"]["hasNextPage"]:
        page = ask(gateway, first=40, after=page["pageInfo"]["endCursor"])
        assert [one["state"] for one in page["sources"]] == ["FRESH"]
        found += shown(page)
    return found


def test_what_webhooks_told_is_shown_and_the_rest_comes_once_the_vendor_is_well(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.break_("smartvend", "status", operation="sales", status=418)
    with running_gateway(sandbox, tmp_path, limits="timeout_seconds = 2") as gateway:
        (source,) = ask(gateway)["sources"]
        assert (source["state"], source["asOf"]) == ("FAILED", None)
        sold = sell(sandbox, gateway, 3)
        page = ask(gateway)
        assert set(shown(page)) == sold
        (source,) = page["sources"]
        assert (source["state"], source["complete"], source["error"]["code"]) == ("STALE", False, "VENDOR_REJECTED")
        assert source["asOf"] is not None
        after = page["pageInfo"]["endCursor"]
        nothing = ask(gateway, after=after)
        assert (shown(nothing), nothing["sources"][0]["state"]) == ([], "FAILED")
        sandbox.heal()
        rest = walked(gateway, after)
    everything = {row["saleId"] for row in sandbox.truth("smartvend")["sales"]}
    assert without_repeats([*shown(page), *rest]) == everything


def test_pages_go_on_in_what_webhooks_told(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.break_("smartvend", "status", operation="sales", status=418)
    with running_gateway(sandbox, tmp_path) as gateway:
        sold = sell(sandbox, gateway, 5)
        first = ask(gateway, first=3)
        second = ask(gateway, first=3, after=first["pageInfo"]["endCursor"])
        assert (len(first["nodes"]), len(second["nodes"])) == (3, 2)
        assert without_repeats(shown(first) + shown(second)) == sold
        sandbox.heal()
        rest = walked(gateway, second["pageInfo"]["endCursor"])
    everything = {row["saleId"] for row in sandbox.truth("smartvend")["sales"]}
    assert without_repeats([*sold, *rest]) == everything


def test_so_are_events_and_lists_of_some_kinds_and_those_of_machines(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.break_("smartvend", "status", operation="list-of-sales", status=418)
    sandbox.break_("smartvend", "status", operation="list-of-events", status=418)
    sandbox.break_("smartepi", "status", status=418)
    with running_gateway(sandbox, tmp_path) as gateway:
        sold = sell(sandbox, gateway, 4)
        sandbox.webhooks(address=gateway.base)
        (event,) = sandbox.happen("smartvend", "no-water")
        sandbox.happen("smartepi", "withdrawal")
        (returned,) = sandbox.happen("smartepi", "return")
        sandbox.settle()
        events = gateway.ask(EVENTS)["events"]
        assert (shown(events), events["sources"]) == ([event["id"]], [{"state": "STALE"}])
        assert shown(gateway.ask(KINDS)["sales"]) == [returned["id"]]
        sales = [one["sales"] for one in gateway.ask(MACHINES)["machines"]["nodes"]]
    sellers = {row["controllerId"] for row in sandbox.truth("smartvend")["sales"] if row["saleId"] in sold}
    newest = [name for one in sales for name in shown(one)]
    assert len(newest) == len(sellers)
    assert set(newest) <= sold
    states = [one["sources"][0]["state"] for one in sales]
    assert states == ["STALE" if one["nodes"] else "FAILED" for one in sales]


# ---- what the journal knows, and what it may lack


MINUTE = timedelta(minutes=1)
FAILURE = VendorUnavailable("it is down", account="acme", vendor="eatmachine")
EVERYONE: Machines = None
M1, M2 = frozenset({"m1"}), frozenset({"m2"})
CONNECTOR = CONNECT[Vendor.EATMACHINE](account(vendor=Vendor.EATMACHINE), httpx2.AsyncClient())


@dataclass(frozen=True, slots=True)
class Told:
    """Sales by their names, and the minutes at which they were recorded."""

    store: Engine

    async def tell(self, machine: str = "m1", **minutes: float) -> None:
        facts = [sale(name, at=AT + minute * MINUTE, machine=machine) for name, minute in minutes.items()]
        async with journal(self.store, follows=False) as kept:
            await kept.append(report(*facts, account=CONNECTOR.account.key))

    def read(self, since: float, at: float) -> None:
        """Its list, from the first of these minutes to the second."""
        mark = Watermark(since=AT + since * MINUTE, at=AT + at * MINUTE)
        reports.set_watermark(self.store, CONNECTOR.account.key, FactKind.SALE, mark)

    async def newest(
        self, begun: float, gap: Gap = EVERYWHERE, *, first: int = 10, sets: Sequence[Machines] = (EVERYONE,)
    ) -> Mapping[Machines, tuple[str, list[str]] | VendorError]:
        """What is shown by a process that began at this minute; and what is still to come, as the names around it."""
        async with journal(self.store, follows=False) as kept:
            instead = Reported(CONNECTOR, kept, now=lambda: AT + begun * MINUTE).instead(FactKind.SALE)
            found = await instead.newest(dict.fromkeys(sets, FAILURE), Wanted(Span(EPOCH, END), gap, first))
        return {machines: one if isinstance(one, VendorError) else _told(one) for machines, one in found.items()}


def _told(found: Found[Any]) -> tuple[str, list[str]]:
    assert (found.error, found.complete) == (FAILURE, False)
    return "".join(one.ref.native for one in found.items), [
        f"{_name(one.after)}-{_name(one.before)}" for one in found.untold
    ]


def _name(place: Position | None) -> str:
    ref = None if place is None else Ref.parse(place.id.rstrip(NEXT))
    return "" if ref is None else ref.native


@pytest.fixture
async def story(store: Engine) -> Told:
    found = Told(store)
    await found.tell(a=1, b=2, c=3, d=4, e=5)
    return found


@pytest.mark.parametrize(
    ("read", "begun", "shown", "left"),
    [
        pytest.param(None, 3.5, "ed", ["-e", "d-"], id="never read: what came since the beginning"),
        pytest.param((0, 2.5), 3.5, "edba", ["-e", "d-b", "a-"], id="read before: what lies between is to come"),
        pytest.param((1.5, 2.5), 3.5, "edb", ["-e", "d-b", "b-"], id="never read below"),
        pytest.param((0, 3.5), 3.5, "edcba", ["-e", "a-"], id="read since"),
        pytest.param((3.4, 3.3), 3.5, "ed", ["-e", "d-"], id="read for the first time, down to just before"),
        pytest.param((0, 2.5), 6, "ba", ["-b", "a-"], id="nothing since the beginning"),
    ],
)
async def test_what_is_shown_is_what_nothing_is_missing_from(
    story: Told, read: tuple[float, float] | None, begun: float, shown: str, left: list[str]
) -> None:
    if read is not None:
        story.read(*read)
    assert await story.newest(begun) == {EVERYONE: (shown, left)}


async def test_where_there_is_nothing_the_failure_stands(story: Told) -> None:
    assert await story.newest(6) == {EVERYONE: FAILURE}


async def test_a_page_goes_on_below_another(story: Told) -> None:
    story.read(0, 2.5)
    below, within = Gap(_place(4, "d"), None), Gap(_place(5, "e"), _place(1, "a"))
    assert await story.newest(3.5, below) == {EVERYONE: ("ba", ["d-b", "a-"])}
    assert await story.newest(3.5, within) == {EVERYONE: ("db", ["e-d", "d-b", "b-a"])}


def _place(minute: float, name: str) -> Position:
    return at(AT + minute * MINUTE, Ref(Kind.SALE, "acme", name).text)


async def test_of_each_set_of_machines_its_own(story: Told) -> None:
    story.read(0, 2.5)
    await story.tell("m2", x=2.2, y=4.5)
    found = await story.newest(3.5, sets=(M1, M2, frozenset({"m3"})))
    assert list(found.values()) == [("edba", ["-e", "d-b", "a-"]), ("yx", ["-y", "y-x", "x-"]), FAILURE]


async def test_what_was_not_read_down_to_is_not_skipped(story: Told) -> None:
    """Machine 2 sold since the beginning, below more of machine 1's than are read at once."""
    story.read(0, 2.5)
    await story.tell("m2", x=2.2, y=3.6)
    await story.tell("m1", f=5, g=5.1, h=5.2)
    assert (await story.newest(3.5, first=1, sets=(M1, M2)))[M2] == FAILURE


async def test_a_store_that_fails_as_well_leaves_the_failure(story: Told) -> None:
    with story.store.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE watermarks RENAME TO gone")
    assert await story.newest(3.5) == {EVERYONE: FAILURE}
