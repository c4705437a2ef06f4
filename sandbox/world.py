"""What the five emulated vendors share: one seed, one clock, places, goods, and plausible times of day."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol, runtime_checkable

from starlette.routing import BaseRoute

from sandbox.outbox import Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    name: str
    address: str
    city: str
    postal_code: str
    country: str
    country_code: str
    timezone: str  # IANA
    windows_timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    name: str
    manufacturer: str
    category: str
    gtin: str
    price: int  # cents, gross
    cost: int  # cents
    tax_rate: int  # per cent


PLACES = tuple(
    Place(
        name=name,
        address=address,
        city=city,
        postal_code=postal_code,
        country=country,
        country_code=code,
        timezone=timezone,
        windows_timezone=windows,
    )
    for name, address, city, postal_code, country, code, timezone, windows in (
        ("Central Station", "Praça do Comércio 4", "Lisbon", "1100-148", "Portugal", "PT", "Europe/Lisbon", "GMT Standard Time"),
        ("Harbour Office", "Am Sandtorkai 30", "Hamburg", "20457", "Germany", "DE", "Europe/Berlin", "W. Europe Standard Time"),
        ("City Hospital", "Spitalgasse 23", "Vienna", "1090", "Austria", "AT", "Europe/Vienna", "W. Europe Standard Time"),
        ("North Campus", "Koskelantie 5", "Helsinki", "00610", "Finland", "FI", "Europe/Helsinki", "FLE Standard Time"),
        ("Old Mill", "Mlýnská 12", "Brno", "602 00", "Czechia", "CZ", "Europe/Prague", "Central Europe Standard Time"),
        ("Riverside Plant", "Quai de la Fosse 86", "Nantes", "44100", "France", "FR", "Europe/Paris", "Romance Standard Time"),
        ("Airport Terminal 2", "Via dell'Aeroporto 1", "Rome", "00054", "Italy", "IT", "Europe/Rome", "W. Europe Standard Time"),
        ("Science Park", "Kruislaan 404", "Amsterdam", "1098 SM", "Netherlands", "NL", "Europe/Amsterdam", "W. Europe Standard Time"),
    )
)  # fmt: skip

GOODS = tuple(
    Good(name=name, manufacturer=maker, category=category, gtin=gtin, price=price, cost=cost, tax_rate=tax)
    for name, maker, category, gtin, price, cost, tax in (
        ("Sparkling Water 0.5 l", "Brookside", "Beverages", "4006381333931", 120, 38, 19),
        ("Still Water 0.5 l", "Brookside", "Beverages", "4006381333948", 110, 35, 19),
        ("Cola 0.33 l", "Fizzworks", "Beverages", "4006381333955", 179, 85, 19),
        ("Orange Juice 0.25 l", "Orchard & Co", "Beverages", "4006381333962", 229, 110, 7),
        ("Iced Tea Peach", "Fizzworks", "Beverages", "4006381333979", 199, 92, 19),
        ("Salted Peanuts 60 g", "Nutwerk", "Snacks", "4006381333986", 149, 61, 7),
        ("Paprika Crisps 90 g", "Knister", "Snacks", "4006381333993", 189, 77, 7),
        ("Oat Bar Cranberry", "Greenfield", "Snacks", "4006381334006", 139, 58, 7),
        ("Dark Chocolate 70 %", "Cacaohof", "Sweets", "4006381334013", 219, 104, 7),
        ("Gummy Frogs", "Zuckerle", "Sweets", "4006381334020", 99, 41, 7),
        ("Cheese Sandwich", "Daily Bread", "Meals", "4006381334037", 450, 210, 7),
        ("Lentil Salad", "Greenfield", "Meals", "4006381334044", 590, 285, 7),
        ("Pasta Pesto Bowl", "Daily Bread", "Meals", "4006381334051", 650, 310, 7),
        ("Yoghurt Berries", "Hill Dairy", "Dairy", "4006381334068", 249, 118, 7),
        ("Apple", "Orchard & Co", "Fruit", "4006381334075", 80, 27, 7),
        ("Banana", "Orchard & Co", "Fruit", "4006381334082", 70, 22, 7),
    )
)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The same seed and start give the same fleet and the same history, to the last cent.

    `scale` multiplies the number of machines; `days` is how far the history reaches back from `start`.
    """

    seed: int = 7
    scale: float = 1.0
    days: int = 90
    start: datetime = field(default_factory=lambda: utc_now().replace(microsecond=0))
    now: Callable[[], datetime] = utc_now

    def random(self, *names: object) -> Random:
        """A generator of its own for each purpose, so that adding one changes no other."""
        return Random(":".join(map(str, (self.seed, *names))))

    @property
    def next_number(self) -> int:
        """Of what is recorded from the start on: after a restart no id means another thing than before."""
        return int(self.start.timestamp())

    def count(self, base: int) -> int:
        return max(1, round(base * self.scale))

    def moments(self, rng: Random, count: int) -> list[datetime]:
        """`count` times within the history, oldest first, busier by day than by night, whole seconds."""
        hours = rng.choices(
            range(24), weights=[1] * 6 + [6, 9, 9, 8, 8, 10, 12, 9, 7, 7, 6, 6, 5, 4, 3, 2, 1, 1], k=count
        )
        midnight = self.start.replace(hour=0, minute=0, second=0)
        found = (
            midnight - timedelta(days=rng.randrange(self.days)) + timedelta(hours=hour, seconds=rng.randrange(3600))
            for hour in hours
        )
        return sorted(moment if moment <= self.start else moment - timedelta(days=1) for moment in found)


class Vendor(Protocol):
    """One emulated vendor. Its routes are mounted under `/{name}`; credentials stand in its module."""

    name: str
    event_kinds: tuple[str, ...]

    def routes(self) -> list[BaseRoute]: ...

    def make_sales(self, count: int, *, machine: str | None = None) -> list[dict[str, Any]]:
        """Records `count` new sales now and returns them as the vendor would show them."""
        ...

    def make_events(self, count: int, *, machine: str | None = None, kind: str | None = None) -> list[dict[str, Any]]:
        """`count` events happen now, of one of `event_kinds`, or of any; as the vendor would show them."""
        ...

    def live(self) -> None:
        """Something happens by itself: what, the seed decides."""
        ...

    def truth(self) -> dict[str, list[dict[str, Any]]]:
        """All it holds, in the vendor's own shapes, by kind: machines, slots, products, sales, events …"""
        ...

    def account(self, base: str) -> dict[str, Any]:
        """The `[[accounts]]` table of a gateway configuration for it; `base` is the sandbox's own address."""
        ...


@runtime_checkable
class Sends(Protocol):
    """A vendor that sends webhooks. `outbox` is what it sends them with."""

    outbox: Outbox

    def begin(self) -> None:
        """Tells whoever is told from now on what they cannot read anywhere."""
        ...
