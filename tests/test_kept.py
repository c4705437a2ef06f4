"""Answers that are kept: the same as graphql-core's at that moment, whoever asks, and whatever has changed since."""

import asyncio
import gc
import random
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import parse

from compiled import Keeper, Kept
from domain.errors import VendorError
from domain.model import Role, Vendor
from domain.refs import Kind, Ref
from domain.sales import Sale
from gateway.admission import Admission
from gateway.answers import encoded, objects_in
from gateway.documents import Documents
from gateway.executing import Executed, Execution
from gateway.limits import LimitSettings
from gateway.persisted import Texts
from gateway.requests import Operation
from gateway.tracing import Tracing
from resolvers.cache import Cache
from resolvers.context import Context, Viewer
from resolvers.sources import Source
from resolvers.standing import Mark
from schema.costs import KEPT, KEPT_OBJECTS
from tests.comparing import Compared, comparing
from tests.running import Sandbox, config_text, running_gateway, running_sandbox
from tests.sameness import CORE, FOREVER, SCHEMA, ids

LAVISH = LimitSettings(cost_per_second=100_000_000, cost_burst=1_000_000_000)
QUESTIONS = (
    "query($n: Int = 3) { machines(first: $n) { totalCount nodes { id name connectivity } sources { state asOf } } }",
    "{ machines(first: 50) { nodes { name slots { position quantity price { amount } product { name } } } } }",
    """query($n: Int = 2) { machines { nodes { id
      sales(first: $n) { nodes { id total { amount } lines { productName } } } } } }""",
    "query($id: ID!) { machine(id: $id) { name account { key status } organization { name } location { city } } }",
    "query($id: ID!) { machine(id: $id) { slots { product { name organization { name } } } vendorData } }",
    "{ sales(first: 20) { nodes { id machine { name } person { name } payments { reference } vendorData } } }",
    "{ sales(first: 5, filter: { kinds: [PURCHASE] }) { edges { cursor node { id } } pageInfo { endCursor } } }",
    """{ products(first: 10) { nodes { name price { amount currency } account { key } }
      sources { account { key } state } } }""",
)
TENANTS = (frozenset({"acme"}), frozenset({"other"}), frozenset({"acme", "other"}), frozenset[str]())
VIEWERS = [
    Viewer(name=f"{role.value} {' '.join(sorted(own))}", role=role, organizations=own)
    for role in Role
    for own in TENANTS
]
STEPS = 500
Change = Callable[[Source, random.Random, Iterator[int]], None]


class Asked:
    """Through a gateway's own execution, below its transports."""

    def __init__(self, both: Compared) -> None:
        self.both = both
        documents = Documents(CORE, LAVISH, suggestions=True)
        self._admission = Admission(documents, Texts(), LAVISH, introspection=True)
        self.execution = Execution(SCHEMA, self._admission, Tracing(), suggestions=True)

    async def hits(self, text: str, viewer: Viewer, **variables: Any) -> bool:
        """Whether it was answered with what was kept."""
        before = self.execution.kept.hits
        await self.ask(text, viewer, **variables)
        return self.execution.kept.hits > before

    async def ask(self, text: str, viewer: Viewer, **variables: Any) -> Executed:
        asked = await self._admission.find(Operation(text, variables, None), viewer)
        return await self.execution.of(asked, Context(self.both.graph, viewer), "id")


@asynccontextmanager
async def two_tenants(sandbox: Sandbox, other: Sandbox, folder: Path) -> AsyncIterator[Asked]:
    file = folder / "kept.toml"
    file.write_text(config_text(sandbox, folder, others=[other], cache=FOREVER), encoding="utf-8")
    async with comparing(file, SCHEMA) as both:
        yield Asked(both)


def _rename(source: Source, chance: random.Random, fresh: Iterator[int]) -> None:
    if source.machines is not None and (kept := source.machines.peek()) is not None:
        named = f"renamed {next(fresh)}"
        source.machines.amend(lambda one: replace(one, name=named), chance.choice(kept.items).ref.native)


def _sell(source: Source, chance: random.Random, fresh: Iterator[int]) -> None:
    stretches = [] if source.sales is None else list(source.sales.whole._stretches)
    known: list[Sale] = [item for stretch in stretches for item in stretch.items]
    if source.sales is not None and known:
        sale, at = chance.choice(known), max(item.recorded_at for item in known) + timedelta(seconds=1)
        native = f"{sale.ref.native}-{next(fresh)}"
        source.sales.report(replace(sale, ref=Ref(Kind.SALE, source.key, native), recorded_at=at))


def _empty(source: Source, chance: random.Random, fresh: Iterator[int]) -> None:
    if source._slots is not None and source.machines is not None and (kept := source.machines.peek()) is not None:
        native = chance.choice(kept.items).ref.native
        slots = source._slots.peek(native)
        if slots is not None:
            source._slots.put(native, [replace(slot, quantity=next(fresh)) for slot in slots])


def _forget(source: Source, chance: random.Random, _: Iterator[int]) -> None:
    whole = chance.choice([one for one in source._lists.values() if one is not None])
    whole.forget()


CHANGES: tuple[Change, ...] = (_rename, _sell, _empty, _forget)


