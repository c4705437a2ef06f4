"""What the mutations of bulks do, and where a bulk is found again.

Each item becomes a command by a key that is derived from the bulk's, the item's place, and how often it was tried: so
whoever asks once more, here or elsewhere, makes none twice."""

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError

from connectors.guard import Traffic
from connectors.http import asking as traffic
from domain.asked import Asked, SetPriceInput, UpdatePlanogramInput
from domain.bulk import (
    MOST_ITEMS,
    Bulk,
    BulkItem,
    BulkPayload,
    MachinePlanogramInput,
    SetPricesInput,
    SlotPriceInput,
    UpdatePlanogramsInput,
)
from domain.capabilities import Capability
from domain.commands import UserError
from domain.errors import BadInput, ErrorCode, NotFound, RateLimited, VendgraphError
from domain.times import utc_now
from journal import bulks
from journal.bulks import KeptBulk
from journal.intents import Intent
from journal.writer import JournalUnavailable
from resolvers import asking, orders
from resolvers.asking import NOT_RECORDED, told
from resolvers.bulk_plan import Look, Plan
from resolvers.bulks import read, shown
from resolvers.context import REQUEST_SECONDS, Context, Info
from resolvers.sources import Source

LONGEST_KEY = 200  # it goes into the keys of its items
TRIED_AT_ONCE = 8  # dry
NO_TIME = "there was no time left to look at it: ask for fewer at once"

