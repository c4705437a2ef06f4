"""Limits of the configuration: how much a key, and an organization, may ask for."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from journal.keys import digest
from tests.commanding import Found, command, fleet, give, lost, new_key, of_vendor, reaching, refusal
from tests.running import OPERATOR, STRANGER, Gateway, Sandbox, running_gateway

SMALL, DAILY, HOURLY, SHARED = "vg_small", "vg_daily", "vg_hourly", "vg_shared"
LIMITS = {
    SMALL: 'amount_per_command = "2.50"',
    DAILY: "amount_per_day = 10",
    HOURLY: "commands_per_hour = 3",
    SHARED: "amount_per_day = 4",
}


def more() -> str:
    keys = "".join(
        f'\n[[auth.keys]]\nname = "{key[3:]}"\nsha256 = "{digest(key)}"\nrole = "operator"\n'
        f'organizations = ["acme"]\n[auth.keys.limits]\n{limits}\n'
        for key, limits in LIMITS.items()
    )
    keys += f'\n[[auth.keys]]\nname = "second"\nsha256 = "{digest("vg_second")}"\nrole = "admin"\n'
    keys += 'organizations = ["other"]\n'
    return f"{keys}\n[organizations.limits]\namount_per_command = 50\namount_per_day = 60\ncommands_per_hour = 6\n"


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """What a key has spent is spent: each test has one of its own."""
    folder = tmp_path_factory.mktemp("quotas")
    with running_gateway(shared_sandbox, folder, others=[shared_sandbox], more=more()) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def coffee(gateway: Gateway) -> Found:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[0]


@pytest.fixture(scope="module")
def theirs(gateway: Gateway) -> Found:
    return of_vendor(fleet(gateway, by=STRANGER), "SMARTVEND", "ONLINE")[0]


def test_a_command_may_move_so_much(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    given = {"by": SMALL, "machineId": coffee["id"]}
    for mutation in ("sendDeposit", "sendRemotePayment"):
        assert command(gateway, mutation, amount="2.50", **given)["status"] == "SUCCEEDED"
        with reaching(sandbox) as reached:
            error = refusal(gateway, mutation, amount="2.51", **given)
        assert (error["code"], reached.requests) == ("FORBIDDEN", [])
        assert "2.50 EUR" in error["message"]
    assert command(gateway, "sendDeposit", by=OPERATOR, machineId=coffee["id"], amount="2.51")


def test_a_day_may_hold_so_much(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    """What may have been moved counts, what was not does not, and goods have no amount."""
    given = {"by": DAILY, "machineId": coffee["id"]}
    assert command(gateway, "sendDeposit", amount="4.01", **given)["status"] == "SUCCEEDED"
    lost(gateway, sandbox, "sendRemotePayment", amount="5.00", **given)
    error = refusal(gateway, "sendDeposit", amount="1", **given)
    assert (error["code"], "0.99 EUR are left" in error["message"]) == ("FORBIDDEN", True)
    sandbox.break_("smartvend", "status", operation="send-deposit", status=400, times=1)
    assert command(gateway, "sendDeposit", amount="0.99", **given)["status"] == "FAILED"
    assert command(gateway, "sendDeposit", amount="0.99", **given)["status"] == "SUCCEEDED"
    assert refusal(gateway, "sendDeposit", amount="0.01", **given)["code"] == "FORBIDDEN"
    assert command(gateway, "dispenseProduct", position="1", **given)["status"] == "SUCCEEDED"


def test_an_hour_may_hold_so_many(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    """Of any kind; asking again for the same is no new one, and neither is what was refused."""
    given = {"by": HOURLY, "machineId": coffee["id"]}
    key = new_key()
    first = command(gateway, "sendDeposit", amount="1", idempotencyKey=key, **given)
    assert refusal(gateway, "sendDeposit", amount="0", **given)["code"] == "BAD_INPUT"
    command(gateway, "dispenseProduct", position="1", **given)
    command(gateway, "collectCash", **given)
    with reaching(sandbox) as reached:
        error = refusal(gateway, "collectCash", **given)
        assert command(gateway, "sendDeposit", amount="1", idempotencyKey=key, **given) == first
    assert (error["code"], reached.requests) == ("RATE_LIMITED", [])
    assert command(gateway, "collectCash", by=OPERATOR, machineId=coffee["id"])


def test_an_organization_has_limits_over_all_its_keys(sandbox: Sandbox, gateway: Gateway, theirs: Found) -> None:
    with reaching(sandbox) as reached:
        assert (
            refusal(gateway, "sendDeposit", by=STRANGER, machineId=theirs["id"], amount="50.01")["code"] == "FORBIDDEN"
        )
        command(gateway, "sendDeposit", by=STRANGER, machineId=theirs["id"], amount="40")
        error = refusal(gateway, "sendDeposit", by="vg_second", machineId=theirs["id"], amount="20.01")
        command(gateway, "sendDeposit", by="vg_second", machineId=theirs["id"], amount="20")
        for _ in range(4):
            command(gateway, "collectCash", by=STRANGER, machineId=theirs["id"])
        last = refusal(gateway, "collectCash", by="vg_second", machineId=theirs["id"])
    assert (error["code"], last["code"]) == ("FORBIDDEN", "RATE_LIMITED")
    assert "this organization" in error["message"]
    assert len(reached.bodies) == 6


def test_many_callers_at_once_get_no_more(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    given = {"by": SHARED, "machineId": coffee["id"]}
    with reaching(sandbox) as reached, ThreadPoolExecutor(24) as callers:
        payloads = list(callers.map(lambda _: give(gateway, "sendDeposit", amount="1", **given), range(24)))
    codes = Counter(payload["errors"][0]["code"] if payload["errors"] else "SUCCEEDED" for payload in payloads)
    assert codes == {"SUCCEEDED": 4, "FORBIDDEN": 20}
    assert len(reached.bodies) == 4
