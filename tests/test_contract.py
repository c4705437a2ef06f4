"""What every connector keeps, whichever vendor it reads: all of the truth, exactly, and findable again."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any

import pytest
from starlette.types import Scope

from connectors.registry import CONNECT
from domain.errors import VendorError
from domain.model import Connectivity, EventState, Machine, MachineEvent, MachineKind, Severity, Slot, Vendor
from domain.money import Money
from domain.refs import Kind, Ref
from domain.sales import DispenseOutcome, PaymentMethod, Sale, SaleKind, SaleStatus
from domain.times import EPOCH, Span
from tests.vendors import (
    CASES,
    DAYS,
    EVERYTHING,
    KINDS,
    LONG,
    STREAMS,
    TINY,
    TRUTHS,
    WIDE,
    emulated,
    standing,
    whole_span,
)

READ_KINDS = {
    "machines": Kind.MACHINE,
    "organizations": Kind.ORGANIZATION,
    "places": Kind.PLACE,
    "products": Kind.PRODUCT,
    "slots": Kind.SLOT,
    "sales": Kind.SALE,
    "events": Kind.EVENT,
}


def test_every_vendor_is_held_to_the_contract() -> None:
    assert {case.name for case in CASES} == {vendor.value for vendor in CONNECT} == {vendor.value for vendor in Vendor}


def parts(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """A value and all that is in it, but for the vendor's own record, each with its path."""
    yield at, value
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name != "vendor_data":
                yield from parts(getattr(value, field.name), f"{at}.{field.name}")
    elif isinstance(value, Sequence) and not isinstance(value, str | Ref):
        for item in value:
            yield from parts(item, at)


@pytest.mark.parametrize(("name", "kind"), KINDS)
async def test_all_of_the_truth_is_read_and_nothing_else(name: str, kind: str) -> None:
    async with standing(name, WIDE if kind == "machines" else LONG) as it:
        found = await it.read(kind)
        truth = it.truth(kind)
    assert len(truth) > 0
    natives = [value.ref.native for value in found]
    assert max(Counter(natives).values()) == 1
    assert len(found) == len(truth)
    beginnings = {native.partition("@")[0] for native in natives}
    assert beginnings == {native.removesuffix("@") for native in truth}


@pytest.mark.parametrize(("name", "kind"), STREAMS)
async def test_a_stream_that_is_read_piece_by_piece_is_whole(name: str, kind: str) -> None:
    """Backwards, each piece from where the last one stopped, and each holding all of its own span."""
    span = whole_span()
    found: list[Any] = []
    async with standing(name, LONG) as it:
        until = span.until
        while until > span.since:
            piece = await getattr(it.connector, kind)(Span(span.since, until), 237, None)
            assert piece.since < until
            assert all(item.recorded_at in Span(piece.since, until) for item in piece.items)
            found += piece.items
            until = piece.since
        truth = it.truth(kind)
    assert len(found) == len(truth)
    assert len({item.ref for item in found}) == len(truth)


