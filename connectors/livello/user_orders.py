"""Users, as Livello takes them: only consumers are made, each known again by its e-mail."""

import re
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.livello.client import USERS_WRITE, LivelloClient
from connectors.livello.users import ADDRESS, TEXTS
from connectors.parsing import Raw, need, record, text
from connectors.shown import shows
from domain.errors import BadInput, NotFound, VendorConflict
from domain.people import PersonAddress, PersonStatus
from domain.people_orders import CreatePerson, UpdatePerson, field_of
from domain.refs import Kind, Ref

LANGUAGES = ("en", "de", "it", "fr")
NEEDED = ("email", "first_name", "last_name", "organization", "status", "language")
NUMBER = re.compile(r"[0-9]{1,18}")
TAKEN = "another one has this e-mail"
Ordered = CreatePerson | UpdatePerson


def body(order: Ordered) -> dict[str, Any]:
    """Pure. Raises BadInput."""
    given = order.details.given
    if isinstance(order, CreatePerson):
        for name in NEEDED:
            if not given.get(name):
                raise BadInput("Livello makes nobody without it", "input", "details", field_of(name))
    elif "organization" in given:
        raise BadInput("nobody can be moved to another organization", "input", "details", "organizationId")
    if not given:
        raise BadInput("there is nothing that is to change", "input", "details")
    return dict(_member(name, value) for name, value in given.items())


def _member(name: str, value: Any) -> tuple[str, Any]:
    place = ("input", "details", field_of(name))
    if name == "language" and value not in LANGUAGES:
        raise BadInput(f"one of {', '.join(LANGUAGES)} is expected", *place)
    if name in TEXTS:
        return TEXTS[name], value
    if name == "organization":
        if NUMBER.fullmatch(value) is None:
            raise BadInput("the id of one of Livello's organizations is expected", *place)
        return "organizationId", int(value)
    if isinstance(value, PersonStatus) and value is not PersonStatus.UNKNOWN:
        return "status", value.value
    if isinstance(value, PersonAddress):
        told = {key: getattr(value, one) for one, key in ADDRESS.items()}
        return "address", {key: part for key, part in told.items() if part is not None}
    if name == "membercards":
        return "membercards", list(value)
    raise BadInput("Livello keeps nothing of the kind", *place)


async def prepare(client: LivelloClient, order: Ordered) -> VendorRequest:
    """Who is to be made must not be there yet, so that whoever is found by the e-mail later is who was made."""
    members = body(order)
    await client.need(USERS_WRITE)
    if isinstance(order, UpdatePerson):
        if await client.user(order.person) is None:
            raise NotFound("the vendor has no such user")
        return VendorRequest(operation="update-user", path={"id": order.person}, body=members)
    known = await _find(client, members)
    if known is not None:
        error = VendorConflict(TAKEN, account=client.account.key, vendor=client.account.vendor.value, sent=False)
        error.subject = _subject(client, known)
        raise error
    return VendorRequest(operation="create-user", body=members)


async def _find(client: LivelloClient, members: Raw) -> Raw | None:
    wanted = members["email"].casefold()
    found = await client.users_named(members["lastName"])
    return next(
        (row for row in found if isinstance(row, dict) and (text(row.get("email")) or "").casefold() == wanted), None
    )


def _subject(client: LivelloClient, row: Any) -> Ref:
    return client.account.to(Kind.PERSON, record(client.account, "user", row, lambda row: need(row.get("id"))))


async def send(client: LivelloClient, request: VendorRequest) -> Taken:
    answer = await client.act(request, private=True)
    made = _subject(client, answer.data)
    if request.path and made.native != request.path["id"]:
        raise client.broken(f"the answer to {request.operation} is of another user")
    return Taken(done=True, result={"id": made.native}, subject=made)


async def fulfilled(client: LivelloClient, order: Ordered) -> Ref | bool | None:
    """None where who was to change is gone, or not all is shown of what was to."""
    try:
        members = body(order)
    except BadInput:
        return None
    made = isinstance(order, CreatePerson)
    found = await (_find(client, members) if isinstance(order, CreatePerson) else client.user(order.person))
    if not isinstance(found, dict):
        return False if made else None
    shown = shows(found, members)
    return _subject(client, found) if shown or (made and shown is None) else shown
