"""What VendNovation knows of its machines besides sales: adjustments of stock, alerts, sessions."""

from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from sandbox.vendnovation_fleet import Fleet, Machine
from sandbox.vendnovation_sales import either, fraction
from sandbox.vendnovation_tables import NEVER, Entry, Record, Table, one, stamp
from sandbox.world import World

ALERTS = {
    "NS": "No sales in 24 hours",
    "TF": "Temperature out of range",
    "DO": "Door open longer than 10 minutes",
    "LS": "Selections below their alert level",
    "CR": "Card reader does not answer",
    "OF": "No check-in since 2 hours",
    "Q7": "Condition Q7",
}
BY_ITSELF = "OF"  # ends when the machine checks in, so no one can clear it


class Change(NamedTuple):
    kind: str
    delta: int
    level: int  # after it


class History:
    def __init__(self, world: World, fleet: Fleet) -> None:
        self._world, self._fleet = world, fleet
        self.adjustments, self.alerts = Table("adjustment"), Table("alert")
        self.sessions, self.session_events = Table("session"), Table("session event")
        for machine in fleet.machines.values():
            self._add_adjustments(machine, world.random("vendnovation", "stock", machine.id))
        self._first_alert = 9001
        self._add_alerts(world.random("vendnovation", "alerts"))
        self._first_alert = world.next_number
        self._add_sessions(world.random("vendnovation", "sessions"))

    def adjust(self, machine: Machine, selection: Record, delta: int, at: datetime, *, kind: str) -> Record:
        """One more row of the journal of a selection; its count changes with it."""
        selection["count"] += delta
        return self._note(machine, selection, Change(kind, delta, selection["count"]), at)

    def _add_adjustments(self, machine: Machine, rng: Random) -> None:
        """From the present count backwards, so that the levels tell one story."""
        for selection in machine.sellable[:8] if machine.counts_stock else ():
            level = selection["count"]
            for moment in reversed(self._world.moments(rng, rng.randint(1, 4))):
                change = _change(level, selection["depth"], rng)
                self._note(machine, selection, change, fraction(moment, rng), rng)
                level -= change.delta

    def _note(
        self, machine: Machine, selection: Record, change: Change, at: datetime, rng: Random | None = None
    ) -> Record:
        """With a generator, the row has the oddities of old ones: text ids, takes that count up, no type."""
        taken = change.kind == "take"
        site = self._fleet.sites.find(machine.record["siteId"])
        assert site is not None
        record = {
            "id": 52001 + len(self.adjustments),
            "eventType": change.kind,
            "adjustmentOccurredAt": stamp(at),
            "takeOccurredAt": stamp(at - timedelta(seconds=4)) if taken else None,
            "siteId": site.record["id"],
            "siteExternalId": site.record["externalId"],
            "machineId": either(machine.id, rng) if rng else machine.id,
            "machineExternalId": machine.record["assetId"],
            "selection": selection["friendlyNumber"],
            "productId": selection["productId"],
            "userId": None if taken else 77,
            "externalUserIdentifier": None,
            "adjustmentSize": -change.delta if taken and rng and rng.random() < 0.3 else change.delta,
            "newStockLevel": change.level,
        }
        if rng and rng.random() < 0.05:
            del record["eventType"]
        return self.adjustments.add(Entry(record=record, keys=machine.keys, at=at))

    def alarm(self, machine: Machine, at: datetime, rng: Random, code: str | None = None) -> Record:
        """An alert that nobody has cleared."""
        return self._add_alert(machine, code or rng.choice(list(ALERTS)), at, None, rng)

    def _add_alerts(self, rng: Random) -> None:
        machines = [machine for machine in self._fleet.machines.values() if not machine.deleted]
        for moment in self._world.moments(rng, self._world.count(120)):
            machine, raised = rng.choice(machines), fraction(moment, rng)
            cleared = min(raised + timedelta(minutes=rng.randint(5, 4000)), self._world.start)
            is_cleared = rng.random() < 0.7
            self._add_alert(machine, rng.choice(list(ALERTS)), raised, cleared if is_cleared else None, rng)

    def _add_alert(
        self, machine: Machine, code: str, raised: datetime, cleared: datetime | None, rng: Random
    ) -> Record:
        number = self._first_alert + len(self.alerts)
        record = {
            "id": number,
            "accountId": int(min(machine.keys["accountIds"])),
            "siteId": machine.record["siteId"],
            "machineLocation": machine.place.name,
            "machineProse": machine.record["prose"],
            "machineId": either(machine.id, rng),
            "code": code,
            "message": ALERTS[code],
            "isCleared": cleared is not None,
            "clearedAt": stamp(cleared) if cleared else rng.choice((None, stamp(NEVER))),
            "raisedAt": stamp(raised),
        }
        keys = machine.keys | {"alertIds": one(number), "alertCodes": one(code)}
        return self.alerts.add(Entry(record=record, keys=keys, at=raised))

    def _add_sessions(self, rng: Random) -> None:
        machines = list(self._fleet.machines.values())
        for moment in self._world.moments(rng, self._world.count(80)):
            machine, started = rng.choice(machines), fraction(moment, rng)
            ended = started + timedelta(minutes=rng.randint(1, 30))
            self.add_session(machine, started, ended if rng.random() < 0.8 else None)

    def add_session(self, machine: Machine | None, started: datetime, ended: datetime | None) -> Record:
        """A person at a machine, or on the web where there is none."""
        number = 30001 + len(self.sessions)
        record = {
            "id": number,
            "machineId": machine.id if machine else None,
            "organizationId": machine.record["organizationId"] if machine else 101,
            "startedAtUtc": stamp(started),
            "login": "service",
            "loginId": 77,
            "reason": None,
            "loginWasSuccessful": True,
            "endedAtUtc": stamp(ended) if ended else None,
            "wasAbandoned": ended is None,
            "source": "Service Mode" if machine else "Web",
        }
        keys = (machine.keys if machine else {"organizationIds": one(101)}) | {"sessionIds": one(number)}
        self.sessions.add(Entry(record=record, keys=keys, at=started))
        event_id = 60001 + len(self.session_events)
        event = {
            "id": event_id,
            "sessionIdId": number,
            "loggedAt": stamp(started),
            "eventType": "Login",
            "data": None,
        }
        self.session_events.add(Entry(record=event, keys=keys | {"sessionEventIds": one(event_id)}, at=started))
        return record


def _change(level: int, depth: int, rng: Random) -> Change:
    """What may have led to this level from one between 0 and `depth`."""
    kind = rng.choice(("take", "take", "take", "stock", "adjustment", "spoilage"))
    if level < depth and kind in {"take", "spoilage"}:
        return Change(kind, -1, level)
    return Change("adjustment" if kind == "adjustment" else "stock", rng.randint(min(1, level), level), level)
