"""Livello's made-up organizations, kiosks, load cells, products, transactions and alerts."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sandbox.world import GOODS, PLACES, World

Row = dict[str, Any]

PREFIX = "LIV-"
FIRST_PRODUCT = 10  # its id; the others count on from there
SALES_A_KIOSK = 60
ALERTS_A_KIOSK = 3
ALERTS = (
    ("HighTemperature", "high", "The temperature is above its limit"),
    ("LowStock", "low", "A load cell is nearly empty"),
    ("Offline", "mid", "The kiosk was not reached"),
    ("DoorLeftOpen", "catastrophic", "The door stands open"),  # a severity that no document knows
)


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Fleet:
    """`currencies`: those of the organizations in turn."""

    def __init__(self, world: World, currencies: Sequence[str] = ("EUR",)) -> None:
        self._world = world
        self._currencies = currencies
        self._takings: Counter[tuple[str, str]] = Counter()  # cents by kiosk and day
        self._live = world.random("livello", "live")
        self._next = 1000
        rng = world.random("livello", "fleet")
        self.organizations = self._make_organizations()
        self.products = self._make_products(rng)
        self.kiosks: dict[str, Row] = {}
        self.cells: dict[str, list[Row]] = {}
        for number in range(world.count(50)):
            self._add_kiosk(rng, number)
        self.transactions: list[Row] = []
        self.alerts: list[Row] = []
        self._make_history(world.random("livello", "history"))
        self._next = world.next_number

    def show(self, kiosk: Row, now: datetime) -> Row:
        """As the list shows it: when it was last online, and what it took today, move on with the clock."""
        shown = {key: value for key, value in kiosk.items() if key != "silent"}
        if kiosk["silent"] is not None:
            beat = now - timedelta(seconds=now.second % 60) - timedelta(minutes=kiosk["silent"])
            shown["networkLastOnline"] = iso(beat.replace(microsecond=0))
        shown["todaySalesTotal"] = self._takings[kiosk["serialNumber"], iso(now)[:10]] / 100
        return shown

    def detail(self, serial: str) -> Row:
        kiosk = self.kiosks[serial]
        owner = self._owner(kiosk)
        return {
            **{key: kiosk[key] for key in ("_id", "name", "orgId", "serialNumber")},
            "inventory": {"loadCells": self.cells[serial]},
            "controller": {
                "preAuth": 40,
                "tabletLang": "de",
                "tabletFont": "Arial",
                "paymentType": "CreditOrDebitCard",
                "minimumAge": 18,
                "serviceCheck": {},
            },
            "ownerOrganization": {
                "_id": kiosk["orgId"],
                "name": owner["name"],
                "currency": owner["currency"],
                "support": {"email": "help@acme.example", "hotline": "+49 211 555", "hotlineAvailability": "9-17"},
                "contact": {"contactPerson": "Ada Lake", "role": "Lead", "email": "ada.lake@acme.example"},
                "kioskInitScreen": {},
            },
        }

    def _owner(self, kiosk: Row) -> Row:
        return self.organizations[int(kiosk["orgId"]) - 1]

    def alert_types(self) -> list[Row]:
        return [
            {"type": kind, "category": "Operational", "defaultSeverity": severity, "description": text}
            for kind, severity, text in ALERTS
        ]

    def sell(self, at: datetime, serial: str | None = None) -> Row:
        """KeyError where there is no such kiosk."""
        kiosk = self.kiosks[serial or self._live.choice(list(self.kiosks))]
        made = self._record(self._live, kiosk, at)
        for item in made["itemsPurchased"]:
            for cell in self.cells[kiosk["serialNumber"]]:
                line = cell["productLineData"]
                if line is not None and line["id"] == item["productLineId"]:
                    line["quantity"] = max(0, line["quantity"] - item["quantity"])
        return made

    def alarm(self, at: datetime, serial: str | None = None, kind: str | None = None) -> Row:
        """An alert. KeyError where there is no such kiosk."""
        kiosk = self.kiosks[serial or self._live.choice(list(self.kiosks))]
        self.alerts.append(self._alert(self._live, kiosk, at, kind))
        return self.alerts[-1]

    def _make_organizations(self) -> list[Row]:
        names = ("Acme Retail", "Acme North", "Acme South", "Harbour Offices", "Hospitals", "Campus", "Acme Franchise")
        parents = (None, 1, 1, 2, 3, 3, 99)  # the last one's parent is not visible
        return [
            {
                "id": at + 1,
                "name": name,
                "slug": name.lower().replace(" ", "-"),
                "type": "CLIENT",
                "address": {
                    "address": PLACES[at].address,
                    "postalCode": PLACES[at].postal_code,
                    "city": PLACES[at].city,
                    "countryCode": PLACES[at].country_code,
                },
                "currency": self._currencies[at % len(self._currencies)],
                "parentOrg": parent,
            }
            for at, (name, parent) in enumerate(zip(names, parents, strict=True))
        ]

    def _make_products(self, rng: Random) -> list[Row]:
        return [
            {
                "id": FIRST_PRODUCT + at,
                "name": good.name,
                "description": None,
                "category": good.category,
                "manufacturer": good.manufacturer,
                "articleNumber": f"ART-{at:03}",
                "organizationId": 1 + at % 3,
                "organizationName": self.organizations[at % 3]["name"],
                "organizationCurrency": self.organizations[at % 3]["currency"],
                "netPrice": f"{good.price / (100 + good.tax_rate):.2f}",
                "price": f"{good.price // 100}.{good.price % 100:02}",
                "cost": good.cost / 100,
                "weight": rng.randrange(50, 500),
                "weightUnit": "g",
                "updatedAt": iso(self._world.start - timedelta(days=1 + at)),
                "createdAt": iso(self._world.start - timedelta(days=400 + at)),
                "images": [],
            }
            for at, good in enumerate(GOODS)
        ]

    def _add_kiosk(self, rng: Random, number: int) -> None:
        serial = f"{PREFIX}{number + 1:04}"
        organization = rng.choice(self.organizations)
        self.kiosks[serial] = {
            "_id": serial,
            "name": f"{rng.choice(PLACES).name} kiosk {number + 1}",
            "orgId": str(organization["id"]),
            "organizationName": organization["name"],
            "serialNumber": serial,
            "latestTemperature": None if number % 9 == 8 else rng.choice((4.2, 5, "6.5", 3.75)),
            "silent": None if number % 13 == 12 else (300 if number % 7 == 6 else rng.randrange(10)),
        }
        cells = range(rng.randrange(8, 16))
        self.cells[serial] = [self._cell(rng, number, at, organization["currency"]) for at in cells]

    def _cell(self, rng: Random, kiosk: int, at: int, currency: str) -> Row:
        chosen = rng.randrange(len(self.products))
        product = self.products[chosen]
        line = {
            "id": kiosk * 100 + at + 1,
            "productMetaId": product["id"],
            "name": product["name"],
            "price": product["price"] if at % 2 else float(product["price"]),
            "currency": currency,
            "quantity": rng.randrange(12),
            "capacity": 12,
            "taxRate": GOODS[chosen].tax_rate,
            "imageUrl": None,
        }
        return {
            "loadCellId": at + 1,
            "planogramPosition": f"{'ABCD'[at // 4 % 4]}{at % 4 + 1}",
            "surfaceSize": 100,
            "cellId": 400 + at,
            "productLineData": None if rng.random() < 0.1 else line,
        }

    def _make_history(self, rng: Random) -> None:
        for kiosk in self.kiosks.values():
            moments = self._world.moments(rng, SALES_A_KIOSK)
            for moment in moments:
                self._record(rng, kiosk, moment)
            self.alerts += [self._alert(rng, kiosk, at) for at in self._world.moments(rng, ALERTS_A_KIOSK)]

    def _record(self, rng: Random, kiosk: Row, at: datetime) -> Row:
        made = self._transaction(rng, kiosk, at)
        self.transactions.append(made)
        self._takings[kiosk["serialNumber"], made["created"][:10]] += round(made["total"] * 100)
        return made

    def _transaction(self, rng: Random, kiosk: Row, at: datetime) -> Row:
        self._next += 1
        filled = [cell for cell in self.cells[kiosk["serialNumber"]] if cell["productLineData"] is not None]
        items = [self._item(rng, cell) for cell in rng.sample(filled, min(len(filled), rng.choice((1, 1, 2, 3))))]
        cents = sum(round(float(item["price"]) * 100) * item["quantity"] for item in items)
        discount = 50 if cents > 300 and rng.random() < 0.1 else 0
        card = rng.random() < 0.3
        method = "MEMBERCARD" if card else rng.choice(("CreditOrDebitCard", "CreditOrDebitCard", "Wampum"))
        return {
            "id": self._next,
            "created": iso(at),
            "total": (cents - discount) / 100,
            "discountTotal": discount / 100,
            "session": {
                "details": {
                    "sessionClosedAt": iso(at),
                    "endedWithPurchase": True,
                    "externalTransactionId": f"ext-{self._next}",
                }
            },
            "type": "purchase",
            "userId": rng.randrange(1, 90) if card else 0,
            "kiosk": {
                "id": int(kiosk["serialNumber"][4:]),
                "name": kiosk["name"],
                "serialNumber": kiosk["serialNumber"],
            },
            "paymentMethod": {
                "isPaid": rng.random() > 0.03,
                "membercardId": f"MC-{rng.randrange(100):03}" if card else None,
                "paymentCardType": None if card else "Credit",
                "cardType": None if card else rng.choice(("Visa", "Mastercard")),
                "paymentType": method,
                "externalTransactionId": f"ext-{self._next}",
            },
            "itemsPurchased": items,
        }

    def _item(self, rng: Random, cell: Row) -> Row:
        line = cell["productLineData"]
        return {
            "productMetaId": line["productMetaId"],
            "productLineId": line["id"],
            "name": line["name"],
            "ean": GOODS[line["productMetaId"] - FIRST_PRODUCT].gtin,
            "quantity": rng.choice((1, 1, 1, 2)),
            "price": line["price"],
            "taxRate": line["taxRate"],
            "planogramPosition": cell["planogramPosition"],
        }

    def _alert(self, rng: Random, kiosk: Row, at: datetime, named: str | None = None) -> Row:
        self._next += 1
        chosen = rng.choice(ALERTS)
        kind, severity, text = next((one for one in ALERTS if one[0] == named), chosen)
        status = rng.choice(("open", "raised", "resolved"))
        ended = min(at + timedelta(minutes=rng.randrange(1, 90)), max(at, self._world.start))
        return {
            "id": self._next,
            "type": kind,
            "severity": severity,
            "status": status,
            "isAck": rng.random() < 0.5,
            "kioskSerialNumber": kiosk["serialNumber"],
            "kioskName": kiosk["name"],
            "message": text,
            "startDate": iso(at - timedelta(minutes=rng.randrange(30))),
            "endDate": iso(ended) if status == "resolved" else None,
            "createdAt": iso(at),
        }
