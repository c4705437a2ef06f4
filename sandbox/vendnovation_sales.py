"""VendNovation's transactions, with what is known of their lines and payments."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from sandbox.vendnovation_fleet import Fleet, Machine
from sandbox.vendnovation_tables import Entry, Record, Table, one, stamp
from sandbox.world import World

CENT = Decimal("0.01")
DELAYS = (
    2,
    3,
    5,
    8,
    13,
    40,
    300,
    21_600,
)  # seconds between a vend and its record: some machines were offline
PAYMENTS = ("Credit", "Credit", "Credit", "Credit", "Cash", "Cash", "Account", "A ", "Unknown", "Wallet")
LAST_SALES = {
    "Cash": "lastCashSale",
    "Credit": "lastCreditSale",
    "Account": "lastAccountSale",
    "A ": "lastAccountSale",
}
UNKNOWN_PRODUCT = {"productId": -1, "productName": "Unknown", "productUpc": None, "size": None}
STATUSES = ("charged", "authorized", "void", "error", "unknown", "disputed")
STATUS_WEIGHTS = (80, 8, 4, 3, 3, 2)


class Sales:
    def __init__(self, world: World, fleet: Fleet) -> None:
        self._world, self._fleet = world, fleet
        self.transactions, self.metadata = Table("transaction"), Table("metadata")
        self._first = 1000
        for machine in fleet.machines.values():
            self._add_sales(machine, world.random("vendnovation", "sales", machine.id))
        self._first = world.next_number

    def sell(self, machine: Machine, recorded: datetime, rng: Random) -> Record:
        """A transaction with its metadata; stock is left as it is."""
        record = self._transaction(machine, recorded, rng)
        keys = machine.keys | {"transactionIdentifiers": one(record["id"])}
        self.transactions.add(Entry(record=record, keys=keys, at=recorded))
        metadata_keys = machine.keys | {"transactionIds": one(record["id"])}
        self.metadata.add(Entry(record=_metadata(record, rng), keys=metadata_keys, at=recorded), key=record["id"])
        last = LAST_SALES.get(record["paymentInformation"]["type"])
        if last:
            machine.record[last] = machine.moments(recorded)
        return record

    def _add_sales(self, machine: Machine, rng: Random) -> None:
        until = machine.silent_since or self._world.start
        for moment in self._world.moments(rng, 50) if machine.sellable else ():
            if moment < until:
                self.sell(machine, fraction(moment, rng), rng)

    def _transaction(self, machine: Machine, recorded: datetime, rng: Random) -> Record:
        number = f"B{self._first + len(self.transactions)}"
        occurred = recorded - timedelta(seconds=rng.choice(DELAYS))
        chosen = rng.choices(machine.sellable, k=rng.choice((1, 1, 1, 2, 3)))
        lines = [self._line(machine, row, order, rng) for order, row in enumerate(chosen, 1)]
        for line in lines:
            line |= {"recordedAtUtc": stamp(recorded), "occurredAtUtc": stamp(occurred)}
            line["occurredAtLocalTime"] = _local_text(machine.local(occurred), rng)
        tax = sum((Decimal(str(line["taxCharged"])) for line in lines), Decimal(0))
        goods = sum((Decimal(str(line["totalPrice"])) for line in lines), Decimal(0))
        site = self._fleet.sites.find(machine.record["siteId"])
        assert site is not None
        before = machine.former_name and recorded < self._world.start - timedelta(days=self._world.days / 2)
        return {
            "id": number,
            "recordedAtUtc": stamp(recorded),
            "siteId": site.record["id"],
            "siteExternalId": site.record["externalId"],
            "siteName": site.record["name"],
            "machineId": either(machine.id, rng),
            "machineExternalId": machine.record["assetId"],
            "machineName": machine.former_name if before else machine.record["name"],
            "machineModel": machine.record["modelNumber"],
            "totalPrice": float(goods + tax),
            "totalTax": float(tax),
            "lineItems": lines,
            "paymentInformation": _payment(number, rng),
        }

    def _line(self, machine: Machine, selection: Record, order: int, rng: Random) -> Record:
        found = self._fleet.products.find(selection["productId"])
        assert found is not None
        product = found.record
        rate = machine.record["taxPercentage"]
        quantity = rng.choice((1, 1, 1, 1, 1, 1, 2))
        total = Decimal(str(selection["price"])) * quantity
        return {
            "id": either(880000 + 10 * len(self.transactions) + order, rng),
            "selection": selection["selectionNumber"],
            "vendOrder": order,
            "productId": either(product["id"], rng),
            "productName": product["name"],
            "productUpc": product["upc"],
            "size": product["description"],
            "taxRate": rate,
            "taxCharged": float((total * rate / 100).quantize(CENT)),
            "commission": 0,
            "quantity": quantity,
            "unitPrice": selection["price"],
            "totalPrice": float(total),
            "vendWasSuccessful": rng.random() > 0.03,
        } | (UNKNOWN_PRODUCT if rng.random() < 0.01 else {})


def fraction(moment: datetime, rng: Random) -> datetime:
    """Never later than the moment, to the millisecond, and now and then a whole second."""
    return moment - timedelta(milliseconds=rng.choice((0, 840, rng.randrange(1000))))


def either(number: int, rng: Random) -> int | str:
    return str(number) if rng.random() < 0.3 else number


def _local_text(local: datetime, rng: Random) -> str:
    """In some rows on a clock of twelve hours that lost its half of the day."""
    if rng.random() < 0.35 and local.hour > 12:
        local = local.replace(hour=local.hour - 12)
    return stamp(local)


def _payment(number: str, rng: Random) -> Record:
    kind = rng.choice(PAYMENTS)
    return {
        "type": kind,
        "creditInformation": _credit(number, rng) if kind == "Credit" else None,
        "accountInformation": _account(rng) if kind in {"Account", "A "} else None,
    }


def _credit(number: str, rng: Random) -> dict[str, Any]:
    invoice = int(number.removeprefix("B")) + 5_000_000
    return {
        "gateway": "Paylane",
        "invoiceNumber": invoice if rng.random() < 0.5 else str(invoice),
        "cardToken": f"tok_{rng.getrandbits(48):012x}",
        "authorizationNumber": f"{rng.randrange(1_000_000):06}",
        "referenceNumber1": f"{rng.getrandbits(32):08x}",
        "referenceNumber2": None,
        "paymentStatus": rng.choices(STATUSES, weights=STATUS_WEIGHTS)[0],
    }


def _account(rng: Random) -> dict[str, Any]:
    number = rng.randrange(1, 40)
    return {"accountNumber": f"{40_000 + number}", "nameOnAccount": f"Cardholder {number}"}


def _metadata(record: Record, rng: Random) -> Record:
    lines = [
        {
            "lineItemId": int(line["id"]),
            "recordedAtUtc": line["recordedAtUtc"],
            "occurredAtUtc": line["occurredAtUtc"],
            "occurredAtLocal": line["occurredAtLocalTime"],
            "tags": [],
            "files": [],
        }
        for line in record["lineItems"]
    ]
    tags = [{"key": "job", "value": f"J-{rng.randrange(900)}"}] if rng.random() < 0.2 else []
    return {
        "transactionId": record["id"],
        "recordedAtUtc": record["recordedAtUtc"],
        "tags": tags,
        "files": [],
        "lineItems": lines,
    }
