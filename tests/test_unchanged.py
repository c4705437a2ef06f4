"""What a vendor tells again, word for word, is told as if it had been read anew."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from connectors.drift import Drifts
from connectors.livello import parse as livello
from connectors.livello.paging import Page
from connectors.parsing import ROW_ALONE, readable
from connectors.registry import CHECKS
from connectors.unchanged import Unchanged, _rows
from connectors.vendnovation import parse as vendnovation
from domain.errors import VendorProtocolError
from domain.model import Connectivity, Vendor
from domain.times import utc_now
from tests.scripted import Scripted, guarded, over
from tests.vendors import BY_NAME, START, Standing, standing
from tests.vendors import unchanged as as_it_is

NAMED = frozenset({"name", "humanName", "productName"})
KEEPING_NOTHING = 0  # bytes


def renamed(data: Any) -> Any:
    """Everything has another name."""
    if isinstance(data, list):
        return [renamed(item) for item in data]
    if isinstance(data, dict):
        return {
            key: f"{value}!" if key in NAMED and isinstance(value, str) else renamed(value)
            for key, value in data.items()
        }
    return data


async def told(stand: Standing) -> dict[str, list[Any]]:
    """All there is, but for when it was told."""
    return {kind: list(map(untimed, values)) for kind, values in (await stand.read_all()).items()}


def untimed(value: Any) -> Any:
    return replace(value, observed_at=START) if hasattr(value, "observed_at") else value


@pytest.mark.parametrize("name", BY_NAME)
async def test_it_is_told_as_if_it_were_read_anew_and_a_change_shows_at_once(name: str) -> None:
    async with standing(name, unchanged=Unchanged()) as known, standing(name, unchanged=Unchanged(0)) as anew:
        for rewrite in (as_it_is, as_it_is, as_it_is, renamed, renamed, renamed, as_it_is):
            known.wire.rewrite = anew.wire.rewrite = rewrite
            assert await told(known) == await told(anew)
        found = known.account.unchanged.found[known.account.key]
        assert (found > 0) is (name != "eatmachine")  # which has no lists
        assert not anew.account.unchanged.found.total()
        assert not anew.account.unchanged.readings


TIMED = {"machines", "slots"}
OF_MORE = {"events", "organizations"}  # made of more than a row


@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "eatmachine"])
async def test_what_is_known_is_not_read_again(name: str) -> None:
    """The values are the very ones of the time before, but for those that carry the time."""
    async with standing(name, unchanged=Unchanged()) as stand:
        for _ in range(3):
            await stand.read_all()
        before, after = await stand.read_all(), await stand.read_all()
    assert before.keys() - TIMED - OF_MORE
    for kind in before.keys() - TIMED - OF_MORE:
        pairs = list(zip(before[kind], after[kind], strict=True))
        assert all(one is other for one, other in pairs), kind


@pytest.mark.parametrize("name", ["smartvend", "livello", "vendnovation"])
async def test_what_is_known_was_told_now(name: str) -> None:
    async with standing(name, unchanged=Unchanged()) as stand:
        for _ in range(3):
            began = utc_now()
            found = [*await stand.read("machines"), *await stand.read("slots")]
            assert found
            assert all(one.observed_at >= began for one in found)


def rows_kept(account: Any, rows: list[Any]) -> list[Any]:
    for _ in range(2):
        account.unchanged.meet(account.key, "list", orjson.dumps(rows), rows, alike=True)
    return rows


async def test_a_machine_of_which_nothing_new_is_told_is_offline_in_time() -> None:
    seen = START - timedelta(minutes=5)
    later = START + timedelta(hours=3)
    for name in ("livello", "vendnovation"):
        async with standing(name, unchanged=Unchanged()) as stand:
            account = stand.account
            if name == "livello":
                rows = rows_kept(account, [{"serialNumber": "1", "networkLastOnline": seen.isoformat()}])
                reads = [livello.machines(account, Page(rows, 1), at) for at in (START, later)]
            else:
                rows = rows_kept(account, [{"id": "1", "lastHeartBeat": {"server": f"{seen:%Y-%m-%dT%H:%M:%S}"}}])
                reads = [vendnovation.machines(account, rows, at) for at in (START, later)]
            (first,), (second,) = (list(read.items) for read in reads)
            assert (first.connectivity, first.observed_at) == (Connectivity.ONLINE, START)
            assert (second.connectivity, second.observed_at) == (Connectivity.OFFLINE, later)
            assert second == replace(first, connectivity=Connectivity.OFFLINE, observed_at=later)


async def test_what_a_value_depends_on_besides_is_minded() -> None:
    """The same load cell, where another currency serves, and as another kind of thing."""
    async with standing("livello", unchanged=Unchanged()) as stand:
        cells = rows_kept(stand.account, [{"planogramPosition": "A1", "productLineData": {"price": 1}}])
        for currency in ("EUR", "EUR", "SEK", None, "EUR"):
            (slot,) = livello.slots(stand.account, "1", cells, currency, START)
            assert (slot.price.currency if slot.price else None) == currency
        (other,) = livello.slots(stand.account, "2", cells, "EUR", START)
        assert other.ref.native == "2/A1"
        assert readable(stand.account, "another thing", cells, lambda _: 1, given=ROW_ALONE).items == [1]


async def test_a_row_that_cannot_be_read_is_told_each_time() -> None:
    def parse(row: Any) -> str:
        text: str = row["name"]
        return text

    async with standing("livello", unchanged=Unchanged()) as stand:
        rows = rows_kept(stand.account, [{"name": "one"}, {"no": "name"}])
        for _ in range(3):
            found = readable(stand.account, "thing", rows, parse, given=ROW_ALONE)
            assert (found.items, found.complete) == (["one"], False)


async def test_each_account_has_its_own() -> None:
    """Two at one vendor, whose answers are the same to the letter."""
    shared = Unchanged()
    async with (
        standing("livello", unchanged=shared) as one,
        standing("livello", unchanged=shared, key="other") as other,
    ):
        for _ in range(3):
            for stand in (one, other):
                found = await stand.read("products")
                assert {product.ref.account for product in found} == {stand.account.key}
        assert shared.found == {one.account.key: 1, "other": 1}


async def test_what_differs_from_what_it_is_taken_to_be_is_counted_each_time() -> None:
    drifts = Drifts(CHECKS[Vendor.LIVELLO])
    async with standing("livello", drifts=drifts, unchanged=Unchanged()) as stand:
        await stand.read("products")
        stand.wire.rewrite = lambda data: {**data, "total": str(data["total"])} if "total" in data else data
        counts = []
        for _ in range(4):
            await stand.read("products")
            counts.append(drifts.counts.total())
        assert [later - before for before, later in pairwise(counts)] == [counts[0]] * 3
        assert counts[0] > 0
        assert stand.account.unchanged.found.total()


async def test_what_is_private_and_logins_are_not_kept() -> None:
    vendor = Scripted()
    async with vendor.client as client:
        http = over(client, guarded())
        for _ in range(3):
            await http.json("list", private=True)
            await http.json("list", login=False)
            await http.json("act")
        assert http.account.unchanged.size == 0
        for _ in range(3):
            await http.json("list")
        assert http.account.unchanged.size > 0


async def test_it_must_still_say_that_it_is_json() -> None:
    vendor = Scripted()
    async with vendor.client as client:
        http = over(client, guarded())
        vendor.usual = JSONResponse({"data": []})
        for _ in range(3):
            await http.json("list")
        vendor.usual = Response(b'{"data":[]}', media_type="text/html")
        with pytest.raises(VendorProtocolError):
            await http.json("list")


bodies = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60)), max_size=200)


@given(bodies, st.integers(0, 300))
def test_no_more_is_kept_than_may_be_and_rows_go_with_their_bodies(met: Iterable[tuple[int, int]], size: int) -> None:
    kept = Unchanged(size)
    alive: dict[bytes, Any] = {}
    for name, length in met:
        data = {"data": [{"name": name}, {"at": [{}]}], "more": {"data": [{}]}}
        body = orjson.dumps(data).ljust(length)
        known = kept.find("acme", "list", body)
        if known is None:
            kept.meet("acme", "list", body, data, alike=True)
            alive[body] = data
        else:
            assert known.data is alive[body]
        assert kept.size <= size
        there = [one for one in alive.values() if id(one) in kept.readings]
        assert kept.readings.keys() == {id(row) for one in there for row in _rows(one)}