Item = SlotPriceInput | MachinePlanogramInput
Given = SetPricesInput | UpdatePlanogramsInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What is asked in one. `items` are without keys."""

    kind: Capability
    field: str  # the graph's name of the list
    key: str
    items: Sequence[Asked]
    acknowledged: Sequence[str | None]

    def keyed(self, index: int, number: int) -> Any:
        """The item as it is asked for the first time, or again."""
        tries = "" if number == 1 else f".{number}"
        item: Any = self.items[index]
        return replace(item, idempotency_key=f"{self.key}#{index}{tries}")


def prices(given: SetPricesInput) -> Asks:
    return _asks(Capability.SET_PRICE, "prices", given.prices, SetPriceInput, given.idempotency_key)


def planograms(given: UpdatePlanogramsInput) -> Asks:
    found = given.planograms
    return _asks(Capability.UPDATE_PLANOGRAM, "planograms", found, UpdatePlanogramInput, given.idempotency_key)


def _asks(kind: Capability, field: str, items: Sequence[Item], single: type[Any], key: str) -> Asks:
    names = [one.name for one in fields(single) if one.name != "idempotency_key"]
    return Asks(
        kind=kind,
        field=field,
        key=key,
        items=[single(idempotency_key="", **{name: getattr(item, name) for name in names}) for item in items],
        acknowledged=[item.acknowledge_unknown for item in items],
    )


def asks(given: type[Given], meant: Callable[[Any], Asks]) -> Callable[..., Any]:
    """The resolver of the mutation that takes this."""

    async def ask(
        root: object,
        info: Info,
        input: Given,  # noqa: A002  the graph's name for it
        dry_run: bool | None = None,
    ) -> BulkPayload:
        try:
            asked = meant(input)
            _check(info.context, asked)
            return BulkPayload(bulk=await (_dry if dry_run else _asked)(info.context, asked))
        except VendgraphError as error:
            return BulkPayload(errors=[told(error)])
        except (JournalUnavailable, SQLAlchemyError):
            return BulkPayload(errors=[UserError(code=ErrorCode.INTERNAL, message=NOT_RECORDED)])

    ask.__annotations__["input"] = given
    return ask


def _check(context: Context, asked: Asks) -> None:
    """Raises VendgraphError for what is wrong with the whole."""
    orders.permit(context, asked.kind)
    if not 1 <= len(asked.key) <= LONGEST_KEY or not asked.key.isprintable():
        raise BadInput(f"a text of 1 to {LONGEST_KEY} printable characters is expected", "input", "idempotencyKey")
    if not 1 <= len(asked.items) <= MOST_ITEMS:
        raise BadInput(f"from 1 to {MOST_ITEMS} are expected", "input", asked.field)


async def _asked(context: Context, asked: Asks) -> Bulk:
    dispatcher = context.graph.dispatcher
    by = dispatcher.answers_by
    sources = _sources(context, asked)
    first = next((source for source in sources if source is not None), None)
    if first is None:
        raise NotFound("there is nothing of what these name")
    dispatcher.bulks.check()
    begun = _begun(context, asked, first.organization_key)
    bulk, new = await context.graph.journal.change(lambda ledger: bulks.place(ledger, begun, context.actor))
    run = dispatcher.bulks.run(bulk, _plan(context, asked, sources), new=new)
    await run.seen(by, lambda: context.left(REQUEST_SECONDS))
    return await _seen(context, bulk.id)


def _sources(context: Context, asked: Asks) -> list[Source | None]:
    """Each item's account, where it is one of the viewer's, and of the same organization as the first."""
    found = [_source(context, item) for item in asked.items]
    first = next((source.organization_key for source in found if source is not None), None)
    return [None if source is None or source.organization_key != first else source for source in found]


def _source(context: Context, item: Asked) -> Source | None:
    ref = orders.target_of(item)
    return None if ref is None else context.source(ref.account)


def _begun(context: Context, asked: Asks, organization: str) -> KeptBulk:
    dispatcher = context.graph.dispatcher
    return KeptBulk(
        id=uuid4().hex,
        organization=organization,
        idempotency_key=asked.key,
        kind=asked.kind,
        requested_by=context.viewer.name,
        created_at=utc_now(),
        fingerprint=_fingerprint(asked),
        size=len(asked.items),
        owner=dispatcher.owner,
        attempt=1,
        until=dispatcher.until,
    )


def _fingerprint(asked: Asks) -> str:
    """Raises BadInput."""
    each = (asking.fingerprint_of(asked.kind, item) for item in asked.items)
    return sha256("".join(each).encode()).hexdigest()


def _plan(context: Context, asked: Asks, sources: Sequence[Source | None]) -> Plan:
    repeats = _repeats(asked)

    async def look(now: Context, index: int, number: int) -> Intent:
        _check_item(now, asked, index, sources, repeats)
        given = asked.keyed(index, number)
        found = await orders.meant(now, asked.kind, given)
        fingerprint = asking.fingerprint_of(asked.kind, given)
        return asking.intent_of(now, found, given, fingerprint, asked.acknowledged[index])

    async def refused(index: int, error: VendgraphError) -> UserError:
        await asking.keep_refusal(context, asked.kind, asked.keyed(index, 1), error)
        return _placed(told(error), asked, index)

    return Plan(sources=sources, looking=lambda: partial(look, context.after()), refused=refused)


def _check_item(
    context: Context, asked: Asks, index: int, sources: Sequence[Source | None], repeats: frozenset[int]
) -> None:
    """Raises VendgraphError."""
    orders.source_of(context, asked.items[index])
    if sources[index] is None:
        raise BadInput("a bulk is of one organization, and this is another's than the first", "input")
    if index in repeats:
        raise BadInput("the same is to be changed by an earlier item", "input")


def _repeats(asked: Asks) -> frozenset[int]:
    """The places of those that would overwrite what another one of them asks for."""
    seen: Counter[Hashable] = Counter()
    found = set()
    for index, item in enumerate(asked.items):
        times = (getattr(item, "valid_from", None), getattr(item, "valid_to", None))
        what = (getattr(item, "slot_id", None) or getattr(item, "machine_id", None), *times)
        if seen[what]:
            found.add(index)
        seen[what] += 1
    return frozenset(found)


def _placed(error: UserError, asked: Asks, index: int) -> UserError:
    """`field` names the item among the others."""
    if error.field is None:
        return error
    return replace(error, field=["input", asked.field, str(index), *error.field[1:]])


async def _dry(context: Context, asked: Asks) -> Bulk:
    """Vendors are only read, and what comes is kept nowhere."""
    sources = _sources(context, asked)
    places, look = asyncio.Semaphore(TRIED_AT_ONCE), _plan(context, asked, sources).looking()
    tries = [asyncio.create_task(_tried(places, look, asked, *one)) for one in enumerate(sources)]
    _, late = await asyncio.wait(tries, timeout=context.left(REQUEST_SECONDS))
    for one in late:
        one.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    unlooked = told(RateLimited(NO_TIME))
    items = [
        BulkItem(index=index, errors=[unlooked]) if one.cancelled() else one.result() for index, one in enumerate(tries)
    ]
    return shown(_begun(context, asked, ""), items, running=False)


async def _tried(places: asyncio.Semaphore, look: Look, asked: Asks, index: int, source: Source | None) -> BulkItem:
    async with places:
        try:
            intent = await look(index, 1)
            assert source is not None, "what is without an account is refused"
            traffic.set(Traffic.BULK)
            return BulkItem(index=index, command=intent.command, planned=[await asking.shown(source, intent.order)])
        except VendgraphError as error:
            return BulkItem(index=index, errors=[_placed(told(error), asked, index)])


async def _seen(context: Context, id_: str) -> Bulk:
    """As it is by now. Whoever asked for changes shall see them. Raises SQLAlchemyError."""
    found = await read(context, id_)
    assert found is not None
    for item in found.items:
        if item.command is not None:
            context.graph.sources[item.command.ref.account].done(item.command)
    return found
