"""SmartEPI's organization: who works where, and what protects them."""

from datetime import timedelta
from typing import Any

from sandbox.smartepi_records import (
    ACCESS_GROUPS,
    COST_CENTERS,
    EMPLOYEES,
    GROUPS,
    JOB_ROLES,
    PRODUCTS,
    SECTORS,
    Kind,
    Record,
    Store,
)
from sandbox.world import World

SECTOR_NAMES = ("Assembly", "Foundry", "Logistics", "Maintenance", "Paint Shop", "Quality", "Warehouse", "Welding")
COST_CENTER_NAMES = ("Body", "Engines", "Facilities", "Interior", "Spare Parts", "Tooling")
JOB_ROLE_NAMES = ("Electrician", "Forklift Driver", "Inspector", "Machinist", "Operator", "Painter", "Welder")
GROUP_NAMES = ("Basic", "Chemicals", "Heights", "Hot Work", "Noise")
ACCESS_GROUP_NAMES = ("All Doors", "Day Shift", "Night Shift", "Visitors")
FIRST_NAMES = ("Ana", "Bruno", "Carla", "Diego", "Elena", "Felipe", "Gabriela", "Hugo", "Irene", "João")
LAST_NAMES = ("Almeida", "Barros", "Costa", "Da Silva", "Esteves", "Farias", "Gomes", "Lima", "Moraes")
STATUSES = ("ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "INACTIVE", "ON_LEAVE")
HANDS, BODIES, FEET = ("7", "8", "9", "10"), ("S", "M", "L", "XL"), ("38", "40", "42", "44")
GEAR = (
    ("Nitrile Gloves", HANDS),
    ("Leather Gloves", HANDS),
    ("Cut-resistant Gloves", HANDS),
    ("Welding Gauntlets", HANDS),
    ("Heat Gloves", HANDS),
    ("Clear Goggles", ()),
    ("Tinted Goggles", ()),
    ("Welding Mask", ()),
    ("Face Shield", ()),
    ("Safety Helmet White", ()),
    ("Safety Helmet Yellow", ()),
    ("Bump Cap", ()),
    ("Ear Plugs", ()),
    ("Ear Muffs", ()),
    ("Dust Mask FFP2", ()),
    ("Half-face Respirator", ("M", "L")),
    ("Filter Cartridge A2", ()),
    ("High-visibility Vest", BODIES),
    ("Chemical Apron", ()),
    ("Disposable Coverall", BODIES),
    ("Rain Jacket", BODIES),
    ("Safety Shoes S3", FEET),
    ("Rubber Boots", FEET),
    ("Full-body Harness", ("M", "L")),
    ("Knee Pads", ()),
)


class Seeding:
    def __init__(self, world: World, store: Store) -> None:
        self._world, self._store = world, store
        self._rng = world.random("smartepi", "organization")
        self.gone: list[Record] = []  # employees who left, and to whom transactions still point

    def run(self) -> None:
        for kind, names in ((SECTORS, SECTOR_NAMES), (JOB_ROLES, JOB_ROLE_NAMES), (ACCESS_GROUPS, ACCESS_GROUP_NAMES)):
            self._add_all(kind, [{"name": name} for name in names])
        self._add_all(
            COST_CENTERS,
            [{"name": name, "code": f"{100 * number}"} for number, name in enumerate(COST_CENTER_NAMES, 1)],
        )
        self._add_all(PRODUCTS, [self._product(number, *gear) for number, gear in enumerate(GEAR, 1)])
        self._add_all(GROUPS, [{"name": name, "rules": self._rules()} for name in GROUP_NAMES])
        self._add_all(EMPLOYEES, [self._employee(number) for number in range(84)])
        for item in self._rng.sample(self._store.items("employees"), 4):
            self._store.remove(EMPLOYEES, item)
            self.gone.append(item.record)

    def _add_all(self, kind: Kind, members: list[Record]) -> None:
        """All of them older than the history."""
        rng, oldest = self._rng, self._world.start - timedelta(days=self._world.days)
        ages = sorted((rng.randrange(86_400, 90_000_000) for _ in members), reverse=True)
        for age, row in zip(ages, members, strict=True):
            self._store.add(kind, row, int(oldest.timestamp()) - age, version=rng.randint(1, 6))

    def _product(self, number: int, name: str, sizes: tuple[str, ...]) -> Record:
        expiry = int(self._world.start.timestamp()) + 86_400 * self._rng.randint(-60, 1500)
        certificate = {"id": f"cert-{number}", "number": f"CA {30_000 + 137 * number}", "expiresAt": expiry}
        return {
            "name": name,
            "code": f"PPE-{number:03}",
            "description": f"{name}, box of one" if number % 3 else None,
            "sizes": [{"id": f"size-{number}-{size}", "name": size} for size in sizes],
            "certificates": [certificate] if number % 8 else [],
        }

    def _rules(self) -> list[Record]:
        return [
            {"productId": key, "quantity": self._rng.randint(1, 4), "periodDays": self._rng.choice((7, 30, 180))}
            for key in self._rng.sample([item.record["id"] for item in self._store.items("products")], 5)
        ]

    def _employee(self, number: int) -> Record:
        """Every tenth has no mail, and a few have no identification either."""
        first, last = FIRST_NAMES[number % 10], LAST_NAMES[number // 10]
        mail = f"{first}.{last}@plant.example".lower().replace(" ", "").replace("ã", "a")
        return {
            "name": f"{first} {last}",
            "email": None if number % 10 == 3 else mail,
            "identification": None if number % 40 == 3 else f"{70_000 + number}",
            "sectorId": self._any("sectors"),
            "costCenterId": self._any("cost-centers"),
            "costCenter2Id": self._any("cost-centers") if number % 5 == 0 else None,
            "jobRoleId": self._any("job-roles"),
            "groupId": self._any("groups"),
            "status": self._rng.choice(STATUSES),
        }

    def _any(self, path: str) -> Any:
        return self._rng.choice(self._store.items(path)).record["id"]
