"""Visits of technicians, and what they did.

https://docs.vendnovation-services.com/vendor/v2.1/ sessions/get, sessions/create, sessions/events/get"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.base import Account
from connectors.parsing import Raw, iso, need, need_iso, readable, record, rows, text, truth
from connectors.vendnovation.client import NUMBER, WIDEST, VendNovationClient
from connectors.vendnovation.dates import around
from domain.backoffice import CreateServiceSession, ServiceSession, ServiceSessionEvent
from domain.errors import BadInput
from domain.refs import Kind
from domain.times import Span

CREATE = "create-sessions"
LONGEST_DATA = 2000
SLACK = timedelta(milliseconds=1)


async def sessions(client: VendNovationClient, span: Span) -> Sequence[ServiceSession]:
    """A filter that is not honoured is ignored without a word: what was not asked for is left out."""
    told = readable(client.account, "session", await client.sessions(span), lambda row: _session(client.account, row))
    found = [one for one in told.items if one.started_at in span]
    return sorted(found, key=lambda one: (one.started_at, one.vendor_id), reverse=True)


def _session(account: Account, row: Raw) -> ServiceSession:
    native, started, machine = need(row["id"]), need_iso(row["startedAtUtc"]), text(row.get("machineId"))
    return ServiceSession(
        account_ref=account.ref,
        native=f"{native}@{int(started.timestamp() * 1000)}",
        machine_ref=None if machine is None else account.to(Kind.MACHINE, machine),
        vendor_id=native,
        started_at=started,
        ended_at=iso(row.get("endedAtUtc")),
        login=text(row.get("login")),
        reason=text(row.get("reason")),
        login_succeeded=truth(row.get("loginWasSuccessful")),
        abandoned=truth(row.get("wasAbandoned")),
        source=text(row.get("source")),
    )


async def events(client: VendNovationClient, session: str) -> Sequence[ServiceSessionEvent]:
    """A session is long over when the range of dates ends for which events are asked for."""
    native, began = around(session)
    if began is None or NUMBER.fullmatch(native) is None:
        return []
    told_of = await client.session_events(native, Span(began.since, began.since + WIDEST))
    mine = [row for row in told_of if isinstance(row, dict) and native == text(row.get("sessionIdId"))]
    told = readable(client.account, "session event", mine, _event)
    return sorted(told.items, key=lambda one: (one.at, one.vendor_id))


def _event(row: Raw) -> ServiceSessionEvent:
    """What goes with it is a text, or something that is shown as one."""
    data = row.get("data")
    details = data if isinstance(data, str) else None if data is None else str(data)
    return ServiceSessionEvent(
        vendor_id=need(row["id"]),
        kind=text(row.get("eventType")),
        at=need_iso(row["loggedAt"]),
        details=details and details[:LONGEST_DATA],
    )


async def creating(client: VendNovationClient, order: CreateServiceSession) -> VendorRequest:
    row = next((one for one in await client.machines([order.machine]) if _is(one, order.machine)), None)
    if row is None:
        raise BadInput("the vendor has no such machine", "input", "machineId")
    session = {
        "machineId": row["id"],
        "organizationId": row.get("organizationId"),
        "startedAtUtc": _moment(order.started_at),
        "endedAtUtc": None if order.ended_at is None else _moment(order.ended_at),
        "reason": order.reason,
    }
    told = {member: value for member, value in session.items() if value is not None}
    return VendorRequest(operation=CREATE, body={"body": [told]})


def _is(row: Any, native: str) -> bool:
    return isinstance(row, dict) and text(row.get("id")) == native


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def made(client: VendNovationClient, answer: Any) -> Taken:
    """The answer is a list of ids, of the one."""

    def read(found: Any) -> Taken:
        (native,) = map(need, rows(client.account, "the new session", found))
        return Taken(done=True, result={"session": native})

    return record(client.account, "session", answer, read)


async def created(client: VendNovationClient, order: CreateServiceSession) -> bool | None:
    """By the very time at which it is to have begun, which no other of the machine has."""
    found = await sessions(client, Span(order.started_at, order.started_at + SLACK))
    mine = [one for one in found if one.machine_ref is not None and one.machine_ref.native == order.machine]
    return any(one.started_at == order.started_at and one.reason == order.reason for one in mine)
