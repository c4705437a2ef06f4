"""What callers may change at VendNovation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.responses import Response
from tzlocal.windows_tz import win_tz

from sandbox.vendnovation_fleet import Fleet, Machine
from sandbox.vendnovation_history import BY_ITSELF, History
from sandbox.vendnovation_tables import Call, Entry, Record, Refusal, Table, one, parse_moment, stamp

SELECTION_MEMBERS = (
    "productId",
    "price",
    "invoicePrice",
    "restockTo",
    "depth",
    "count",
    "alertLevel",
    "restockAt",
    "freeCount",
    "tax",
    "commission",
    "selectionNumber",
)
MACHINE_MEMBERS = (
    "assetId",
    "siteId",
    "name",
    "taxPercentage",
    "commissionPercentage",
    "forceUpdate",
    "enableAccountSales",
    "enableCashSales",
    "enableCreditSales",
    "isVisible",
    "enableSlotCountTracking",
    "useInternetPricing",
    "useMachineTaxRate",
    "useMachineCommissionRate",
    "creditProcessingFee",
    "ignoreDoorState",
    "offerSmsReceipts",
)
SESSION_MEMBERS = frozenset({"machineId", "organizationId", "startedAtUtc", "endedAtUtc", "reason"})
LONGEST_NAME = 120
SWITCHES = ("enable", "is", "use", "force", "ignore", "offer")


class Changes:
    def __init__(self, fleet: Fleet, history: History) -> None:
        self._fleet, self._history = fleet, history

    def selections(self, call: Call, now: datetime) -> list[Record]:
        """Whole selections: all are looked at before the first is changed."""
        pairs = [(_known(self._fleet.selections, row), row) for row in _rows(call)]
        for entry, row in pairs:
            self._check_selection(entry.record, row)
        return [self._change_selection(entry, row, now) for entry, row in pairs]

    def deltas(self, call: Call, now: datetime) -> list[Record]:
        pairs = [(_known(self._fleet.selections, row, "selectionId"), row) for row in _rows(call)]
        for entry, row in pairs:
            delta = row.get("delta")
            if unknown := row.keys() - {"selectionId", "delta"}:
                raise Refusal(400, "INVALID_REQUEST", f"{min(unknown)} is no member of a delta.")
            if not isinstance(delta, int) or isinstance(delta, bool) or entry.record["count"] + delta < 0:
                raise Refusal(422, "SELECTION_VALIDATION", f"No selection can change by {delta!r}.")
        for entry, row in pairs:
            self._adjust(entry.record, row["delta"], now)
        return [entry.record for entry, _ in pairs]

    def machines(self, call: Call) -> list[Machine]:
        pairs = [(_known(self._fleet.machine_rows, row), row) for row in _rows(call)]
        for _, row in pairs:
            _check_machine(row)
            if "siteId" in row:
                _known(self._fleet.sites, row, "siteId")
        return [self._change_machine(entry, row) for entry, row in pairs]

    def provision(self, call: Call, now: datetime) -> Response:
        organizations, names = call.wanted("organizationIds"), call.wanted("machineIdentifiers")
        wanted = organizations | names
        if len(wanted) != 2 or any(len(values) != 1 for values in wanted.values()):
            raise Refusal(400, "INVALID_REQUEST", "Name exactly one organization and one machine.")
        rows = self._fleet.machine_rows.select(wanted)
        if not rows:
            raise Refusal(403, "UNAUTHORIZED_DATA_ACCESS", "The machine is not among yours.")
        if rows[0]["callInCode"] is None:
            raise Refusal(422, "NO_CALL_IN_CODE", "The machine shows no call-in code.")
        rows[0] |= {"callInCode": None, "provisionedAt": stamp(now)}
        self._fleet.machines[rows[0]["id"]].silent_since = None
        return Response(status_code=204)

    def add_sites(self, call: Call) -> list[int]:
        rows = [{name.lower(): value for name, value in row.items()} for row in _rows(call, largest=50)]
        return [self._add_site(row) for row in rows]

    def alerts(self, call: Call, now: datetime) -> list[Record]:
        """Only `message`, `isCleared` and `clearedAt` are taken, and none is cleared no more."""
        pairs = [(_known(self._history.alerts, row), row) for row in _rows(call)]
        for entry, row in pairs:
            if isinstance(row.get("message"), str):
                entry.record["message"] = row["message"]
            if row.get("clearedAt") is not None or row.get("isCleared") is True:
                cleared = parse_moment(row["clearedAt"]) if row.get("clearedAt") is not None else now
                entry.record |= {"isCleared": True, "clearedAt": stamp(cleared)}
        return [entry.record for entry, _ in pairs]

    def clear_alerts(self, call: Call, now: datetime) -> Response:
        ids = call.route.get("alertIds")
        keys = ids if isinstance(ids, list) else []
        entries = [_known(self._history.alerts, {"id": key}) for key in keys]
        for entry in entries:
            if entry.record["isCleared"]:
                raise Refusal(400, "ALREADY_CLEARED", f"Alert {entry.record['id']} has been cleared before.")
            if entry.record["code"] == BY_ITSELF:
                raise Refusal(422, "UNCLEARABLE", f"Alert {entry.record['id']} ends by itself.")
        for entry in entries:
            entry.record |= {"isCleared": True, "clearedAt": stamp(now)}
        return Response(status_code=204)

    def add_sessions(self, call: Call, now: datetime) -> list[int]:
        rows = _rows(call, largest=50)
        for row in rows:
            _check_session(row)
        return [self._add_session(row, now) for row in rows]

    def _check_selection(self, record: Record, row: Mapping[str, Any]) -> None:
        missing = [name for name in SELECTION_MEMBERS if name not in row]
        if missing:
            raise Refusal(400, "INVALID_REQUEST", f"Selection {record['id']} lacks {', '.join(missing)}.")
        levels = [0, row["alertLevel"], row["restockAt"], row["restockTo"], row["depth"]]
        numbers = [*levels, row["count"], row["price"]]
        if not all(isinstance(number, (int, float)) and number >= 0 for number in numbers):
            raise Refusal(422, "SELECTION_VALIDATION", "Levels, count and price are numbers from zero.")
        if levels != sorted(levels):
            raise Refusal(422, "SELECTION_VALIDATION", "alertLevel, restockAt, restockTo, depth must not fall.")
        if row["productId"] not in (None, -1):
            _known(self._fleet.products, row, "productId")

    def _change_selection(self, entry: Entry, row: Mapping[str, Any], now: datetime) -> Record:
        record = entry.record
        settings = {name: row[name] for name in SELECTION_MEMBERS if name != "count"}
        settings["selectionNumber"] = str(settings["selectionNumber"])
        if row["count"] != record["count"]:
            self._adjust(record, row["count"] - record["count"], now)
        if any(record[name] != value for name, value in settings.items()):
            self._fleet.machines[record["machineId"]].planogram_changed_at = now
            record |= settings
            entry.keys = entry.keys | {"productIds": frozenset({str(record["productId"])})}
        return record

    def _adjust(self, record: Record, delta: int, now: datetime) -> None:
        self._history.adjust(self._fleet.machines[record["machineId"]], record, delta, now, kind="adjustment")

    def _change_machine(self, entry: Entry, row: Mapping[str, Any]) -> Machine:
        machine = self._fleet.machines[entry.record["id"]]
        changes = {name: row[name] for name in MACHINE_MEMBERS if name in row}
        site = self._fleet.sites.find(changes.pop("siteId", machine.record["siteId"]))
        if site and site.record["id"] != machine.record["siteId"]:
            self._fleet.move(machine, site.record)
        if any(machine.record[name] != value for name, value in changes.items()):
            machine.record |= changes | {"hardwareSettingsChanged": True}
        return machine

    def _add_site(self, row: Mapping[str, Any]) -> int:
        account, name = self._fleet.accounts.find(row.get("accountid")), row.get("name")
        if account is None or not isinstance(name, str) or not name:
            raise Refusal(422, "SITE_VALIDATION", "A site needs a name and one of your accounts.")
        _check_site(account, row)
        taken = self._fleet.sites.select({"accountIds": account.keys["accountIds"]})
        if any(site["name"] == name for site in taken):
            raise Refusal(400, "NAME_UNIQUENESS", f"The account has a site {name!r}.")
        record = {
            "id": 1601 + len(self._fleet.sites),
            "name": name,
            "externalId": row.get("externalid"),
            "accountId": account.record["id"],
            "timeZone": row.get("timezone"),
            "address": row.get("billingaddress"),
        }
        return int(self._fleet.add_site(record)["id"])

    def _add_session(self, row: Mapping[str, Any], now: datetime) -> int:
        machine = None
        if row.get("machineId") is not None:
            machine = self._fleet.machines[_known(self._fleet.machine_rows, row, "machineId").record["id"]]
        started = now if row.get("startedAtUtc") is None else parse_moment(row["startedAtUtc"])
        ended = None if row.get("endedAtUtc") is None else parse_moment(row["endedAtUtc"])
        record = self._history.add_session(machine, started, ended)
        record |= {"reason": row.get("reason"), "login": "api", "source": "Web"}
        return int(record["id"])


def _check_session(row: Mapping[str, Any]) -> None:
    if unknown := row.keys() - SESSION_MEMBERS:
        raise Refusal(400, "INVALID_REQUEST", f"{min(unknown)} is no member of a session.")
    if row.get("reason") is not None and not isinstance(row["reason"], str):
        raise Refusal(400, "INVALID_REQUEST", "A reason is a text.")


def _check_site(account: Entry, row: Mapping[str, Any]) -> None:
    charge, zone = row.get("maxchargeprice"), row.get("timezone")
    if account.keys["organizationIds"] != one(row.get("orgid")):
        raise Refusal(422, "SITE_VALIDATION", "The account is not of this organization.")
    if zone is not None and zone not in win_tz:
        raise Refusal(422, "SITE_VALIDATION", f"{zone!r} is no time zone.")
    if charge is not None and (isinstance(charge, bool) or not isinstance(charge, int | float) or charge < 0):
        raise Refusal(422, "SITE_VALIDATION", "MaxChargePrice is a number from zero.")


def _check_machine(row: Mapping[str, Any]) -> None:
    """By the model's types; what it cannot take is left as it is."""
    if len(str(row.get("name", ""))) > LONGEST_NAME:
        raise Refusal(400, "INVALID_REQUEST", f"A name has at most {LONGEST_NAME} characters.")
    numbers = [row.get(name, 0) for name in MACHINE_MEMBERS if name.endswith(("Percentage", "Fee"))]
    if not all(isinstance(number, int | float) and not isinstance(number, bool) and number >= 0 for number in numbers):
        raise Refusal(400, "INVALID_REQUEST", "Percentages and fees are numbers from zero.")
    switches = [row.get(name, True) for name in MACHINE_MEMBERS if name.startswith(SWITCHES)]
    if not all(isinstance(switch, bool) for switch in switches):
        raise Refusal(400, "INVALID_REQUEST", "Switches are true or false.")


def _rows(call: Call, *, largest: int = 100) -> list[Mapping[str, Any]]:
    rows = call.body
    if not isinstance(rows, list) or len(rows) > largest or not all(isinstance(row, dict) for row in rows):
        raise Refusal(400, "INVALID_REQUEST", f"`body` must be a list of at most {largest} objects.")
    return rows


def _known(table: Table, row: Mapping[str, Any], name: str = "id") -> Entry:
    entry = table.find(row.get(name))
    if entry is None or entry.deleted:
        raise Refusal(403, "UNAUTHORIZED_DATA_ACCESS", f"{table.name} {row.get(name)!r} is not among yours.")
    return entry
