"""How the graph reaches one operation of a vendor: a small document, and the names in it that do so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

from domain.refs import Kind, Ref
from tests.commanding import when
from tests.running import Gateway, Sandbox

Found = dict[str, Any]
MACHINES = """query ($filter: MachineFilter) { machines(first: 200, filter: $filter) { nodes {
  id vendorId connectivity kind slots { id row column product { id } } } } }"""


def capital(name: str) -> str:
    return name[0].upper() + name[1:]


@dataclass(frozen=True)
class Things:
    """What documents are about, found in the graph when it is first needed."""

    gateway: Gateway
    sandbox: Sandbox
    by_vendor: dict[str, list[Found]] = field(default_factory=dict)

    def machines(self, vendor: str) -> list[Found]:
        if vendor not in self.by_vendor:
            found = self.gateway.ask(MACHINES, {"filter": {"vendors": [vendor]}})
            self.by_vendor[vendor] = found["machines"]["nodes"]
        return self.by_vendor[vendor]

    def machine(self, vendor: str) -> Found:
        """One that is not offline, and none that was just made: such a one holds nothing. A fridge may be starting."""
        found: Found = when(lambda: self._some(vendor), bool)
        return found

    def _some(self, vendor: str) -> Found | None:
        if vendor == "EATMACHINE":
            self.by_vendor.pop(vendor, None)
        found = (one for one in self.machines(vendor) if one["connectivity"] != "OFFLINE" and one["slots"])
        return next(found, None)

    def slot(self, vendor: str) -> Found:
        """One that holds a product."""
        filled = (slot for one in self.machines(vendor) for slot in one["slots"] or () if slot["product"])
        return next(filled)

    def first(self, of: str, **filtered: Any) -> str:
        """The id of the first of a list."""
        named = {"people": "Person", "organizationUnits": "OrganizationUnit", "entitlementGroups": "EntitlementGroup"}
        kind = named.get(of, capital(of).removesuffix("s"))
        query = f"query ($filter: {kind}Filter) {{ {of}(first: 1, filter: $filter) {{ nodes {{ id }} }} }}"
        found: str = self.gateway.ask(query, {"filter": filtered})[of]["nodes"][0]["id"]
        return found

    def made(self, mutation: str, **given: Any) -> str:
        """The id of what the mutation makes."""
        query = f"mutation ($input: {capital(mutation)}Input!) {{ {mutation}(input: $input) {{ {PAYLOAD} }} }}"
        payload = self.gateway.ask(query, {"input": keyed(**given)})[mutation]
        assert payload["errors"] == [], payload
        found: str = payload["command"]["subject"]["id"]
        return found

    @cached_property
    def organization(self) -> str:
        return self.ref(Kind.ORGANIZATION, "acme-kiosks", "1")

    @staticmethod
    def ref(kind: Kind, account: str, native: object = "") -> str:
        return Ref(kind, account, str(native)).text


PAYLOAD = "command { status error errorCode subject { id } } errors { code message field reason }"
SPANNED = "$id: ID!, $from: DateTime!, $to: DateTime!"
ON_ACCOUNT = "node(id: $id) { ... on VendorAccount { %s } }"
Given = Callable[[Things], Found]


def nothing(_: Things) -> Found:
    return {}


def keyed(**given: Any) -> Found:
    return {"idempotencyKey": uuid4().hex} | given


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """`renewing`: a path that is answered 401 once, so that the document leads to a new login. `losing`: one whose
    answer is lost, so that the vendor is read to find out what became of it. `missing`: a method and a path that
    are not there."""

    coordinates: Sequence[str]
    document: str
    given: Given = nothing
    renewing: str | None = None
    losing: str | None = None
    missing: str | None = None


def by_id(coordinate: str, variable: str, selection: str, given: Given) -> Reach:
    return Reach(coordinates=(coordinate,), document=f"query ({variable}) {{ {selection} }}", given=given)


def of_machine(coordinate: str, selection: str, vendor: str) -> Reach:
    document = f"query ($id: ID!) {{ machine(id: $id) {{ {selection} }} }}"
    return Reach(
        coordinates=(coordinate,), document=document, given=lambda things: {"id": things.machine(vendor)["id"]}
    )


def of_account(coordinate: str, selection: str, account: str) -> Reach:
    return by_id(coordinate, "$id: ID!", ON_ACCOUNT % selection, lambda _: {"id": account})


def of_span(coordinate: str, selection: str, account: str) -> Reach:
    """Of an account, in the span that `span` gives."""
    return by_id(coordinate, SPANNED, ON_ACCOUNT % selection, lambda _: {"id": account, **span()})


def span() -> Found:
    """A month that goes on for another hour, as `SPANNED` names its ends."""
    until = datetime.now(UTC) + timedelta(hours=1)
    return {"from": (until - timedelta(days=30)).isoformat(), "to": until.isoformat()}


def listing(field_: str, vendor: str, more: str = "id", *coordinates: str) -> Reach:
    """The newest, or the first, of a list of the vendor's alone."""
    return Reach(
        coordinates=coordinates or (f"Query.{field_}",),
        document=f"{{ {field_}(first: 5, filter: {{ vendors: [{vendor}] }}) {{ nodes {{ {more} }} }} }}",
    )


def changing(
    mutation: str, given: Given, kind: str | None = None, losing: str | None = None, missing: str | None = None
) -> Reach:
    kind = kind or f"{capital(mutation)}Input"
    return Reach(
        coordinates=(f"Mutation.{mutation}",),
        document=f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ {PAYLOAD} }} }}",
        given=lambda things: {"input": keyed(**given(things))},
        losing=losing,
        missing=missing,
    )


def telling(mutation: str, vendor: str) -> Reach:
    """A machine is told to do something that needs no more."""
    return changing(mutation, lambda things: {"machineId": things.machine(vendor)["id"]}, "MachineCommandInput")


Reaches = Mapping[str, Sequence[Reach]]