async def test_what_is_kept_is_what_graphql_core_would_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    chance, fresh = random.Random(5), count()  # noqa: S311  it is to be the same in each run
    with running_sandbox(scale=0.05, days=10, seed=11) as other:
        async with two_tenants(sandbox, other, tmp_path) as asked:
            machines = "{ machines(first: 1000) { nodes { id } } }"
            told = await asked.ask(machines, VIEWERS[2])
            known = ids(orjson.loads(encoded(told.answer)))
            sources = list(asked.both.graph.sources.values())
            for _ in range(STEPS):
                if chance.random() < 0.15:
                    chance.choice(CHANGES)(chance.choice(sources), chance, fresh)
                    continue
                text, viewer = chance.choice(QUESTIONS), chance.choice(VIEWERS)
                variables: dict[str, Any] = (
                    {"n": chance.choice((2, 3))} if "$n" in text and chance.random() < 0.5 else {}
                )
                if "$id" in text:
                    variables["id"] = chance.choice(known[:4] + known[-4:])
                answer = orjson.loads(encoded((await asked.ask(text, viewer, **variables)).answer))
                expected = await asked.both.by_core(parse(text), viewer, variables)
                assert answer == orjson.loads(encoded({"data": expected.data})), (text, viewer.name)
            kept = asked.execution.kept
            assert min(kept.hits, kept.misses) > STEPS / 20
            pieces = asked.execution.pieces
            assert min(pieces.hits, pieces.misses) > STEPS / 2


@pytest.mark.parametrize("change", [_rename, _sell, _empty, _forget])
async def test_it_falls_with_what_it_was_made_of(change: Change, sandbox: Sandbox, tmp_path: Path) -> None:
    """And with nothing else: what changes at one vendor leaves another's answer as it is."""
    chance, viewer = random.Random(3), VIEWERS[0]  # noqa: S311
    whole = """query($v: [Vendor!]) { machines(filter: {vendors: $v}) { nodes { name
      slots { quantity product { name } } sales(first: 3) { nodes { id } } } } }"""
    file = tmp_path / "kept.toml"
    file.write_text(config_text(sandbox, tmp_path, cache=FOREVER), encoding="utf-8")
    async with comparing(file, SCHEMA) as both:
        asked = Asked(both)
        vendors = (["LIVELLO"], ["VENDNOVATION"])
        for _ in range(2):
            for one in vendors:
                await asked.ask(whole, viewer, v=one)
        source = next(one for one in both.graph.sources.values() if one.vendor is Vendor.LIVELLO)
        assert [await asked.hits(whole, viewer, v=one) for one in vendors] == [True, True]
        if change is _forget:
            assert source.machines is not None
            source.machines.forget()
        else:
            change(source, chance, count(7))
        assert [await asked.hits(whole, viewer, v=one) for one in vendors] == [False, True]


def test_no_vendor_is_asked_for_it_and_it_costs_what_it_did(sandbox: Sandbox, tmp_path: Path) -> None:
    query = "{ machines(first: 5) { nodes { name slots { position } } } }"
    with running_gateway(sandbox, tmp_path, cache=FOREVER) as gateway:
        gateway.ask(query)
        gateway.headers["x-vendgraph-trace"] = "1"
        again = [gateway.post(query).json() for _ in range(4)]
    assert again[0]["data"] == again[2]["data"] == again[3]["data"]
    made, _, *told = [one["extensions"]["vendgraph"] for one in again]
    assert [one["upstreamRequests"] for one in told] == [[], []]
    objects = asyncio.run(objects_in(again[0]["data"]))
    assert objects // KEPT_OBJECTS < made["costCharged"]
    assert [one["costCharged"] for one in told] == [KEPT + objects // KEPT_OBJECTS] * 2
    assert {one["cost"] for one in told} == {made["cost"]}
    assert told[1]["cacheHits"] > 0


def _kept(size: int, *marks: Mark) -> Kept:
    return Kept(b"x" * size, 1, marks)


def test_what_is_kept_is_bounded_in_bytes() -> None:
    keeper = Keeper(size=32_000)
    for key in range(100):
        keeper.keep(key, _kept(1_000))
    assert keeper.size <= 32_000
    assert 0 < len(keeper) <= 32
    assert keeper.find(0) is None
    assert keeper.find(99) is not None
    keeper.keep("large", _kept(33_000))
    assert keeper.find("large") is None


def test_long_variables_and_readings_count_too() -> None:
    keeper, plain = Keeper(), _kept(1_000)
    keeper.keep("plain", plain)
    alone = keeper.size
    keeper.keep("long", replace(plain, asked=10_000))
    keeper.keep("many", _kept(1_000, *(Mark() for _ in range(100))))
    assert keeper.size - 3 * alone >= 10_000 + 100 * 64
    assert alone > 1_000


async def test_a_reading_holds_on_to_nothing_that_was_read() -> None:
    class Large:
        pass

    async def load() -> Large:
        return Large()

    def late(_: float) -> VendorError:
        raise AssertionError

    cache = Cache[str, Large](ttl=60.0, size=1, late=late)
    gone = weakref.ref((await cache.get("", load, 1.0)).value)
    reading = cache.reading("")
    assert reading is not None
    assert reading.stands()
    cache.put("", Large())
    assert not reading.stands()
    gc.collect()
    assert gone() is None


def test_what_has_fallen_meanwhile_is_not_kept_and_not_found() -> None:
    keeper, standing, fallen = Keeper(), Mark(), Mark()
    fallen.fall()
    keeper.keep("fallen", _kept(1, standing, fallen))
    keeper.keep("good", _kept(1, standing))
    assert keeper.find("fallen") is None
    assert keeper.find("good") is not None
    standing.fall()
    assert keeper.find("good") is None
    assert len(keeper) == 0
