"""What SmartEPI's dispensers have handed out, taken back and exchanged."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from sandbox.smartepi_records import EMPLOYEES, EXCHANGES, RETURNS, TRANSACTIONS, WITHDRAWALS, Kind, Record, Store
from sandbox.world import PLACES, World

STATUS_MEMBERS = {"withdrawals": "withdrawalStatus", "returns": "returnStatus", "exchanges": "exchangeStatus"}
STATUSES = ("SUCCESS", "FAILED", "JAMMED")  # the last is a word that no one has announced
STATUS_WEIGHTS = (93, 5, 2)
A_DEVICE = {WITHDRAWALS.path: 50, RETURNS.path: 5, EXCHANGES.path: 8 / 3}  # so many in the history


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    id: str
    name: str | None


class History:
    def __init__(self, world: World, store: Store, gone: list[Record]) -> None:
        self._store = store
        self._former = gone
        rng = world.random("smartepi", "devices")
        self._devices = [_device(number, rng) for number in range(world.count(30))]
        for kind in TRANSACTIONS:
            self._add_all(world, kind, world.random("smartepi", kind.path))

    def record(self, kind: Kind, device: Device, at: datetime, rng: Random, *, former: bool = False) -> Record:
        """One transaction of an employee, who may have left since where `former`."""
        employees = self._store.records(EMPLOYEES) + (self._former if former else [])
        employee, product = rng.choice(employees), rng.choice(self._store.items("products")).record
        members: Record = {
            STATUS_MEMBERS[kind.path]: rng.choices(STATUSES, weights=STATUS_WEIGHTS)[0],
            "employeeId": employee["id"],
            "employeeName": employee["name"],
            "productId": product["id"],
            "productName": product["name"],
            "quantity": rng.choice((1, 1, 1, 2)),
            "deviceId": device.id,
            "deviceName": device.name,
            "costCenterId": employee["costCenterId"],
            "sectorId": employee["sectorId"],
            "createdAt": int(at.timestamp()),
        }
        if kind is EXCHANGES:
            returned = rng.choice(self._store.items("products")).record
            members |= {"returnedProductId": returned["id"], "returnedQuantity": 1}
        if rng.random() < 0.06:
            del members["deviceName"]
        return self._store.add(kind, members, int(at.timestamp())).record

    def device(self, key: str | None, rng: Random) -> Device:
        """KeyError where there is none of that id."""
        found = [device for device in self._devices if key in {None, device.id}]
        if not found:
            raise KeyError(key)
        return rng.choice(found)

    def seen(self) -> list[Record]:
        """The devices that occur in transactions, with the name they were ever seen under."""
        found: dict[str, str | None] = {}
        for row in (row for kind in TRANSACTIONS for row in self._store.records(kind)):
            found[row["deviceId"]] = row.get("deviceName") or found.get(row["deviceId"])
        return [{"id": key, "name": name} for key, name in sorted(found.items())]

    def _add_all(self, world: World, kind: Kind, rng: Random) -> None:
        for moment in world.moments(rng, round(A_DEVICE[kind.path] * len(self._devices))):
            self.record(kind, rng.choice(self._devices), moment, rng, former=True)


def _device(number: int, rng: Random) -> Device:
    """Every twelfth has never been given a name."""
    name = f"{PLACES[number % len(PLACES)].name} {1 + number // len(PLACES)}"
    return Device(id=f"dev_{rng.getrandbits(40):010x}", name=None if number % 12 == 7 else name)
