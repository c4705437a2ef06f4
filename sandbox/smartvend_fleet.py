"""SmartVend's made-up controllers: matrices, products, sales, events and cash."""

from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID
from zlib import crc32

from sandbox.world import GOODS, PLACES, World

Row = dict[str, Any]

DRINKS = ("Espresso", "Americano", "Cappuccino", "Latte", "Flat White", "Hot Chocolate", "Black Tea", "Кофе №1")
EVENTS = (
    ("no-water", "Water is running low", "warning", "controller"),
    ("milk-empty", "The milk is empty", "danger", "controller"),
    ("door-open", "The door was opened", "info", "controller"),
    ("settings", "The settings were changed", "info", "user"),
    ("bill-jam", "The bill acceptor is jammed", "danger", "controller"),
)
UNTOLD = ("Q9", None, "critical", "gateway")  # words that no document knows, and no text in the dictionary
CODES = (*(code for code, *_ in EVENTS), "Q9")
SALES_A_MACHINE = 60
EVENTS_A_MACHINE = 6
ENCASHMENTS_A_MACHINE = 3


class Fleet:
    def __init__(self, world: World) -> None:
        self._world = world
        self._live = world.random("smartvend", "live")
        self._ids = world.random("smartvend", "ids", world.start)
        self._shuffle = world.random("smartvend", "order").randrange(1 << 30)
        self._credits: dict[str, Row] = {}
        rng = world.random("smartvend", "fleet")
        self.products = self._make_products(rng)
        self.controllers: dict[str, Row] = {}
        self.matrices: dict[str, Row] = {}
        self.configs: dict[str, Row] = {}
        self.counters: dict[str, Row] = {}
        for number in range(world.count(60)):
            self._add_controller(rng, number)
        self.sales: list[Row] = []
        self.events: list[Row] = []
        self.encashments: list[Row] = []
        self._make_history(world.random("smartvend", "history"))
        self._make_encashments(world.random("smartvend", "encashments"))

    def shuffled(self, rows: list[Row]) -> list[Row]:
        """In an order that has nothing to do with time, and is the same on every page."""
        return sorted(rows, key=lambda row: crc32(f"{self._shuffle}{row.get('saleId') or row['id']}".encode()))

    def filtered(self, filters: Row) -> set[str]:
        """The controllers that filters mean. They are in no group, and nobody's in particular."""
        if filters.get("groupIds") or filters.get("collaboratorIds"):
            return set()
        words = filters.get("searchString", "").casefold()
        named = filters.get("controllerIds") or self.controllers
        return {
            native
            for native, row in self.controllers.items()
            if native in named and words in f"{row['serialNumber']}\n{row['humanName']}".casefold()
        }

    def cell(self, controller: str, position: int) -> Row | None:
        """Cells are counted from 1 along the rows."""
        matrix = self.matrices[controller]
        down, across = divmod(position - 1, matrix["columnsNumber"])
        found = (cell for cell in matrix["products"] if (cell["rowNumber"], cell["columnNumber"]) == (down, across))
        return next(found, None)

    def dictionary(self, language: str) -> list[Row]:
        mark = "" if language == "en" else f" [{language}]"
        return [{"localizeKey": f"event.{code}", "text": text + mark} for code, text, _, _ in EVENTS]

    def credit(self, controller: str, member: str, cents: int) -> None:
        """The next sale there is paid with it."""
        self._credits[controller] = {member: cents}

    def encash(self, controller: str, at: datetime) -> Row:
        counter = self.counters[controller]
        self.encashments.append(_encashment(_uuid(self._live), controller, at, counter["bc"], counter["cc"]))
        self.counters[controller] = {"mc": 0, "bc": 0, "cc": 0}
        return self.encashments[-1]

    def sell(self, at: datetime, controller: str | None = None, position: int | None = None) -> Row:
        """KeyError where there is no such controller."""
        chosen = controller or self._live.choice(list(self.controllers))
        credit = self._credits.pop(chosen, None)
        sale = self._sale(self._live, self.controllers[chosen], int(at.timestamp()), position, credit)
        sale["saleId"] = _uuid(self._ids)
        self.sales.append(sale)
        return sale

    def occur(self, at: datetime, controller: str | None = None, code: str | None = None) -> Row:
        """An event. KeyError where there is no such controller."""
        chosen = self.controllers[controller or self._live.choice(list(self.controllers))]
        event = _event(self._live, chosen, int(at.timestamp()), code) | {"id": _uuid(self._ids)}
        self.events.append(event)
        return event

    def _make_products(self, rng: Random) -> dict[str, Row]:
        names = [(name, 100 + 20 * at) for at, name in enumerate(DRINKS)]
        names += [(good.name, good.price) for good in GOODS[:10]]
        rows = (
            {"id": _uuid(rng), "name": name, "price": None if at % 7 == 6 else price, "archive": at % 9 == 8}
            for at, (name, price) in enumerate(names)
        )
        return {str(row["id"]): row for row in rows}

    def _add_controller(self, rng: Random, number: int) -> None:
        native = _uuid(rng)
        coffee = number % 3 != 2
        place = rng.choice(PLACES)
        self.controllers[native] = {
            "id": native,
            "serialNumber": f"SV-{10_000 + number}",
            "humanName": f"{place.name} {'coffee' if coffee else 'snacks'} {number + 1}",
            "type": "coffee" if coffee else "impulse",
            "location": None if number % 11 == 10 else place.address,
            "nameForReport": None,
            "city": None if number % 11 == 10 else place.city,
            "timezone": place.timezone,
            "createdAt": int(self._world.start.timestamp()) - 86_400 * (self._world.days + 30),
            "connectionStatus": "offline" if number % 8 == 7 else "online",
        }
        self.matrices[native] = self._make_matrix(rng, coffee)
        self.configs[native] = {
            "controllerConfigId": _uuid(rng),
            "type": "coffee" if coffee else "impulse",
            "config": {"re": False, "2c": "EUR", "sm": 100, "td": "FFFF", "wn": "office", "wp": "wifi-pass-7421"},
        }
        self.counters[native] = {"mc": 0, "bc": 0, "cc": 0}

    def _make_matrix(self, rng: Random, coffee: bool) -> Row:
        columns, rows = rng.choice(((3, 4), (4, 4), (4, 5), (6, 6)))
        active = [native for native, product in self.products.items() if not product["archive"]]
        cells = [
            {
                "columnNumber": column,
                "rowNumber": row,
                "productId": None if not coffee and rng.random() < 0.2 else rng.choice(active),
                "price": rng.randrange(10, 40) * 10 + rng.choice((0, 5, 9)),
            }
            for row in range(rows)
            for column in range(columns)
        ]
        resources = [{"resourceId": _uuid(rng), "maxRefillQuantity": 1000 * (at + 1)} for at in range(3)]
        return {
            "id": _uuid(rng),
            "columnsNumber": columns,
            "rowsNumber": rows,
            "products": cells,
            "resources": resources,
        }

    def _make_history(self, rng: Random) -> None:
        for controller in self.controllers.values():
            for moment in self._world.moments(rng, SALES_A_MACHINE):
                self.sales.append(self._sale(rng, controller, int(moment.timestamp())))
            for moment in self._world.moments(rng, EVENTS_A_MACHINE):
                self.events.append(_event(rng, controller, int(moment.timestamp())))

    def _make_encashments(self, rng: Random) -> None:
        """What was collected is not counted any more; sums of so long ago nobody has added up."""
        for native in self.controllers:
            for moment in self._world.moments(rng, ENCASHMENTS_A_MACHINE):
                bills, coins = rng.randrange(0, 40) * 500, rng.randrange(0, 900) * 5
                self.encashments.append(_encashment(_uuid(rng), native, moment, bills, coins))

    def _sale(
        self, rng: Random, controller: Row, at: int, position: int | None = None, credit: Row | None = None
    ) -> Row:
        matrix = self.matrices[controller["id"]]
        issued = None if position is None else self.cell(controller["id"], position)
        cells = (
            [issued] if issued else rng.sample(matrix["products"], min(len(matrix["products"]), rng.choice((1, 1, 2))))
        )
        lines = [
            self._line(cell, matrix["columnsNumber"], 2 if not issued and rng.random() < 0.1 else 1) for cell in cells
        ]
        total = sum(int(line["price"]) * line["quantity"] for line in lines)
        sale: Row = {
            **_common(rng, controller, at),
            "saleId": _uuid(rng),
            "quantity": sum(line["quantity"] for line in lines),
            "totalPrice": str(total),
            "income": str(total),
            "balance": "0",
            "products": lines,
        }
        self._pay(sale, credit or _payment(rng, total))
        if lines and rng.random() < 0.1:
            lines[-1] |= {"productId": None, "price": None, "position": None}
        return sale

    def _line(self, cell: Row, columns: int, quantity: int) -> Row:
        product = self.products.get(cell["productId"] or "")
        return {
            "productId": cell["productId"],
            "name": product["name"] if product else "Credit",
            "quantity": quantity,
            "price": str(cell["price"]),
            "position": cell["rowNumber"] * columns + cell["columnNumber"] + 1,
        }

    def _pay(self, sale: Row, amounts: Row) -> None:
        members = ("bill", "coin", "digital", "remotePayment", "remoteDeposit")
        inserted = sum(amounts.values())
        sale |= {name: str(amounts.get(name, 0)) for name in members}
        sale["insertedMoney"] = str(inserted)
        sale["change"] = str(max(0, inserted - int(sale["totalPrice"])))
        words = {"bill": "cash", "coin": "coin", "digital": "electronic"}
        words |= {"remotePayment": "remote-payment", "remoteDeposit": "remote-deposit"}
        sale["paymentTypes"] = [words[name] for name in members if amounts.get(name)] or None
        counter = self.counters[sale["controllerId"]]
        counter["bc"] += amounts.get("bill", 0)
        counter["cc"] += amounts.get("coin", 0)
        counter["mc"] += amounts.get("bill", 0) + amounts.get("coin", 0)


