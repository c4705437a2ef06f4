"""A bulk takes no more than its share of an account's budget, and nobody waits behind it."""

from contextlib import AbstractContextManager
from pathlib import Path

from resolvers.bulk_lines import SENT_AT_ONCE
from tests.bulking import PRICES, asked, ended, priced, read, statuses
from tests.commanding import Found, becomes, command, fleet, new_key, of_vendor, sent, when
from tests.running import Gateway, Sandbox, running_gateway

REQUESTS = 60
SOON = "\n[commands]\nanswer_seconds = 0.5\n"
KEPT = "machines = 600\nslots = 600\nstate = 600"
LEFT = "{ accounts { key rateLimit { remaining } } }"
FIRST = 8_000  # cents: no price of the sandbox is so high


def started(sandbox: Sandbox, folder: Path, requests: int) -> AbstractContextManager[Gateway]:
    limits, feed = f"requests = {requests}\nper_seconds = 3600", "every_seconds = 86400"
    return running_gateway(sandbox, folder, cache=KEPT, limits=limits, feed=feed, more=SOON)


def left(gateway: Gateway) -> int:
    found = {one["key"]: one["rateLimit"] for one in gateway.ask(LEFT)["accounts"]}
    remaining: int = found["acme-coffee"]["remaining"]
    return remaining


def items(gateway: Gateway) -> list[Found]:
    """Three slots of each of SmartVend's machines, slot by slot."""
    machines = of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")
    return [machine["slots"][at] | {"machine": machine["id"]} for at in range(3) for machine in machines]


def written(sandbox: Sandbox) -> list[int]:
    """The prices that were written, as often as a matrix came to hold them."""
    held: dict[str, list[int]] = {}
    found = []
    for body in sent(sandbox):
        now = [cell["price"] for cell in body.get("products", ()) if cell["price"] >= FIRST]
        found += [price for price in now if price not in held.get(body["id"], ())]
        held[body["id"]] = now
    return found


def test_it_leaves_half_of_the_budget_and_nobody_waits_behind_it(sandbox: Sandbox, tmp_path: Path) -> None:
    """A single command of a machine comes after what was asked of it before, and does not wait for the rest."""
    key = new_key()
    with started(sandbox, tmp_path, REQUESTS) as gateway:
        found = items(gateway)
        prices = priced(found, FIRST)
        bulk = asked(gateway, PRICES, key=key, prices=prices)
        bulk = when(lambda: (left(gateway), read(gateway, bulk["id"])), _rests)[1]
        assert left(gateway) >= REQUESTS / 2 - 2 * SENT_AT_ONCE  # what was begun is ended
        assert (bulk["running"], bulk["items"][-1]["command"]["status"]) == (True, "PENDING")
        waiting = bulk["counts"]["underWay"]
        single = command(gateway, "setPrice", slotId=found[-1]["id"], amount="99.99")
        assert becomes(gateway, single["id"], "SUCCEEDED", "FAILED")["status"] == "SUCCEEDED"
        bulk = read(gateway, bulk["id"])
        before = [at for at, one in enumerate(found) if one["machine"] == found[-1]["machine"]]
        assert {statuses(bulk)[at] for at in before} == {"SUCCEEDED"}
        assert written(sandbox)[-2:] == [FIRST + before[-1], 9999]
        assert bulk["counts"]["underWay"] >= waiting - len(before) > 0
    with started(sandbox, tmp_path, 10 * REQUESTS) as gateway:
        again = asked(gateway, PRICES, key=key, prices=prices)
        over = when(lambda: read(gateway, again["id"]), ended)
    assert statuses(over) == ["SUCCEEDED"] * len(found)
    assert sorted(written(sandbox)) == [*range(FIRST, FIRST + len(found)), 9999]


def _rests(seen: tuple[int, Found]) -> bool:
    """First there was nothing left for it, and then nothing of it was under way."""
    left, bulk = seen
    return left <= REQUESTS / 2 and "SENT" not in statuses(bulk)
