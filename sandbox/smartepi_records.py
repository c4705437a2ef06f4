"""What kinds of records SmartEPI keeps, and the keeping of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    path: str
    prefix: str  # of ids
    texts: tuple[str, ...] = ("name",)
    nested: Mapping[str, frozenset[str]] = field(default_factory=dict)  # member -> the members of its objects
    references: Mapping[str, str] = field(default_factory=dict)  # member -> path of what it points to
    unique: tuple[str, ...] = ("name",)
    filters: tuple[str, ...] = ()  # by relationship, one a request
    searches: tuple[str, ...] = ("name",)  # by the beginning of a text
    dated: bool = False


EMPLOYEES = Kind(
    path="employees",
    prefix="emp",
    texts=("name", "email", "identification", "status"),
    references={
        "sectorId": "sectors",
        "costCenterId": "cost-centers",
        "costCenter2Id": "cost-centers",
        "jobRoleId": "job-roles",
        "groupId": "groups",
    },
    unique=("identification", "email"),
    filters=("sectorId", "costCenterId", "jobRoleId", "groupId"),
    searches=("name", "identification"),
)
PRODUCTS = Kind(
    path="products",
    prefix="prd",
    texts=("name", "code", "description"),
    nested={"sizes": frozenset({"id", "name"}), "certificates": frozenset({"id", "number", "expiresAt"})},
)
GROUPS = Kind(path="groups", prefix="grp", nested={"rules": frozenset({"productId", "quantity", "periodDays"})})
SECTORS = Kind(path="sectors", prefix="sec")
COST_CENTERS = Kind(path="cost-centers", prefix="cc", texts=("name", "code"), searches=("name", "code"))
JOB_ROLES = Kind(path="job-roles", prefix="job")
ACCESS_GROUPS = Kind(path="access-groups", prefix="acc")
ENTITIES = (EMPLOYEES, PRODUCTS, GROUPS, SECTORS, COST_CENTERS, JOB_ROLES, ACCESS_GROUPS)

RELATED = ("employeeId", "productId", "costCenterId", "sectorId")
WITHDRAWALS = Kind(path="withdrawals", prefix="w", filters=RELATED, searches=(), dated=True)
RETURNS = Kind(path="returns", prefix="r", filters=RELATED, searches=(), dated=True)
EXCHANGES = Kind(path="exchanges", prefix="x", filters=RELATED, searches=(), dated=True)
TRANSACTIONS = (WITHDRAWALS, RETURNS, EXCHANGES)


@dataclass(slots=True, kw_only=True)
class Item:
    record: Record
    number: int
    created: int  # UNIX seconds
    version: int = 1

    @property
    def etag(self) -> str:
        return f'"{self.version}"'


class Store:
    """Items by path and id, in the order in which they were added, which is that of their creation."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, Item]] = {kind.path: {} for kind in (*ENTITIES, *TRANSACTIONS)}
        self._numbers = {path: count(1) for path in self._items}

    def add(self, kind: Kind, members: Record, created: int, *, version: int = 1) -> Item:
        number = next(self._numbers[kind.path])
        record = {"id": f"{kind.prefix}-{number}"} | members
        item = Item(record=record, number=number, created=created, version=version)
        self._items[kind.path][record["id"]] = item
        return item

    def number_from(self, number: int) -> None:
        """The transactions that are to come."""
        self._numbers |= {kind.path: count(number) for kind in TRANSACTIONS}

    def find(self, path: str, key: object) -> Item | None:
        return self._items[path].get(str(key))

    def items(self, path: str) -> list[Item]:
        return list(self._items[path].values())

    def records(self, kind: Kind) -> list[Record]:
        return [item.record for item in self._items[kind.path].values()]

    def remove(self, kind: Kind, item: Item) -> None:
        del self._items[kind.path][item.record["id"]]