def _encashment(native: str, controller: str, at: datetime, bills: int, coins: int) -> Row:
    return {
        "id": native,
        "controllerId": controller,
        "createdAt": int(at.timestamp()),
        "bill": bills,
        "coin": coins,
        "total": bills + coins,
    }


def _payment(rng: Random, total: int) -> Row:
    kind = rng.random()
    if kind < 0.5:
        return {"digital": total}
    if kind < 0.7:
        return {"coin": total}
    if kind < 0.8:
        return {"bill": (total // 500 + 1) * 500}
    if kind < 0.9:
        return {"coin": total // 2, "digital": total - total // 2}
    return {}


def _event(rng: Random, controller: Row, at: int, code: str | None = None) -> Row:
    chosen = UNTOLD if rng.random() < 0.05 else rng.choice(EVENTS)
    named = (one for one in (*EVENTS, UNTOLD) if one[0] == code)
    code, _, level, source = next(named, chosen)
    return {
        **_common(rng, controller, at),
        "id": _uuid(rng),
        "tag": f"T{rng.randrange(100)}",
        "code": code,
        "localizeKey": f"event.{code}",
        "source": source,
        "status": rng.choice(("relevant", "irrelevant")),
        "level": level,
    }


def _common(rng: Random, controller: Row, at: int) -> Row:
    late = rng.randrange(3600, 6 * 3600) if rng.random() < 0.08 else rng.randrange(3)
    return {
        "controllerId": controller["id"],
        "controllerHumanName": controller["humanName"],
        "controllerSerialNumber": controller["serialNumber"],
        "controllerType": controller["type"],
        "controllerLocation": controller["location"],
        "controllerNameForReport": controller["nameForReport"],
        "controllerCity": controller["city"],
        "controllerTimezone": controller["timezone"],
        "createdAt": at,
        "controllerCreatedAt": at - late,
    }


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
