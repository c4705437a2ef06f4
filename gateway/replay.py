"""Reads once more what was genuine and could not be read: after a new version, or a vendor's new word."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.base import Connector
from connectors.reporting import Delivery, SendsWebhooks
from domain.errors import VendorError
from domain.facts import Origin
from domain.times import utc_now
from journal import reports
from journal.appending import Illegible, Report
from journal.journal import Journal
from journal.writer import JournalUnavailable


@dataclass(frozen=True, slots=True)
class Replayed:
    """`reason`: why it still cannot be read, None where it was."""

    account: str
    received_at: datetime
    reason: str | None


async def replay(journal: Journal, connectors: Mapping[str, Connector], since: datetime) -> list[Replayed]:
    """Everything in quarantine that was received since then, oldest first. Raises JournalUnavailable."""
    found: list[Replayed] = []
    await journal.start()
    try:
        for one in reports.quarantined(journal.engine, since):
            reason = await _replay(journal, connectors.get(one.account), one)
            found.append(Replayed(one.account, one.received_at, reason))
    finally:
        await journal.close()
    return found


async def _replay(journal: Journal, connector: Connector | None, one: Illegible) -> str | None:
    if not isinstance(connector, SendsWebhooks):
        return "there is no such account any more"
    try:
        await journal.append(_report(connector, one))
    except JournalUnavailable:
        raise
    except VendorError as error:
        return error.message
    except Exception as error:  # noqa: BLE001  one that cannot be read must not keep the others from being read
        return type(error).__name__
    reports.set_replayed(journal.engine, one.key, utc_now())
    return None


def _report(connector: SendsWebhooks, one: Illegible) -> Report:
    headers = json.loads(one.headers)
    delivery = Delivery(headers=headers, body=one.body, received_at=one.received_at, machine=one.machine)
    facts = connector.facts(json.loads(one.signed), delivery)
    return Report(account=one.account, facts=facts, origin=Origin.WEBHOOK, received_at=one.received_at, raw=one.body)
