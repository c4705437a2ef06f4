"""Everything that can be followed, for every role in every tenant: one's own messages, and of others' not one."""

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any
from uuid import uuid4

import pytest

from domain.refs import Kind, Ref
from tests.commanding import command
from tests.everything import followed, things, told
from tests.following import Events, events
from tests.rights import (
    KEYS,
    ROLES,
    TENANTS,
    as_the_role_may,
    bearer,
    narrowed,
    personal,
    settled,
    texts,
    two_tenants,
    where,
)
from tests.running import CLIENT, Gateway, Sandbox, running_sandbox
from tests.telling import fridge

SENDS = {"smartepi": "safety", "eatmachine": "fridges"}  # by webhook; the account of each
NUMBERS = count(1)
CALLERS = [(role, tenant) for role in ROLES for tenant in TENANTS]

Message = Mapping[str, Any]
Sandboxes = Mapping[str, Sandbox]
Streams = Mapping[tuple[str, str], Events]


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.05, days=5) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def two(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Sandboxes]]:
    """Both tell the gateway of what happens."""
    with two_tenants(shared_sandbox, tmp_path_factory.mktemp("rights")) as (gateway, other):
        sandboxes = {"acme": shared_sandbox, "other": other}
        for tenant, sandbox in sandboxes.items():
            for vendor, account in SENDS.items():
                sandbox.webhooks(vendor=vendor, account=f"{tenant}-{account}", address=gateway.base)
            sandbox.settle()
        yield gateway, sandboxes


def take_something(_: Gateway, sandbox: Sandbox, __: str) -> None:
    sandbox.happen("smartepi", "withdrawal")
    sandbox.settle()


def show_a_badge(_: Gateway, sandbox: Sandbox, __: str) -> None:
    sandbox.happen("eatmachine", "badge-presented")
    sandbox.settle()


def grow_warmer(gateway: Gateway, sandbox: Sandbox, tenant: str) -> None:
    """Once, for a message shows a machine as it is when it is sent."""
    native, celsius = sandbox.truth("eatmachine")["machines"][0]["uuid"], next(NUMBERS) / 4
    body = {
        "type": "temperature",
        "data": {"temperature": celsius},
        "fridge": {"uuid": native, "doorStatus": "closed", "temperature": celsius},
        "command": {"uuid": str(uuid4()), "type": {"name": "Temperature", "slug": "temperature"}, "status": "success"},
    }
    assert fridge(gateway.base, native, body, f"{tenant}-fridges").status_code == 200


def employ_somebody(gateway: Gateway, _: Sandbox, tenant: str) -> None:
    somebody = {"name": f"Zoe {next(NUMBERS)} of {tenant}", "identification": uuid4().hex[:12]}
    account = Ref(Kind.ACCOUNT, f"{tenant}-safety", "").text
    command(gateway, "createPerson", by=KEYS[tenant], accountId=account, details=somebody)


# What makes a message of each root; an export's progress is told by no vendor, and has a test of its own.
MADE_BY: Mapping[str, Callable[[Gateway, Sandbox, str], None]] = {
    "sales": take_something,
    "events": show_a_badge,
    "machines": grow_warmer,
    "commands": employ_somebody,
}
OF_PEOPLE = frozenset({"sales", "events", "commands"})  # where those messages tell of somebody
EXPORTS = "exports"
THINGS = frozenset(things())


def test_every_root_has_its_place_here() -> None:
    """None is kept from any role: what is, is refused with FORBIDDEN, and has to be told apart here."""
    assert followed().keys() == MADE_BY.keys() | {EXPORTS}


@asynccontextmanager
async def following(
    gateway: Gateway, query: str, id_: str | None = None
) -> AsyncIterator[dict[tuple[str, str], Events]]:
    """Every caller's stream."""
    variables = None if id_ is None else {"id": id_}
    async with AsyncExitStack() as stack:
        yield {
            caller: await stack.enter_async_context(events(gateway, query, variables, key=bearer(*caller)))
            for caller in CALLERS
        }


async def until_told(stream: Events, root: str, tenant: str) -> Sequence[Message]:
    """The messages to the one that is the last of what was made in a tenant."""
    heard: list[Message] = []
    while not heard or owners(heard[-1]) != {tenant} or not is_last(heard[-1]):
        message = (await stream.next())[root]
        assert message["gap"] is None
        heard.append(message)
    return heard


def is_last(message: Message) -> bool:
    made = message.get("command")
    return made is None or made["status"] == "SUCCEEDED"


def owners(message: Any) -> set[str]:
    """The tenants whose ids are in it."""
    return {where(value).partition("-")[0] for kind, field, value in told(message) if field == "id" and kind in THINGS}


@pytest.mark.parametrize(("own", "foreign"), [("acme", "other"), ("other", "acme")])
@pytest.mark.parametrize("root", MADE_BY)
async def test_messages_are_of_ones_own_and_as_far_as_the_role_goes(
    root: str, own: str, foreign: str, two: tuple[Gateway, Sandboxes]
) -> None:
    """What is another's happens first: had it been told, it would be heard first."""
    gateway, sandboxes = two
    async with following(gateway, followed()[root]) as streams:
        for tenant in (foreign, own):
            MADE_BY[root](gateway, sandboxes[tenant], tenant)
        heard = {(role, of): await until_told(streams[role, of], root, own) for role in ROLES for of in (own, "both")}
    whole = heard["ADMIN", own]
    assert (settled(narrowed(whole)) != settled(whole)) == (root in OF_PEOPLE)
    words = personal(gateway, bearer("ADMIN", "both"))
    for (role, of), messages in heard.items():
        assert set().union(*map(owners, messages)) == set(TENANTS[of])
        as_the_role_may(role, whole, [one for one in messages if owners(one) == {own}])
        assert role != "VIEWER" or words.isdisjoint(texts(messages))


async def progress(stream: Events) -> Message:
    """The first that is told; it has no cursor, and so its event no id."""
    event = await stream.hear()
    assert event is not None
    found: Message = json.loads(event["data"])["data"][EXPORTS]
    return found


@pytest.mark.parametrize("exporter", CALLERS, ids="-".join)
async def test_an_export_is_followed_by_nobody_else(exporter: tuple[str, str], two: tuple[Gateway, Sandboxes]) -> None:
    """Not even by another key of the same tenant: to all others it has not begun."""
    gateway, _ = two
    id_ = f"export-of-{'-'.join(exporter)}"
    headers = {"authorization": f"Bearer {bearer(*exporter)}"}
    assert CLIENT.get(f"{gateway.base}/exports/sales.ndjson", params={"id": id_}, headers=headers).status_code == 200
    async with following(gateway, followed()[EXPORTS], id_) as streams:
        heard = {caller: await progress(stream) for caller, stream in streams.items()}
    own = heard.pop(exporter)
    assert (own["state"], own["complete"], own["sales"] > 0) == ("DONE", True, True)
    assert {where(one["account"]["id"]).partition("-")[0] for one in own["sources"]} == set(TENANTS[exporter[1]])
    assert all(one["state"] == "WAITING" and not (one["sales"] or one["sources"]) for one in heard.values())
