"""VendNovation's organizations, accounts, sites, products, machines and their selections."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from sandbox.vendnovation_tables import NEVER, Entry, Keys, Record, Table, one, stamp
from sandbox.world import GOODS, PLACES, Place, World

CHECK_IN = timedelta(minutes=45)
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)

ORGANIZATIONS = ("Lakeside Vending", "Lakeside Industrial", "Prairie Refreshments")
ACCOUNTS = (("Hospitals", 0), ("Offices", 0), ("Tool Cribs", 1), ("Campuses", 2), ("Travel", 2))
AMERICAN_PLACES = tuple(
    Place(
        name=name,
        address=address,
        city=city,
        postal_code=postal_code,
        country="United States",
        country_code="US",
        timezone=timezone,
        windows_timezone=windows,
    )
    for name, address, city, postal_code, timezone, windows in (
        (
            "Oakland Depot",
            "1200 Embarcadero",
            "Oakland",
            "94606",
            "America/Los_Angeles",
            "Pacific Standard Time",
        ),
        ("Lakeshore Tower", "233 Wacker Dr", "Chicago", "60606", "America/Chicago", "Central Standard Time"),
        ("Boston Clinic", "55 Fruit St", "Boston", "02114", "America/New_York", "Eastern Standard Time"),
        ("Mesa Works", "40 Main St", "Mesa", "85201", "America/Phoenix", "US Mountain Standard Time"),
    )
)
MODELS = ("VN-Coil 40", "VN-Locker 24", "VN-Carousel 12")
PACKS = (("", None, 1), (" twin pack", "twin pack", 2), (" six pack", "six pack", 6))


@dataclass(slots=True, kw_only=True)
class Machine:
    record: Record
    place: Place
    keys: Keys
    phase: timedelta  # when it checks in, within CHECK_IN
    silent_since: datetime | None  # of a machine that checks in no more; NEVER for one that never did
    former_name: str | None
    deleted: bool = False
    selections: list[Record] = field(default_factory=list)
    planogram_changed_at: datetime = NEVER

    @property
    def id(self) -> int:
        return int(self.record["id"])

    @property
    def counts_stock(self) -> bool:
        return bool(self.record["enableSlotCountTracking"])

    @property
    def sellable(self) -> list[Record]:
        return [row for row in self.selections if row["productId"] not in {None, -1}]

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.place.timezone))

    def moments(self, moment: datetime) -> Record:
        return {"server": stamp(moment), "local": stamp(moment if moment == NEVER else self.local(moment))}

    def show(self, now: datetime) -> Record:
        """Its record as of `now`: a planogram change is pending until the next check-in."""
        if self.silent_since is not None:
            return self.record | {"hasPlanogramChange": self.planogram_changed_at > NEVER}
        seen = now - (now - EPOCH - self.phase) % CHECK_IN
        pending = self.planogram_changed_at > seen
        return self.record | {"lastHeartBeat": self.moments(seen), "hasPlanogramChange": pending}


class Fleet:
    def __init__(self, world: World) -> None:
        self._world = world
        self.organizations, self.accounts, self.sites = Table("organization"), Table("account"), Table("site")
        self.products, self.selections = Table("product"), Table("selection")
        self.machine_rows = Table("machine")
        self.machines: dict[int, Machine] = {}
        self.places: dict[int, Place] = {}
        self._add_customers()
        self._add_sites()
        self._add_products(world.random("vendnovation", "products"))
        for number in range(world.count(60) + world.count(3)):
            self._add_machine(number, world.random("vendnovation", "machine", number))

    def area(self, site: Record) -> Keys:
        account = self.accounts.find(site["accountId"])
        assert account is not None
        return account.keys | {"siteIds": one(site["id"])}

    def add_site(self, record: Record) -> Record:
        self.sites.add(Entry(record=record, keys=self.area(record)))
        return record

    def move(self, machine: Machine, site: Record) -> None:
        machine.record["siteId"] = site["id"]
        machine.place = self.places.get(site["id"], machine.place)
        machine.keys = machine.keys | self.area(site)
        slots = [self.selections.find(row["id"]) for row in machine.selections]
        for entry in filter(None, (self.machine_rows.find(machine.id), *slots)):
            entry.keys = entry.keys | machine.keys

    def _add_customers(self) -> None:
        for number, name in enumerate(ORGANIZATIONS, 101):
            self.organizations.add(Entry(record={"id": number, "name": name}, keys={"organizationIds": one(number)}))
        for number, (name, owner) in enumerate(ACCOUNTS, 301):
            keys = {"organizationIds": one(101 + owner), "accountIds": one(number)}
            self.accounts.add(Entry(record={"id": number, "name": name}, keys=keys))

    def _add_sites(self) -> None:
        for number, place in enumerate((*PLACES, *AMERICAN_PLACES)):
            record = {
                "id": 1601 + number,
                "name": place.name,
                "externalId": f"S-{number:03}" if number % 3 else None,
                "accountId": 301 + number % len(ACCOUNTS),
                "timeZone": place.windows_timezone,
                "address": f"{place.address}, {place.postal_code} {place.city}, {place.country}",
            }
            self.places[1601 + number] = place
            self.add_site(record)

    def _add_products(self, rng: Random) -> None:
        for number in range(40):
            good, (suffix, size, factor) = GOODS[number % len(GOODS)], PACKS[number // len(GOODS)]
            price = Decimal(good.price * factor * 100 + rng.choice((0, 0, 0, 25, 50, 75))) / 10000
            record = {
                "id": 49901 + number,
                "name": good.name + suffix,
                "upc": good.gtin if factor == 1 else None,
                "description": size,
                "manufacturer": good.manufacturer,
                "category": good.category,
                "cost": float(Decimal(good.cost * factor) / 100),
                "price": float(price),
                "isActive": number not in {17, 31},
            }
            owner = one(101 + number % 2) if number >= 36 else one(101, 102, 103)
            keys = {"organizationIds": owner, "productIds": one(49901 + number)}
            self.products.add(Entry(record=record, keys=keys))

    def _add_machine(self, number: int, rng: Random) -> None:
        site = self.sites.find(1601 + number % len(self.sites))
        assert site is not None
        record = _machine_record(11301 + number, site.record, min(site.keys["organizationIds"]), rng)
        machine = Machine(
            record=record,
            place=self.places[site.record["id"]],
            keys=site.keys | {"machineIdentifiers": one(record["id"], record["prose"])},
            phase=timedelta(seconds=rng.randrange(2700)),
            silent_since=NEVER if record["callInCode"] else self._silent_since(rng),
            former_name=f"{record['name']} (old)" if number % 7 == 0 else None,
            deleted=number >= self._world.count(60),
        )
        if machine.silent_since is not None:
            record["lastHeartBeat"] = machine.moments(machine.silent_since)
        self.machines[machine.id] = machine
        self.machine_rows.add(Entry(record=record, keys=machine.keys, deleted=machine.deleted))
        for place in range(rng.randint(10, 40)):
            self._add_selection(machine, place, rng)

    def _silent_since(self, rng: Random) -> datetime | None:
        silent, long_ago = rng.random() < 0.15, timedelta(hours=rng.randint(2, 400))
        return self._world.start - long_ago if silent else None

    def _add_selection(self, machine: Machine, place: int, rng: Random) -> None:
        product = rng.choice(list(self.products)).record if rng.random() < 0.92 else None
        record = _selection_record(700001 + len(self.selections), machine, place, product, rng)
        machine.selections.append(record)
        keys = machine.keys | {"selectionIds": one(record["id"]), "productIds": one(record["productId"])}
        self.selections.add(Entry(record=record, keys=keys, deleted=machine.deleted))


def _selection_record(number: int, machine: Machine, place: int, product: Record | None, rng: Random) -> Record:
    depth = rng.choice((5, 8, 10, 12))
    row, column = divmod(place, 8)
    return {
        "id": number,
        "machineId": machine.id,
        "productId": product["id"] if product else rng.choice((None, -1)),
        "price": product["price"] if product else 0,
        "invoicePrice": product["cost"] if product else 0,
        "restockTo": depth - 1,
        "depth": depth,
        "count": rng.randint(0, depth - 1) if product and machine.counts_stock else 0,
        "isActive": rng.random() > 0.03,
        "alertLevel": 1,
        "restockAt": 3,
        "freeCount": 0,
        "tax": 9 if rng.random() < 0.1 else None,
        "commission": 0,
        "selectionNumber": str(100 + place),
        "friendlyNumber": f"{'ABCDE'[row]}{column + 1}",
    }


def _machine_record(number: int, site: Record, organization: str, rng: Random) -> Record:
    """As of the start: what it last sold or reported is filled in as that comes to be known."""
    never = {"server": stamp(NEVER), "local": stamp(NEVER)}
    waiting = number % 20 == 19  # delivered, and not yet provisioned
    return {
        "id": number,
        "assetId": f"A{number}" if rng.random() < 0.7 else None,
        "organizationId": int(organization),
        "siteId": site["id"],
        "typeId": rng.randint(1, 3),
        "machineMasterId": None,
        "controllerFirmware": {"current": "4.2.1", "pendingUpdate": None},
        "pcFirmware": {"current": "2021.11", "pendingUpdate": "2022.1" if rng.random() < 0.2 else None},
        "forceUpdate": False,
        "prose": f"VN{number:06}",
        "name": f"{site['name']} {rng.choice(('Lobby', 'Floor 1', 'Floor 2', 'Break Room', 'Gate'))}",
        "modelNumber": rng.choice(MODELS),
        "taxPercentage": rng.choice((0, 0, 7, 9)),
        "commissionPercentage": 0,
        "hasPlanogramChange": False,
        "callInCode": f"CI-{number}" if waiting else None,
        "enableAccountSales": rng.random() < 0.5,
        "enableCashSales": True,
        "enableCreditSales": True,
        "mode": rng.choice(("live", "live", "live", "unknown", "kiosk-beta")),
        "isVisible": True,
        "enableSlotCountTracking": rng.random() < 0.9,
        "useInternetPricing": True,
        "hardwareSettingsChanged": False,
        "usePlangramPrice": True,
        "useMachineTaxRate": True,
        "useMachineCommissionRate": False,
        "lastHeartBeat": never,
        "lastCashSale": never,
        "lastCreditSale": never,
        "lastAccountSale": never,
        "latestRestockToPicklist": never,
        "creditProcessingFee": 0,
        "bluetoothId": None,
        "externalAccountsTerminalId": None,
        "createdAt": "2019-06-03T14:02:11.7",
        "provisionedAt": stamp(NEVER) if waiting else "2019-06-04T08:31:55.02",
        "canRollbackFirmware": False,
        "ignoreDoorState": False,
        "offerSmsReceipts": rng.random() < 0.5,
    }
