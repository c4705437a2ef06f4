"""People and structure, as SmartEPI takes them: read, changed against the version that was read, written once.

https://dev.developers.smartepi.com.br/"""

from contextlib import suppress
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.parsing import Raw, need, record, text
from connectors.shown import shows
from connectors.smartepi.bodies import Change, Creation, body, has, native, resource, searches
from connectors.smartepi.client import TAKEN, SmartEPIClient
from connectors.smartepi.records import EMPLOYEES, GROUPS, UNITS, native_unit
from domain.errors import BadInput, NotFound, VendgraphError, VendorConflict
from domain.orders import Order
from domain.refs import Kind, Ref


async def prepare(client: SmartEPIClient, order: Order) -> VendorRequest:
    """What is to be made must not be there yet, by its unique key; what is to change is read for its version."""
    one, members = resource(order), body(order)
    if isinstance(order, Creation):
        assert members is not None
        await _refuse_known(client, one, members)
        return VendorRequest(operation=f"create-{one}", body=members)
    assert isinstance(order, Change)
    found = await client.one(one, native(order))
    if found is None:
        raise NotFound(f"the vendor has no such {one}")
    if found[1] is None:
        raise client.broken(f"the answer to get-{one} has no ETag")
    verb = "delete" if members is None else "update"
    return VendorRequest(
        operation=f"{verb}-{one}", path={"id": native(order)}, body=members, headers={"if-match": found[1]}
    )


async def _refuse_known(client: SmartEPIClient, one: str, members: Raw) -> None:
    """So that, when no answer comes, whoever is found by the key later is the one that was made."""
    known = await _find(client, one, members)
    if known is not None:
        _, key = searches(one, members)
        error = VendorConflict(TAKEN[f"duplicate_{key}"], account=client.account.key, vendor="smartepi", sent=False)
        _tell(client, one, known, error)
        raise error


async def _find(client: SmartEPIClient, one: str, members: Raw) -> Raw | None:
    """The record that has the unique key."""
    query, key = searches(one, members)
    rows = await client.all(one, query)
    return next((row for row in rows if isinstance(row, dict) and has(row, key, members[key])), None)


async def send(client: SmartEPIClient, request: VendorRequest) -> Taken:
    verb, _, one = request.operation.partition("-")
    try:
        answer = await client.act(request)
    except VendorConflict as error:
        with suppress(VendgraphError):  # what is told of it then is that there is a conflict
            current = await _current(client, one, request)
            if current is not None:
                _tell(client, one, current, error)
        raise
    if verb == "delete":
        return Taken(done=True, result={"id": request.path["id"]})
    made = record(client.account, one, client.data(answer), lambda row: need(row.get("id")))
    if verb == "update" and made != request.path["id"]:
        raise client.broken(f"the answer to {request.operation} is of another record")
    return Taken(done=True, result={"id": made}, subject=subject(client, one, made))


async def _current(client: SmartEPIClient, one: str, request: VendorRequest) -> Raw | None:
    if "id" not in request.path:
        return await _find(client, one, request.body)
    found = await client.one(one, request.path["id"])
    return None if found is None else found[0]


def _tell(client: SmartEPIClient, one: str, current: Raw, error: VendorConflict) -> None:
    """What is personal is never kept with the command: it is read again for whoever may see it."""
    known = text(current.get("id"))
    error.subject = None if known is None else subject(client, one, known)
    error.current = None if one == EMPLOYEES else current


def subject(client: SmartEPIClient, one: str, known: str) -> Ref:
    if one in (EMPLOYEES, GROUPS):
        return client.account.to(Kind.PERSON if one == EMPLOYEES else Kind.GROUP, known)
    kind = next(kind for kind, name in UNITS.items() if name == one)
    return client.account.to(Kind.UNIT, native_unit(kind, known))


async def fulfilled(client: SmartEPIClient, order: Order) -> Ref | bool | None:
    """By the unique key of what was to be made; None where what was to change is gone, or is not shown as a whole."""
    try:
        one, members = resource(order), body(order)
    except BadInput:
        return None
    if isinstance(order, Creation):
        made = await _find(client, one, members or {})
        return made is not None and shows(made, members or {}) is not False and _subject_of(client, one, made)
    assert isinstance(order, Change)
    found = await client.one(one, native(order))
    if members is None or found is None:
        return None if members is not None else found is None
    shown = shows(found[0], members)
    return _subject_of(client, one, found[0]) if shown else shown


def _subject_of(client: SmartEPIClient, one: str, row: Any) -> Ref:
    return subject(client, one, record(client.account, one, row, lambda row: need(row.get("id"))))
