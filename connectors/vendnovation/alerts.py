"""Alerts as VendNovation takes them back: cleared for good, and never the other way.

https://docs.vendnovation-services.com/vendor/v2.1/alerts/update"""

from datetime import UTC
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.parsing import Raw, text
from connectors.vendnovation.client import VendNovationClient
from connectors.vendnovation.dates import around
from connectors.vendnovation.records import event
from domain.errors import BadInput, VendorConflict, VendorRejected
from domain.facts import Fact
from domain.model import EventState, MachineEvent
from domain.refs import Ref
from domain.times import utc_now
from domain.upkeep import ResolveEvent

CLEAR = "update-alerts"
CLEAR_BY_IDS = "clear-alerts"  # deprecated: only for a stage of the vendor's that has nothing newer


async def resolving(client: VendNovationClient, order: ResolveEvent) -> VendorRequest:
    """Its message goes back as it is, unless there is another: whether what is left out stays is not documented."""
    row = await _alert(client, order.event)
    if row is None:
        raise BadInput("the vendor has no such alert", "input", "eventId")
    told = event(client.account, row)
    if told.state is EventState.RESOLVED:
        raise VendorConflict(
            "it was cleared before",
            account=client.account.key,
            vendor="vendnovation",
            sent=False,
            current=told.vendor_data,
            subject=told.ref,
        )
    at = utc_now().astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    changed = {"id": row["id"], "isCleared": True, "clearedAt": at, "message": order.message or row.get("message")}
    known = {} if order.message else {"event": order.event}  # clearing by ids takes no message
    return VendorRequest(operation=CLEAR, path=known, body={"body": [changed]})


async def clear(client: VendNovationClient, request: VendorRequest) -> Taken:
    """Where there is no such operation nothing was done by it, and the older one may be there."""
    try:
        return _cleared(client, request, (await client.act(request)).data)
    except VendorRejected as error:
        if not error.missing or "event" not in request.path:
            raise
    ids = {"routeFilter": {"alertIds": [request.body["body"][0]["id"]]}}
    await client.act(VendorRequest(operation=CLEAR_BY_IDS, body=ids))
    return _cleared(client, request, [await _alert(client, request.path["event"])])


def _cleared(client: VendNovationClient, request: VendorRequest, answer: Any) -> Taken:
    """The answer has to show the alert, and that it is cleared."""
    wanted = str(request.body["body"][0]["id"])
    rows = answer if isinstance(answer, list) else []
    found = next((row for row in rows if isinstance(row, dict) and text(row.get("id")) == wanted), None)
    told = None if found is None else event(client.account, found)
    if told is None or told.state is not EventState.RESOLVED:
        raise client.broken(f"the answer to {request.operation} does not show the alert as cleared")
    return Taken(
        done=True, result={"clearedAt": found and found.get("clearedAt")}, subject=told.ref, facts=[_fact(told)]
    )


def _fact(told: MachineEvent) -> Fact:
    """Lists tell each alert once, as it is raised: that it is over has an identity of its own."""
    return Fact(
        identity=f"cleared:{told.vendor_id}",
        machine=None if told.machine_ref is None else told.machine_ref.native,
        recorded_at=told.recorded_at,
        occurred_at=utc_now(),
        content=told,
    )


async def resolved(client: VendNovationClient, order: ResolveEvent) -> Ref | bool | None:
    row = await _alert(client, order.event)
    told = None if row is None else event(client.account, row)
    if told is None or told.state is EventState.UNKNOWN:
        return None
    return told.ref if told.state is EventState.RESOLVED else False


async def _alert(client: VendNovationClient, native: str) -> Raw | None:
    wanted, span = around(native)
    rows = [] if span is None else await client.alert(wanted, span)
    return next((row for row in rows if isinstance(row, dict) and text(row.get("id")) == wanted), None)