@pytest.mark.parametrize(("name", "kind"), STREAMS)
async def test_a_stream_is_narrowed_to_machines_and_times_without_loss(name: str, kind: str) -> None:
    async with standing(name, LONG) as it:
        everything = await it.read(kind)
        wanted = frozenset(item.machine_ref.native for item in everything[:3])
        span = Span(whole_span().until - timedelta(days=DAYS // 2), whole_span().until - timedelta(days=3))
        piece = await getattr(it.connector, kind)(span, EVERYTHING, wanted)
    of_them = {item.ref for item in everything if item.machine_ref.native in wanted and item.recorded_at in span}
    found = {item.ref for item in piece.items if item.machine_ref.native in wanted}
    assert of_them
    assert found == of_them


@pytest.mark.parametrize(("name", "kind"), STREAMS)
async def test_the_ends_of_a_span_are_kept_to_the_instant(name: str, kind: str) -> None:
    """From the one, inclusive, to the other, exclusive: so spans that touch neither share nor lose anything."""
    async with standing(name, LONG) as it:
        everything = sorted(await it.read(kind), key=lambda item: item.recorded_at)
        first, last = everything[len(everything) // 3], everything[2 * len(everything) // 3]
        span = Span(first.recorded_at, last.recorded_at)
        piece = await getattr(it.connector, kind)(span, EVERYTHING, None)
    wanted = {item.ref for item in everything if item.recorded_at in span}
    assert {item.ref for item in piece.items} == wanted
    assert first.ref in wanted
    assert last.ref not in wanted


@pytest.mark.parametrize(("name", "kind"), STREAMS)
async def test_what_was_read_is_found_again_by_itself(name: str, kind: str) -> None:
    async with standing(name, LONG) as it:
        found = await it.read(kind)
        for value in [*found[:: max(1, len(found) // 12)], found[-1]]:
            ref = Ref.parse(value.ref.text)
            assert ref is not None
            assert await getattr(it.connector, kind.removesuffix("s"))(ref.native) == value


ODD = [
    "",
    "@",
    "x",
    "@@",
    "x@1@y",
    "0",
    "-1",
    "1@9",
    f"1@{'9' * 30}@c",
    f"w:1@{'9' * 30}",
    "w:@1",
    "z:w-1@1",
    "w:w-1@1",
]


@pytest.mark.parametrize("native", ODD)
@pytest.mark.parametrize(("name", "kind"), STREAMS)
async def test_what_never_was_is_not_found(name: str, kind: str, native: str) -> None:
    """Whoever holds an id may have made it up: it is no fault of ours, nor of the vendor's, that it leads nowhere."""
    async with standing(name) as it:
        assert await getattr(it.connector, kind.removesuffix("s"))(native) is None


@pytest.mark.parametrize("native", ["nobody", "", "..", "a/b", "ü", "a b"])
@pytest.mark.parametrize("name", [name for name, kind in KINDS if kind == "slots"])
async def test_a_machine_that_never_was_has_no_slots_and_costs_the_others_nothing(name: str, native: str) -> None:
    async with standing(name) as it:
        known = (await it.connector.machines()).items[0].ref.native
        found = await it.connector.slots([known, native])
    assert len(found[known]) > 0
    assert isinstance(found[native], VendorError) or len(found[native]) == 0


@pytest.mark.parametrize("name", [case.name for case in CASES])
async def test_every_time_is_aware_and_utc_and_every_amount_exact_with_its_currency(name: str) -> None:
    async with standing(name, LONG) as it:
        found = await it.read_all()
    seen: Counter[type] = Counter()
    for at, part in parts([value for values in found.values() for value in values]):
        seen[type(part)] += 1
        if isinstance(part, datetime):
            assert part.tzinfo is UTC, at
        elif isinstance(part, Money):
            assert type(part.amount) is Decimal, at
            assert part.amount.is_finite(), at
            assert part.currency.isalpha(), at
            assert len(part.currency) == 3, at
            assert part.currency.isupper(), at
        elif isinstance(part, float):
            assert at.endswith("temperature.celsius"), at
        elif isinstance(part, str):
            assert part == part.strip(), at
    assert seen[datetime] > 0
    assert seen[Money] > 0 or name in ("smartepi", "eatmachine")


@pytest.mark.parametrize(("name", "kind"), KINDS)
async def test_every_value_says_whose_it_is_and_leads_back_to_itself(name: str, kind: str) -> None:
    async with standing(name, LONG) as it:
        found = await it.read(kind)
    refs = [part for value in found for _, part in parts(value) if isinstance(part, Ref)]
    assert all(ref.account == it.account.key and ref.native != "" for ref in refs)
    assert all(Ref.parse(ref.text) == ref for ref in refs)
    assert all(value.ref.kind is READ_KINDS[kind] and value.id == value.ref.text for value in found if kind != "places")
    assert all(value.vendor.value == name for value in found if hasattr(value, "vendor"))


@pytest.mark.parametrize("name", [case.name for case in CASES])
async def test_what_values_point_to_is_there(name: str) -> None:
    """But for what the vendor itself has lost: machines, products and people that are gone."""
    async with standing(name, LONG) as it:
        found = await it.read_all()
    known = {value.ref for values in found.values() for value in values}
    for kind, values in found.items():
        for value in values:
            if isinstance(value, Machine):
                assert {value.organization_ref, value.place_ref} - {None} <= known
            elif isinstance(value, Slot):
                assert {value.machine_ref, value.product_ref} - {None} <= known
            elif kind in ("sales", "events") and value.machine_ref is not None:
                assert value.machine_ref.kind is Kind.MACHINE


def plain(values: Sequence[Any]) -> list[Any]:
    """Without the vendor's own record, and the moment at which it was read, which no two readings share."""

    def same(value: Any) -> Any:
        known = {"vendor_data": None, "observed_at": EPOCH}
        return dataclasses.replace(value, **{name: at for name, at in known.items() if hasattr(value, name)})

    return sorted(map(same, values), key=lambda value: value.ref)


def as_texts(data: Any) -> Any:
    """Numbers, but not truth values, as texts."""
    if isinstance(data, dict):
        return {key: as_texts(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_texts(item) for item in data]
    return str(data) if isinstance(data, int | float) and not isinstance(data, bool) else data


def as_numbers(data: Any) -> Any:
    """Texts that say exactly what a number would say as that number."""
    if isinstance(data, dict):
        return {key: as_numbers(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_numbers(item) for item in data]
    if not isinstance(data, str):
        return data
    for read in (int, float):
        try:
            if str(read(data)) == data:
                return read(data)
        except ValueError:
            continue
    return data


def with_more(data: Any) -> Any:
    """Members that nobody has heard of, in every object."""
    if isinstance(data, dict):
        return {**{key: with_more(value) for key, value in data.items()}, "xNew": {"deep": [1]}, "zNew": None}
    return [with_more(item) for item in data] if isinstance(data, list) else data


@pytest.mark.parametrize("rewrite", [as_texts, as_numbers, with_more])
@pytest.mark.parametrize("name", [case.name for case in CASES])
async def test_numbers_may_come_as_texts_and_texts_as_numbers_and_more_than_is_known(name: str, rewrite: Any) -> None:
    async with standing(name) as it:
        usual = await it.read_all()
    async with standing(name) as it:
        it.wire.rewrite = rewrite
        found = await it.read_all()
    for kind, values in usual.items():
        assert plain(found[kind]) == plain(values), kind


def members(data: Any) -> set[str]:
    if isinstance(data, dict):
        return set(data).union(*map(members, data.values()))
    return set[str]().union(*map(members, data)) if isinstance(data, list) else set()


def less(data: Any, name: str, *, null: bool) -> Any:
    if isinstance(data, dict):
        kept = {key: less(value, name, null=null) for key, value in data.items() if key != name}
        return kept | {name: None} if null and name in data else kept
    return [less(item, name, null=null) for item in data] if isinstance(data, list) else data


@pytest.mark.parametrize(("name", "kind"), [one for one in KINDS if one[0] != "eatmachine"])
async def test_a_member_that_is_null_or_absent_costs_no_record(name: str, kind: str) -> None:
    async with standing(name, TINY) as it:
        truth = it.vendor.truth()[TRUTHS.get(kind, kind)]
        may_be_missing = members(truth) - it.case.needs
        for member in may_be_missing:
            for null in (True, False):
                it.wire.rewrite = partial(less, name=member, null=null)
                assert len(await it.read(kind)) == len(truth), (member, null)
    assert may_be_missing


def reworded(data: Any, name: str, word: Any) -> Any:
    """Whatever stands under a name replaced, but for what is an object or a list of objects."""
    if isinstance(data, dict):
        return {
            key: word if key == name and not members(value) else reworded(value, name, word)
            for key, value in data.items()
        }
    return [reworded(item, name, word) for item in data] if isinstance(data, list) else data


def uncleared(event: MachineEvent) -> EventState:
    """The state of those alerts whose clearing no time tells of."""
    return event.state if (event.vendor_data or {}).get("clearedAt") is None else EventState.UNKNOWN


# What a value is where the vendor's word for it is none that we know: what is read, the word's member, the value.
WORDS: Sequence[tuple[str, str, str, Callable[[Any], Any], Any]] = (
    ("smartvend", "machines", "connectionStatus", lambda it: it.connectivity, Connectivity.UNKNOWN),
    ("smartvend", "machines", "type", lambda it: it.kind, MachineKind.OTHER),
    ("smartvend", "events", "level", lambda it: it.severity, Severity.WARNING),
    ("smartvend", "events", "status", lambda it: it.state, EventState.UNKNOWN),
    ("livello", "sales", "paymentType", lambda it: it.payments[0].method, PaymentMethod.UNKNOWN),
    ("livello", "events", "severity", lambda it: it.severity, Severity.WARNING),
    ("livello", "events", "status", lambda it: it.state, EventState.UNKNOWN),
    ("vendnovation", "sales", "type", lambda it: it.payments[0].method, PaymentMethod.UNKNOWN),
    ("vendnovation", "sales", "vendWasSuccessful", lambda it: it.lines[0].dispensed, DispenseOutcome.UNKNOWN),
    ("vendnovation", "events", "isCleared", uncleared, EventState.UNKNOWN),
    ("smartepi", "sales", "withdrawalStatus", lambda it: only(it, SaleKind.WITHDRAWAL), SaleStatus.UNKNOWN),
    ("smartepi", "sales", "returnStatus", lambda it: only(it, SaleKind.RETURN), SaleStatus.UNKNOWN),
    ("smartepi", "sales", "exchangeStatus", lambda it: only(it, SaleKind.EXCHANGE), SaleStatus.UNKNOWN),
)


NO_WORDS: Sequence[Any] = ("brand-new", "", 7, ["brand-new"], {}, None)


def only(sale: Sale, kind: SaleKind) -> SaleStatus:
    """The status of those sales that the word is about."""
    return sale.status if sale.kind is kind else SaleStatus.UNKNOWN


@pytest.mark.parametrize(("name", "kind", "member", "value", "otherwise"), WORDS)
async def test_a_word_that_nobody_knows_is_unknown(
    name: str, kind: str, member: str, value: Callable[[Any], Any], otherwise: Enum
) -> None:
    async with standing(name) as it:
        usual = await it.read(kind)
        assert {value(one) for one in usual} != {otherwise}
        for word in NO_WORDS:
            it.wire.rewrite = partial(reworded, name=member, word=word)
            found = await it.read(kind)
            assert len(found) == len(usual), word
            assert {value(one) for one in found} == {otherwise}, word


@pytest.mark.parametrize("word", ["brand-new", 7], ids=repr)
async def test_a_payment_whose_state_nobody_knows_leaves_the_sale_unknown(word: Any) -> None:
    """Where all that was paid for came out: where nothing did, the sale has failed, whatever became of the money."""
    async with standing("vendnovation") as it:
        it.wire.rewrite = partial(reworded, name="paymentStatus", word=word)
        found = await it.read("sales")
    cards = [sale for sale in found if sale.payments and sale.payments[0].method is PaymentMethod.CARD]
    vended = [sale for sale in cards if all(line.dispensed is DispenseOutcome.DISPENSED for line in sale.lines)]
    assert vended
    assert {sale.status for sale in vended} == {SaleStatus.UNKNOWN}


async def test_payments_without_amounts_are_told_by_their_words() -> None:
    async with standing("smartvend") as it:
        it.wire.rewrite = lambda data: without_amounts(reworded(data, "paymentTypes", ["cash", "brand-new"]))
        found = await it.read("sales")
    methods = {tuple(payment.method for payment in sale.payments) for sale in found}
    assert methods == {(PaymentMethod.CASH, PaymentMethod.UNKNOWN)}
    assert all(payment.amount is None for sale in found for payment in sale.payments)


def without_amounts(data: Any) -> Any:
    for name in ("bill", "coin", "digital", "remotePayment", "remoteDeposit"):
        data = less(data, name, null=True)
    return data


def smaller_pages(scope: Scope) -> None:
    scope["query_string"] = scope["query_string"].replace(b"limit=100", b"limit=7")


@pytest.mark.parametrize(("name", "kind"), [one for one in KINDS if one[0] in ("livello", "smartepi")])
async def test_pages_smaller_than_what_was_asked_for_lose_nothing(name: str, kind: str) -> None:
    async with standing(name) as it:
        it.wire.ask = smaller_pages
        found = await it.read(kind)
        assert len(found) == len(it.truth(kind))


@pytest.mark.parametrize("name", [case.name for case in CASES])
async def test_credentials_travel_in_their_headers_alone_and_a_login_is_the_only_body_with_any(name: str) -> None:
    async with standing(name) as it:
        await it.connector.sign_in()
        await it.read_all()
    secrets = it.secrets
    assert it.wire.asked
    for asked in it.wire.asked:
        is_login = it.case.login is not None and asked.path.endswith(it.case.login)
        elsewhere = {key: value for key, value in asked.headers.items() if key not in it.case.headers}
        assert not any(secret in repr((elsewhere, asked.path, asked.query)) for secret in secrets)
        assert any(secret in asked.body.decode() for secret in secrets) == is_login
        assert set(elsewhere) <= USUAL_HEADERS
        if is_login:
            assert "authorization" not in asked.headers
            assert "access-token" not in asked.headers


USUAL_HEADERS = frozenset(
    {
        "host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length",
        "x-timezone", "page", "size",
    }
)  # fmt: skip


@pytest.mark.parametrize("name", [case.name for case in CASES])
async def test_no_credential_is_in_anything_that_is_told(name: str) -> None:
    async with standing(name) as it:
        found = await it.read_all()
        shown = repr([found, it.account, vars(it.connector), vars(it.connector.guard)])
    assert it.secrets
    assert not any(secret in shown for secret in it.secrets)


def test_the_world_of_these_tests_has_several_pages() -> None:
    """Else reading all pages would be reading one."""
    assert len(emulated("livello", WIDE).truth()["machines"]) > 100
    assert len(emulated("vendnovation", WIDE).truth()["machines"]) > 100
    assert len(emulated("smartvend", LONG).truth()["sales"]) > 1000
    assert len(emulated("vendnovation", LONG).truth()["sales"]) > 500
    assert DAYS > 2 * 31
