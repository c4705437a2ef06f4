"""A kiosk's last session: each of them ended with a purchase, and is over when its transaction is there."""

from datetime import datetime, timedelta

from starlette.datastructures import QueryParams

from sandbox.livello_fleet import Fleet, Row, iso
from sandbox.livello_gate import Problem
from sandbox.livello_query import number

USUAL_MINUTES = 30


def last_session(query: QueryParams, fleet: Fleet, serial: str, now: datetime) -> Row:
    """What is answered where there was none lately, the documents do not say: here it is that there is none."""
    since = iso(now - timedelta(minutes=number(query, "maxAgeMinutes", USUAL_MINUTES, least=1)))
    sold = (one for one in fleet.transactions if one["kiosk"]["serialNumber"] == serial and one["created"] >= since)
    last = max(sold, key=lambda one: str(one["created"]), default=None)
    if last is None:
        raise Problem(404, "Session not found")
    return {
        "status": "CLOSED",
        "type": last["type"],
        "createdAt": last["created"],
        "updatedAt": last["created"],
        "isTerminal": True,
        "details": last["session"]["details"],
    }
