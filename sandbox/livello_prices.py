"""What Livello's product lines cost, and when: each change is a record, and the newest that is in force counts."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sandbox.livello_fleet import Row, iso
from sandbox.livello_gate import Problem

MEMBERS = frozenset({"price", "productLineId", "validFrom", "validTo"})


class Prices:
    """`lines`: as inventories show them. `records` are kept in the order in which they came."""

    def __init__(self, lines: Iterable[Row]) -> None:
        self._lines = {line["id"]: line for line in lines}
        self._first = {native: line["price"] for native, line in self._lines.items()}
        self.records: list[Row] = []

    def add(self, native: str, body: Row, now: datetime) -> Row:
        """The id in the path counts, whatever the body says."""
        line = self._lines.get(int(native)) if native.isascii() and native.isdecimal() else None
        if line is None:
            raise Problem(404, "Product line not found")
        unknown = body.keys() - MEMBERS
        if unknown:
            raise Problem(400, f"property {min(unknown)} should not exist")
        price = body.get("price")
        if not isinstance(price, int | float) or isinstance(price, bool) or price < 0:
            raise Problem(400, "price must be a number from zero")
        since, until = _moment(body, "validFrom") or now, _moment(body, "validTo")
        if until is not None and until <= since:
            raise Problem(400, "validTo must be after validFrom")
        record = {
            "id": len(self.records) + 1,
            "productLineId": line["id"],
            "price": price,
            "validFrom": iso(since),
            "validTo": None if until is None else iso(until),
        }
        self.records.append(record)
        return record

    def settle(self, now: datetime) -> None:
        """Lines cost what they cost by now."""
        moment = iso(now)
        for native in {record["productLineId"] for record in self.records}:
            self._lines[native]["price"] = self._first[native]
        for record in self.records:
            if record["validFrom"] <= moment and (record["validTo"] is None or moment < record["validTo"]):
                self._lines[record["productLineId"]]["price"] = record["price"]


def _moment(body: Row, name: str) -> datetime | None:
    told = body.get(name)
    if told is None:
        return None
    try:
        moment = datetime.fromisoformat(told)
    except (TypeError, ValueError):
        raise Problem(400, f"{name} must be a valid ISO 8601 date string") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
