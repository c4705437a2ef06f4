"""Many callers with one key: one request to the vendor, and the same command for all."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

from journal.keys import digest
from tests.attempts import DEPOSIT, ask, begun, calling, carried_out, commanded, deposit, ends, some_machine, started
from tests.lossy import Lossy
from tests.redises import own_redis
from tests.running import Gateway, Sandbox

CALLERS = 50
OF_BOTH = "vg_admin-of-both"


def of_two_organizations(text: str) -> str:
    """The same account once more, of another organization, and a key for both."""
    account = text[text.index("[[accounts]]") :]
    other = account.replace('key = "acme-coffee"', 'key = "other-coffee"').replace('"acme"', '"other"')
    return f"""{text}
{other}
[[organizations]]
key = "other"
name = "Other Vending"
[[auth.keys]]
name = "both"
sha256 = "{digest(OF_BOTH)}"
role = "admin"
organizations = ["*"]
"""


async def all_at_once(gateways: Sequence[Gateway], asked: Sequence[dict[str, Any]], wire: Lossy) -> list[Any]:
    """What fifty callers are told, spread over gateways and inputs, while the vendor has not answered any."""
    wire.hold("send-deposit")
    callers = zip(range(CALLERS), cycle(gateways), cycle(asked))
    async with calling() as line:
        found = await asyncio.gather(*(line.ask(DEPOSIT, given, gateway) for _, gateway, given in callers))
    wire.released.set()
    return found


def the_one(told: Sequence[Any]) -> str:
    """The id of the one command that all were told of."""
    assert [one["errors"] for one in told] == [[]] * len(told)
    (found,) = {one["command"]["id"] for one in told}
    return str(found)


def refused(told: Any) -> bool:
    return [error["code"] for error in told["errors"]] == ["CONFLICT"]


async def test_fifty_callers_with_one_key_over_two_gateways(
    sandbox: Sandbox, wire: Lossy, postgresql: str, tmp_path: Path
) -> None:
    before = carried_out(sandbox)
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(own_redis(tmp_path))
        text = commanded(postgresql, wire.base, bus=redis.url)
        pair = (started(tmp_path / name, text) for name in ("one", "other"))
        gateways = [served.gateway for served in await asyncio.gather(*map(stack.enter_async_context, pair))]
        machine = (await some_machine(gateways[0]))["id"]
        given = deposit(machine, "key", 777)
        told = await all_at_once(gateways, [given], wire)
        assert {one["command"]["status"] for one in told} <= {"PENDING", "SENT"}
        for gateway in gateways:
            assert (await ends(gateway, the_one(told)))["status"] == "SUCCEEDED"
            assert the_one([*told, await ask(gateway, DEPOSIT, given)])
            assert refused(await ask(gateway, DEPOSIT, deposit(machine, "key", 778)))
    assert carried_out(sandbox) - before == {777: 1}
    assert len(wire.bodies("send-deposit")) == 1


async def test_a_key_is_for_one_input_and_of_one_organization(sandbox: Sandbox, wire: Lossy, tmp_path: Path) -> None:
    """In one of them two amounts are asked for at once, in the other one of the two."""
    before = carried_out(sandbox)
    text = of_two_organizations(commanded(f"sqlite:///{tmp_path}/it.db", wire.base))
    async with begun(tmp_path, text) as gateway:
        both = Gateway(gateway.base, OF_BOTH)
        mine, other = [await a_machine(both, account) for account in ("acme-coffee", "other-coffee")]
        here, there = await asyncio.gather(
            all_at_once([gateway], [deposit(mine, "key", cents) for cents in (555, 556)], wire),
            all_at_once([both], [deposit(other, "key", 555)], wire),
        )
        taken, not_taken = sorted((here[::2], here[1::2]), key=lambda told: refused(told[0]))
        assert all(map(refused, not_taken))
        assert the_one(taken) != the_one(there)
        for id_ in (the_one(taken), the_one(there)):
            assert (await ends(both, id_))["status"] == "SUCCEEDED"
    assert (carried_out(sandbox) - before).total() == 2
    assert len(wire.bodies("send-deposit")) == 2


async def a_machine(gateway: Gateway, account: str) -> str:
    asked = "{ machines { nodes { id connectivity account { key } } } }"
    found = (await asyncio.to_thread(gateway.ask, asked))["machines"]["nodes"]
    online = (one["id"] for one in found if (one["connectivity"], one["account"]["key"]) == ("ONLINE", account))
    return str(next(online))
