"""EatMachine's webhooks: `{type, data, fridge, command}`, with no signature, no id and no time of sending.

https://api.eatmachine.io "Webhooks". So the address is the secret, one for each fridge. The documents' samples leave
members out, and one of them is no JSON for a comma too many."""

import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from connectors.base import Account
from connectors.deliveries import digest, read
from connectors.eatmachine import estate
from connectors.eatmachine.estate import NEW, bindings, token
from connectors.eatmachine.events import BADGE, event
from connectors.eatmachine.report import LINKED, Report, command_word, links, member, observation, taken_apart
from connectors.parsing import Raw, record, text
from connectors.reporting import Delivery, Forged, Illegible
from domain.errors import BadInput
from domain.facts import Content, Fact, occurrence

ROUTINE = frozenset({"heartbeat", "ack"})  # they say no more than the state and the command's word
# A text that has no end is all the rest, so that the search is linear.
TEXT_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|,(?=\s*[}\]])', re.DOTALL)


def address(account: Account, machine: str | None) -> str:
    if not machine:
        raise BadInput(f"{account.key} has an address for each machine: name one")
    if account.webhook is None:
        raise BadInput(f"{account.key} has no webhook.url_secret in the configuration")
    return f"/{quote(machine, safe='')}/{token(account, account.webhook.keys[0], machine)}"


def verify(account: Account, delivery: Delivery) -> Any:
    """There is nothing signed: what came to the fridge's own address is taken for the fridge's."""
    if account.webhook is None:
        raise Forged("no url_secret is configured")
    given, machine = (delivery.token or "").encode(), delivery.machine or ""
    good = [token(account, secret, machine).encode() for secret in account.webhook.keys]
    if not any(hmac.compare_digest(given, one) for one in good):
        raise Forged("the address is no fridge's")
    found = _read(delivery.body)
    told = member(found, "fridge").get("uuid")
    if told is not None and not _may_tell(account, machine, str(told)):
        raise Forged("it tells of another fridge than its address")
    return found


def _may_tell(account: Account, machine: str, told: str) -> bool:
    """An address that was made before its fridge had an id is good for those that have none of their own."""
    if not machine.startswith(NEW):
        return told.lower() == machine.lower()
    return told.lower() not in {known.id.lower() for known in account.machines}


def _read(body: bytes) -> Any:
    try:
        return read(body)
    except ValueError:
        pass
    try:
        return read(_without_trailing_commas(body))
    except ValueError:
        raise Illegible("the body is no JSON, or nested too deeply") from None


def _without_trailing_commas(body: bytes) -> bytes:
    return TEXT_OR_COMMA.sub(lambda found: "" if found[0] == "," else found[0], body.decode()).encode()


def facts(account: Account, signed: Any, delivery: Delivery) -> Sequence[Fact]:
    return record(account, "delivery", signed, lambda row: list(_all_facts(account, row, delivery)))


def _all_facts(account: Account, row: Raw, delivery: Delivery) -> Iterable[Fact]:
    """What comes to an address that was made before its fridge had an id is of the fridge that it names, and binds it
    to that."""
    new = _new(row, delivery)
    if new is None:
        yield from _facts(account, taken_apart(row, delivery))
    else:
        place, told = new
        yield from _facts(account, taken_apart(row, replace(delivery, machine=told)))
        yield from bindings(place, told, delivery.received_at)


def _new(signed: Any, delivery: Delivery) -> tuple[str, str] | None:
    """What stands for the fridge in such an address, and the fridge that is told of; None where there is none."""
    told, place = text(member(signed, "fridge").get("uuid")), delivery.machine or ""
    return (place, told) if told is not None and place.startswith(NEW) else None


def binding(signed: Any, delivery: Delivery) -> tuple[str, str] | None:
    new = _new(signed, delivery)
    return None if new is None else estate.binding(*new)


def _facts(account: Account, report: Report) -> Iterable[Fact]:
    """The parts of a report are facts of different kinds, so that one identity serves them all."""
    identity, name = _identity(account, report), text(report.fridge.get("name"))
    nameless = report.machine.startswith(NEW)  # it tells of tags alone, and not of which fridge
    for content in _contents(account, report, identity):
        yield Fact(
            identity=identity,
            machine=None if nameless else report.machine,
            recorded_at=report.received_at,
            occurred_at=report.at,
            content=content,
            fleeting=report.fleeting,
            topic=report.type,
            machine_name=name,
        )


def _contents(account: Account, report: Report, identity: str) -> Iterable[Content]:
    if report.machine.startswith(NEW):
        if report.type == LINKED:
            yield links(account, report)
        return
    if report.type not in ROUTINE:
        yield event(account, report, occurrence(identity, report.received_at) if report.fleeting else identity)
    if report.fridge or report.type != LINKED:  # the fridge has no part in a linking
        yield observation(report)
    if report.type == LINKED:
        yield links(account, report)
    if report.uuid is not None:
        yield command_word(report, report.uuid)


def _identity(account: Account, report: Report) -> str:
    """What a repeat has in common with the first: there is no id. A command reports each of its steps once."""
    data = report.row.get("data")
    if report.uuid is not None:
        return f"{report.uuid}:{report.type}:{report.status or ''}:{digest(data)}"
    told_at = None if report.told_at is None else report.told_at.isoformat()
    linked = member(report.row, "product").get("uuid")
    return digest(report.machine, report.type, told_at, data, linked, _salt(account, report))


def _salt(account: Account, report: Report) -> str | None:
    """An event's id is for all to see, and a badge's token is short enough to be found by trying."""
    if report.type != BADGE or account.webhook is None:
        return None
    return account.webhook.keys[-1].reveal()
