"""Livello's users: customers, and who works for the organizations. Only customers can be made."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request

from sandbox.livello_fleet import Row, iso
from sandbox.livello_gate import Problem
from sandbox.livello_query import Columns, by_offset, column, containing, matching, one, ordered
from sandbox.world import World

TEXTS = ("email", "firstName", "lastName", "mobile", "note", "avatarUrl")
WORDS = {"status": ("ACTIVE", "INACTIVE"), "lang": ("en", "de", "it", "fr")}
ADDRESS = ("address", "city", "postalCode", "country")
CHANGEABLE = frozenset({*TEXTS, *WORDS, "membercards", "address"})
NEEDED = ("email", "firstName", "lastName", "organizationId", "status", "lang")
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
FIRST_NAMES = ("Ada", "Ben", "Cleo", "Dora", "Emil", "Fritz", "Greta", "Hans", "Ida", "Jonas", "Klara")
LAST_NAMES = ("Albers", "Becker", "Conrad", "Dietz", "Ernst", "Fuchs", "Graf", "Hahn")
ROLES = ("consumer",) * 7 + ("operator", "admin", "superadmin", "auditor")  # a role that no document knows
USERS = 88  # of whom transactions tell


class Users:
    """`organizations`: those of the fleet."""

    def __init__(self, world: World, organizations: Sequence[Row]) -> None:
        self._organizations = {row["id"]: row for row in organizations}
        rng = world.random("livello", "users")
        self.records: list[Row] = []
        for number in range(USERS):
            created = world.start - timedelta(days=rng.randint(100, 900))
            owner = rng.choice(list(self._organizations))
            self.records.append(self._made(_seed(number), owner, rng.choice(ROLES), created))

    def list(self, query: QueryParams) -> Row:
        rows = containing(query, self.records, "name", _name)
        rows = matching(query, rows, role=_role)
        columns: Columns = {
            "firstName": column("firstName"),
            "role": _role,
            "organizationName": lambda row: row["rolesInOrganizations"][0]["organizationName"],
            "updated": column("updated"),
        }
        return by_offset(query, ordered(rows, query, "sortBy", columns, usual=1), "skip")

    def get(self, native: str) -> Row:
        return one(self.records, native, "User")

    def create(self, body: Row, now: datetime) -> Row:
        absent = [name for name in NEEDED if body.get(name) is None]
        if absent:
            raise Problem(400, f"{absent[0]} should not be empty")
        owner = body["organizationId"]
        if not isinstance(owner, int) or isinstance(owner, bool) or owner not in self._organizations:
            raise Problem(400, "organizationId must be the id of one of your organizations")
        given = {name: value for name, value in body.items() if name != "organizationId"}
        self._check(given, None)
        made = self._made(given, owner, "consumer", now)
        self.records.append(made)
        return made

    def update(self, native: str, body: Row, now: datetime) -> Row:
        user = self.get(native)
        self._check(body, user)
        user |= body | {"updated": iso(now)}
        return user

    def _made(self, given: Row, owner: int, role: str, now: datetime) -> Row:
        blank: Row = {"mobile": None, "note": None, "avatarUrl": None, "membercards": [], "address": None}
        return {
            "id": len(self.records) + 1,
            **blank,
            **given,
            "root": False,
            "termsAccepted": role == "consumer",
            "rolesInOrganizations": [
                {"organizationId": owner, "organizationName": self._organizations[owner]["name"], "role": role}
            ],
            "created": iso(now),
            "updated": iso(now),
        }

    def _check(self, given: Row, user: Row | None) -> None:
        unknown = given.keys() - CHANGEABLE
        if unknown:
            raise Problem(400, f"property {min(unknown)} should not exist")
        for name, value in given.items():
            if not _fits(name, value):
                raise Problem(400, f"{name} is not valid: {value!r}")
        mail = str(given.get("email", "")).casefold()
        if mail and any(row["email"].casefold() == mail for row in self.records if row is not user):
            raise Problem(400, f"the email {mail} is in use")


def _fits(name: str, value: Any) -> bool:
    if name in WORDS:
        return value in WORDS[name]
    if name == "membercards":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if name == "address":
        return (
            isinstance(value, dict) and value.keys() <= set(ADDRESS) and all(isinstance(v, str) for v in value.values())
        )
    return isinstance(value, str) and bool(value) and (name != "email" or MAIL.fullmatch(value) is not None)


def _seed(number: int) -> Row:
    first, last = FIRST_NAMES[number % 11], LAST_NAMES[number // 11]
    return {
        "email": f"{first}.{last}@customers.example".lower(),
        "firstName": first,
        "lastName": last,
        "status": "INACTIVE" if number % 9 == 4 else "ACTIVE",
        "lang": ("de", "en", "fr", "it")[number % 4],
        "membercards": [f"MC-{number:03}"] if number % 3 == 0 else [],
    }


def _name(row: Row) -> str:
    return f"{row['firstName']} {row['lastName']}"


def _role(row: Row) -> str:
    role: str = row["rolesInOrganizations"][0]["role"]
    return role


def creating(users: Users, now: Callable[[], datetime]) -> Callable[[Request, Row], Row]:
    return lambda _, body: users.create(body, now())


def updating(users: Users, now: Callable[[], datetime]) -> Callable[[Request, Row], Row]:
    return lambda request, body: users.update(request.path_params["id"], body, now())
