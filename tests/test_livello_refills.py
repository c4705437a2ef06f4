"""Livello's refills and sessions as they may come: with members that are absent, unknown, or in another form."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.livello.refills import movements
from connectors.livello.sessions import session
from domain.capabilities import Capability, UnavailableReason
from domain.errors import VendorForbidden, VendorProtocolError
from domain.model import Vendor
from domain.stock import MovementKind
from domain.times import Span
from sandbox.livello import Livello
from sandbox.world import World
from tests.test_livello import Little, Stage, over, problem, rows
from tests.vendors import BY_NAME, TINY, account_of

# The documents show a refill but for what is in its items, and a session whole.
REFILL: Mapping[str, Any] = {
    "id": 201,
    "created": "2025-03-18T08:15:00.000Z",
    "type": "manual",
    "kiosk": {"id": 1, "name": "Lobby Fridge", "serialNumber": "LIV-0042"},
    "itemsReplenished": [
        {"productMetaId": 10, "name": "Cola", "planogramPosition": "A1", "added": 6, "removed": 1},
        {"productMetaId": "11", "name": "Tea", "planogramPosition": "A2", "added": "0", "removed": "2"},
    ],
}
SESSION: Mapping[str, Any] = {
    "status": "CLOSED",
    "type": "purchase",
    "createdAt": "2025-10-15T09:00:00.000Z",
    "updatedAt": "2025-10-15T09:30:00.000Z",
    "isTerminal": True,
    "details": {
        "sessionClosedAt": "2025-10-15T09:30:00.000Z",
        "endedWithPurchase": True,
        "externalTransactionId": "ext-txn-abc123",
    },
}
CREATED = datetime(2025, 3, 18, 8, 15, tzinfo=UTC)
SPAN = Span(CREATED - timedelta(days=9), CREATED + timedelta(days=9))
ACCOUNT = account_of(BY_NAME["livello"], BY_NAME["livello"].emulate(TINY))


def test_a_refill_is_a_movement_for_each_way_of_each_item() -> None:
    told = movements(ACCOUNT, [REFILL])
    assert told.complete
    found = [(one.kind, one.position, one.product_name, one.delta, one.level) for one in told.items]
    assert found == [
        (MovementKind.RESTOCK, "A1", "Cola", 6, None),
        (MovementKind.REMOVAL, "A1", "Cola", -1, None),
        (MovementKind.REMOVAL, "A2", "Tea", -2, None),
    ]
    for one in told.items:
        assert (one.vendor, one.vendor_id, one.person) == (Vendor.LIVELLO, "201", None)
        assert (one.recorded_at, one.occurred_at) == (CREATED, CREATED)
        assert one.machine_ref is not None
        assert one.machine_ref.native == "LIV-0042"
        assert one.vendor_data is not None
        assert len(one.vendor_data["itemsReplenished"]) == 1
    assert len({one.ref for one in told.items}) == 3


@pytest.mark.parametrize("items", [None, [], "GONE", [{}], [{"name": "Cola"}], [{"added": 0, "removed": None}]])
def test_a_refill_may_move_nothing(items: Any) -> None:
    refill = {**REFILL, "itemsReplenished": items}
    told = movements(ACCOUNT, [{name: value for name, value in refill.items() if value != "GONE"}])
    assert (list(told.items), told.complete) == ([], True)


@pytest.mark.parametrize("changed", [{"kiosk": None}, {"kiosk": {}}, {"kiosk": {"name": "Lobby"}}])
def test_without_a_serial_number_it_is_of_no_machine(changed: Any) -> None:
    assert {one.machine_ref for one in movements(ACCOUNT, [{**REFILL, **changed}]).items} == {None}


@pytest.mark.parametrize("broken", [5, None, {**REFILL, "id": None}, {**REFILL, "created": "then"}])
def test_one_that_cannot_be_read_costs_the_others_nothing(broken: Any) -> None:
    told = movements(ACCOUNT, [broken, REFILL])
    assert (len(told.items), told.complete) == (3, False)


def refill(native: int, minutes: int) -> dict[str, Any]:
    at = CREATED + timedelta(minutes=minutes)
    return {**REFILL, "id": native, "created": at.isoformat().replace("+00:00", "Z")}


async def test_an_order_that_is_not_kept_is_noticed() -> None:
    little = Little({"/refills": rows(refill(1, 1), refill(3, 3), refill(2, 2))})
    found = await Stage(little).connector.movements(SPAN, 3, None)
    assert {one.vendor_id for one in found.items} == {"1", "2", "3"}
    assert found.since == SPAN.since


async def test_no_more_is_read_than_is_wanted() -> None:
    little = Little({"/refills": rows(*(refill(at, at) for at in range(9, 0, -1)), total=500)})
    stage = Stage(little)
    found = await stage.connector.movements(SPAN, 4, None)
    assert found.since > SPAN.since
    assert {one.vendor_id for one in found.items} >= {"9", "8"}
    assert sum(request.url.path.endswith("/refills") for request in stage.requests) < 4


async def test_single_ones_are_found_or_are_none() -> None:
    little = Little({"/refills/201": dict(REFILL), "/refills/7": problem(404, "Not Found")})
    connector = Stage(little).connector
    found = await connector.movement("201/0/removed")
    assert found is not None
    assert (found.kind, found.delta) == (MovementKind.REMOVAL, -1)
    for native in ("201/1/added", "201/9/added", "201/0", "201", "7/0/added"):
        assert await connector.movement(native) is None


async def test_without_its_scope_nothing_is_asked() -> None:
    stage = over(Livello(World(scale=0.1), scopes="kiosks:read"))
    for asked in (stage.connector.movements(SPAN, 5, None), stage.connector.movement("201/0/added")):
        with pytest.raises(VendorForbidden):
            await asked
    assert stage.asked == ["POST /auth/token"]
    assert stage.connector.refusal(Capability.STOCK_MOVEMENTS) is UnavailableReason.NOT_PERMITTED


def test_the_documents_session_is_read_whole() -> None:
    found = session(ACCOUNT, dict(SESSION))
    assert found is not None
    assert (found.status, found.kind, found.final, found.with_purchase) == ("CLOSED", "purchase", True, True)
    assert found.started_at == datetime(2025, 10, 15, 9, tzinfo=UTC)
    assert found.updated_at == found.closed_at == datetime(2025, 10, 15, 9, 30, tzinfo=UTC)
    assert found.reference == "ext-txn-abc123"


@pytest.mark.parametrize("details", [None, {}, {"endedWithPurchase": "yes", "sessionClosedAt": None}])
def test_a_session_that_goes_on_has_no_end(details: Any) -> None:
    found = session(ACCOUNT, {**SESSION, "isTerminal": False, "details": details})
    assert found is not None
    assert (found.final, found.closed_at, found.with_purchase, found.reference) == (False, None, None, None)


@pytest.mark.parametrize("nothing", [None, {}, []])
def test_no_session_is_none(nothing: Any) -> None:
    assert session(ACCOUNT, nothing) is None


@pytest.mark.parametrize("broken", [{"status": "OPEN"}, {**SESSION, "createdAt": "then"}, "CLOSED"])
def test_a_session_that_cannot_be_read_is_the_vendors_fault(broken: Any) -> None:
    with pytest.raises(VendorProtocolError):
        session(ACCOUNT, broken)
