"""Every documented operation is reached by the graph: a gateway is asked a document, and the vendor the operation."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLSchema, TypeInfo, TypeInfoVisitor, Visitor, parse, visit
from graphql.language import FieldNode

from connectors.operations import PLACEHOLDER
from domain.model import Vendor
from gateway.app import create_app
from gateway.settings import load
from gateway.settling import READ_BACK
from sandbox.eatmachine import CREDENTIALS
from sandbox.server import start
from schema.root import build
from tests.commanding import NOTHING_KEPT, SELDOM_FED, when
from tests.coverage import page
from tests.coverage.all import BY_HAND, COMMANDS, REACHES
from tests.coverage.documented import COUNTS, DOCUMENTS, Documented
from tests.coverage.hooks import HOOKS, Hooked
from tests.coverage.reach import Reach, Things
from tests.following import events
from tests.running import Elapsed, Gateway, Sandbox, config_text, running_sandbox
from tests.vendor_pages import operations

OPERATIONS = [
    pytest.param(vendor, one, id=f"{vendor.value}-{name}")
    for vendor, document in DOCUMENTS.items()
    for name, one in document.asked.items()
]
TOLD = [(vendor, slug) for vendor, document in DOCUMENTS.items() for slug in document.commands]
WEBHOOKS = [(vendor, name) for vendor, document in DOCUMENTS.items() for name in document.webhooks]
LAST = "{ commands(first: 1) { nodes { status } } }"
HURRIED = 1_000.0  # how much faster than usual fridges do what they are told
PUBLIC = '[server]\npublic_url = "https://graph.example.com"'
BY_PASSWORD = """
[[accounts]]
key = "acme-fridges-by-password"
organization = "acme"
vendor = "eatmachine"
base_url = "{base}/eatmachine"
[accounts.credentials]
username = "{username}"
password = "{password}"
"""


@pytest.fixture(scope="module")
def clock() -> Elapsed:
    return Elapsed()


@pytest.fixture(scope="module")
def shared_sandbox(clock: Elapsed) -> Iterator[Sandbox]:
    with running_sandbox(scale=0.05, days=2, now=clock) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """It keeps nothing, so that whatever is asked of it is asked of the vendors."""
    folder = tmp_path_factory.mktemp("coverage")
    text = config_text(
        shared_sandbox,
        folder,
        cache=NOTHING_KEPT,
        feed=SELDOM_FED,
        more=BY_PASSWORD.format(base=shared_sandbox.base, **CREDENTIALS),
    )
    path = folder / "vendgraph.toml"
    path.write_text(text.replace("[server]", PUBLIC), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, start(create_app(load(path))) as server:
        patch.setattr("gateway.settling.LOOKED", 0.2)
        patch.setattr("gateway.settling.READ_BACK", (0.0, *READ_BACK))  # what is lost is looked for at once
        shared_sandbox.webhooks(address=server.base, speed=HURRIED)
        shared_sandbox.settle()
        yield Gateway(server.base, server=server)


@pytest.fixture(scope="module")
def things(gateway: Gateway, shared_sandbox: Sandbox) -> Things:
    return Things(gateway, shared_sandbox)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build()._schema


# ---- what there is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", Vendor, ids=lambda vendor: vendor.value)
def test_the_documents_are_counted(vendor: Vendor) -> None:
    document = DOCUMENTS[vendor]
    operations_ = len(document.operations) + len(document.by_hand or ())
    assert (operations_, len(document.commands), len(document.webhooks)) == COUNTS[vendor]


@pytest.mark.parametrize("vendor", Vendor, ids=lambda vendor: vendor.value)
def test_a_connector_has_the_operations_as_they_are_documented(vendor: Vendor) -> None:
    """And no other."""
    documented = {name: (one.method, one.path) for name, one in DOCUMENTS[vendor].asked.items()}
    assert {name: (one.method, one.path) for name, one in operations(vendor).items()} == documented


def test_nothing_is_reached_that_is_not_documented() -> None:
    for vendor, document in DOCUMENTS.items():
        assert set(REACHES[vendor]) == set(document.asked)
        assert set(HOOKS.get(vendor, ())) == set(document.webhooks)
        assert set(COMMANDS.get(vendor, ())) == set(document.commands)
        assert set(BY_HAND.get(vendor, ())) == set(document.by_hand or ())


def test_the_page_is_as_it_would_be_written_now() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.text(), "see `make docs`"


# ---- that it is reached -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("vendor", "one"), OPERATIONS)
def test_the_graph_reaches_the_operation(
    things: Things, sandbox: Sandbox, schema: GraphQLSchema, vendor: Vendor, one: Documented
) -> None:
    reaches = REACHES[vendor].get(one.name, ())
    assert reaches, f"nothing in the graph reaches {vendor.value}'s {one.name}"
    for reach in reaches:
        names_what_it_takes(schema, reach.document, reach.coordinates)
        ask(things, sandbox, vendor, reach)
        route = PLACEHOLDER.sub("[^/]+", f"{one.method} {base(sandbox, vendor)}{one.path}")
        asks(sandbox, vendor, route, later=reach.losing is not None)


@pytest.mark.parametrize(("vendor", "slug"), TOLD, ids=[slug for _, slug in TOLD])
def test_the_graph_gives_the_command(
    things: Things, sandbox: Sandbox, schema: GraphQLSchema, vendor: Vendor, slug: str
) -> None:
    for reach in COMMANDS[vendor][slug]:
        names_what_it_takes(schema, reach.document, reach.coordinates)
        ask(things, sandbox, vendor, reach)
        asks(sandbox, vendor, f"POST .*/commands/{slug}")
    when(lambda: things.gateway.ask(LAST)["commands"]["nodes"][0]["status"], lambda status: status == "SUCCEEDED")


@pytest.mark.parametrize(("vendor", "name"), WEBHOOKS, ids=[f"{vendor.value}-{name}" for vendor, name in WEBHOOKS])
async def test_the_graph_shows_the_webhook(
    things: Things, sandbox: Sandbox, schema: GraphQLSchema, clock: Elapsed, vendor: Vendor, name: str
) -> None:
    hooked = HOOKS[vendor][name]
    names_what_it_takes(schema, hooked.document, hooked.coordinates)
    clock.seconds += 2  # vendors tell time by the second: what is told next is news
    before = len(taken(sandbox, vendor, name))
    if hooked.document.startswith("{"):
        await asyncio.to_thread(changed, things, hooked)
    else:
        await followed(things, hooked)
    assert await asyncio.to_thread(when, lambda: len(taken(sandbox, vendor, name)), lambda count: count > before)


def changed(things: Things, hooked: Hooked) -> None:
    known = things.gateway.ask(hooked.document)
    hooked.make(things)
    assert hooked.shows(when(lambda: things.gateway.ask(hooked.document), lambda answer: answer != known))


async def followed(things: Things, hooked: Hooked) -> None:
    async with events(things.gateway, hooked.document) as stream:
        await asyncio.to_thread(hooked.make, things)
        while not hooked.shows(await stream.next()):
            pass


def taken(sandbox: Sandbox, vendor: Vendor, name: str) -> list[Any]:
    """The webhooks of a kind that the gateway took."""
    sent = sandbox.webhooks()[vendor.value]["sent"]
    return [one for one in sent if one["kind"] == name and one["status"] == 200]


@pytest.mark.parametrize(
    ("vendor", "name"), [(vendor, name) for vendor, named in BY_HAND.items() for name in named], ids=str
)
def test_what_a_person_does_is_told_by_the_graph(schema: GraphQLSchema, vendor: Vendor, name: str) -> None:
    assert BY_HAND[vendor][name] in coordinates(schema)


def ask(things: Things, sandbox: Sandbox, vendor: Vendor, reach: Reach) -> None:
    """From here on the sandbox knows only what it is asked for this document."""
    given = reach.given(things)
    if reach.renewing is not None:
        sandbox.break_(vendor.value, "status", status=401, operation=reach.renewing, times=1)
    if reach.losing is not None:
        sandbox.break_(vendor.value, "truncate", operation=reach.losing, times=1)
    if reach.missing is not None:
        method, path = reach.missing.split()
        sandbox.break_(vendor.value, "status", status=404, method=method, operation=path, times=1)
    sandbox.forget_requests()
    well(things.gateway.ask(reach.document, given))


def asks(sandbox: Sandbox, vendor: Vendor, route: str, *, later: bool = False) -> None:
    """Whether the vendor was asked; or, `later`, will be."""

    def found() -> list[str]:
        return [one for one in sandbox.requests(vendor.value) if re.fullmatch(route, one)]

    if later:
        when(found, bool)
    assert found(), (route, sandbox.requests(vendor.value))


def well(data: Any) -> None:
    """A mutation tells in its payload what went wrong."""
    for answer in data.values():
        if isinstance(answer, dict) and "errors" in answer:
            assert answer["errors"] == [], answer
            assert answer["command"]["status"] != "FAILED", answer


def base(sandbox: Sandbox, vendor: Vendor) -> str:
    address: str = sandbox.vendors[vendor.value].account("")["base_url"]
    return address


def names_what_it_takes(schema: GraphQLSchema, document: str, names: Any) -> None:
    """The document, of which the gateway will say whether it is valid, selects each of the coordinates."""
    selected = Selected(TypeInfo(schema))
    visit(parse(document), TypeInfoVisitor(selected.types, selected))
    assert set(names) <= selected.found, (set(names) - selected.found, document)


def coordinates(schema: GraphQLSchema) -> set[str]:
    return {f"{name}.{field}" for name, kind in schema.type_map.items() for field in getattr(kind, "fields", ())}


class Selected(Visitor):
    """The schema coordinates of the fields that a document selects."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.types = types
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self.types.get_parent_type()
        if parent is not None:
            self.found.add(f"{parent.name}.{node.name.value}")
