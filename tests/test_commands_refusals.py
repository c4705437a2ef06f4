"""What is not taken on: refused with the reason, and without one request to a vendor."""

from collections.abc import Iterator
from typing import Any

import pytest

from domain.refs import Kind, Ref
from tests import telling
from tests.commanding import (
    ACTS,
    NOTHING_KEPT,
    SELDOM_FED,
    Found,
    fleet,
    give,
    of_vendor,
    refusal,
    refusals,
    requests,
    sent,
    valid,
)
from tests.running import OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_gateway, running_sandbox

VENDORS = ("smartvend", "livello", "vendnovation", "smartepi", "eatmachine")
OF_ADMINS = {"setPrice", "updatePlanogram", "updateConfig"}


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """With controllers that are offline, and with those that have cells without a product."""
    with running_sandbox(scale=0.15, days=3) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("warm")
    with running_gateway(shared_sandbox, folder, others=[shared_sandbox], feed=SELDOM_FED) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def cold(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Keeps nothing that a vendor told, so that whatever it wants to know costs a request."""
    folder = tmp_path_factory.mktemp("cold")
    others = [shared_sandbox]
    with running_gateway(shared_sandbox, folder, others=others, cache=NOTHING_KEPT, feed=SELDOM_FED) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def machines(gateway: Gateway, shared_sandbox: Sandbox) -> list[Found]:
    fridge = shared_sandbox.truth("eatmachine")["machines"][0]["uuid"]
    told = telling.fridge(gateway.base, fridge, {"type": "shutdown", "data": None, "fridge": {"uuid": fridge}})
    assert told.status_code == 200
    return fleet(gateway)


@pytest.fixture(scope="module")
def coffee(machines: list[Found]) -> Found:
    return of_vendor(machines, "SMARTVEND", "ONLINE")[0]


@pytest.fixture(autouse=True)
def unasked(sandbox: Sandbox, machines: list[Found]) -> Iterator[None]:
    """Whatever is refused costs nothing."""
    assert machines
    sandbox.forget_requests()
    yield
    assert requests(sandbox) == []
    assert sent(sandbox) == sent(sandbox, "eatmachine") == []


def of_each_vendor(machines: list[Found]) -> list[Found]:
    return list({one["vendor"]: one for one in machines}.values())


def ref(kind: Kind, account: str, native: str) -> str:
    return Ref(kind, account, native).text


# ---- roles


@pytest.mark.parametrize("mutation", ACTS)
def test_who_only_reads_asks_for_nothing(cold: Gateway, machines: list[Found], mutation: str) -> None:
    for machine in of_each_vendor(machines):
        error = refusal(cold, mutation, by=VIEWER, **valid(mutation, machine))
        assert (error["code"], error["field"], error["reason"]) == ("FORBIDDEN", None, None)


@pytest.mark.parametrize("mutation", sorted(OF_ADMINS))
def test_prices_planograms_and_settings_are_for_admins(cold: Gateway, coffee: Found, mutation: str) -> None:
    error = refusal(cold, mutation, by=OPERATOR, **valid(mutation, coffee))
    assert error["code"] == "FORBIDDEN"
    assert "ADMIN" in error["message"]
    assert refusal(cold, mutation, by=OPERATOR, dry=True, **valid(mutation, coffee))["code"] == "FORBIDDEN"


# ---- what there is not, or is another's


@pytest.mark.parametrize("mutation", ACTS)
def test_another_organizations_machine_is_refused_as_one_that_never_was(
    gateway: Gateway, machines: list[Found], mutation: str
) -> None:
    for machine in of_each_vendor(machines):
        given = valid(mutation, machine)
        errors = [
            refusal(gateway, mutation, by=STRANGER, **given),
            refusal(gateway, mutation, by=STRANGER, dry=True, **given),
            refusal(gateway, mutation, by=STRANGER, **_elsewhere(given, "nobodys-account")),
            refusal(gateway, mutation, by=STRANGER, **{name: _strange(name, value) for name, value in given.items()}),
        ]
        assert errors == [errors[0]] * 4
        assert errors[0]["code"] == "NOT_FOUND"


def _elsewhere(given: Found, account: str) -> Found:
    """The same of another account."""
    moved = dict(given)
    for name in ("machineId", "slotId"):
        found = Ref.parse(given.get(name, ""))
        if found is not None:
            moved[name] = ref(found.kind, account, found.native)
    return moved


def _strange(name: str, value: Any) -> Any:
    return "no id at all" if name in ("machineId", "slotId") else value


@pytest.mark.parametrize("native", ["b7a0c5a5-0b5e-4f5e-9d0f-111111111111", "", "a/b", "\u0000"])
@pytest.mark.parametrize("mutation", ["sendDeposit", "dispenseProduct", "setPrice", "collectCash"])
def test_an_id_of_ones_own_account_that_never_was_is_refused_alike(
    gateway: Gateway, coffee: Found, mutation: str, native: str
) -> None:
    given = valid(mutation, coffee)
    own = dict(given)
    if "machineId" in own:
        own["machineId"] = ref(Kind.MACHINE, "acme-coffee", native)
    if "slotId" in own:
        own["slotId"] = ref(Kind.SLOT, "acme-coffee", f"{native}/1")
    assert refusal(gateway, mutation, **own) == refusal(gateway, mutation, **_elsewhere(given, "nobody"))


@pytest.mark.parametrize("kind", [Kind.MACHINE, Kind.SLOT, Kind.PRODUCT, Kind.COMMAND])
def test_an_id_of_another_kind_is_no_machines(cold: Gateway, coffee: Found, kind: Kind) -> None:
    other = ref(kind, "acme-coffee", coffee["vendorId"])
    if kind is not Kind.MACHINE:
        assert refusal(cold, "sendDeposit", machineId=other, amount="1")["code"] == "NOT_FOUND"
    if kind is not Kind.SLOT:
        assert refusal(cold, "setPrice", slotId=other, amount="1")["code"] == "NOT_FOUND"


def test_a_slot_of_another_machine_is_not_dispensed_from(cold: Gateway, machines: list[Found], coffee: Found) -> None:
    other = of_vendor(machines, "SMARTVEND", "ONLINE")[1]
    error = refusal(cold, "dispenseProduct", machineId=coffee["id"], slotId=other["slots"][0]["id"])
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", "slotId"])


def test_a_slot_of_anothers_is_not_dispensed_from(cold: Gateway, coffee: Found) -> None:
    foreign = ref(Kind.SLOT, "other-coffee", f"{coffee['vendorId']}/1")
    errors = [
        refusal(cold, "dispenseProduct", machineId=coffee["id"], slotId=slot)
        for slot in (foreign, _elsewhere({"slotId": foreign}, "nobody")["slotId"], "no id at all")
    ]
    assert errors == [errors[0]] * 3
    assert errors[0]["code"] == "NOT_FOUND"


# ---- what cannot be done


def test_what_a_machine_cannot_do_is_refused_for_the_reason_that_it_tells(
    gateway: Gateway, machines: list[Found]
) -> None:
    seen: set[tuple[str, str]] = set()
    for machine in machines:
        told = {one["capability"]: one["reason"] for one in machine["capabilities"] if not one["available"]}
        unable = {mutation: told[act.value] for mutation, act in ACTS.items() if act.value in told}
        found = refusals(gateway, {mutation: valid(mutation, machine) for mutation in unable})
        assert found == {name: {"code": "UNSUPPORTED", "reason": reason} for name, reason in unable.items()}, machine
        seen |= {(machine["vendor"], reason) for reason in unable.values()}
    everyone = {vendor.upper() for vendor in VENDORS}
    assert {vendor for vendor, reason in seen if reason == "UNSUPPORTED_BY_VENDOR"} == everyone
    assert {vendor for vendor, reason in seen if reason == "MACHINE_OFFLINE"} == {"SMARTVEND", "EATMACHINE"}


def test_what_a_vendor_cannot_do_is_refused_before_it_was_asked_for_anything(
    cold: Gateway, machines: list[Found]
) -> None:
    for machine in of_each_vendor(machines):
        unsupported = {one["capability"] for one in machine["capabilities"] if one["reason"] == "UNSUPPORTED_BY_VENDOR"}
        for mutation, act in ACTS.items():
            if act.value in unsupported:
                assert refusal(cold, mutation, **valid(mutation, machine))["reason"] == "UNSUPPORTED_BY_VENDOR"


def test_an_offline_machine_is_left_what_the_vendor_keeps_for_it(gateway: Gateway, machines: list[Found]) -> None:
    offline = of_vendor(machines, "SMARTVEND", "OFFLINE")[0]
    told = {one["capability"] for one in offline["capabilities"] if one["reason"] == "MACHINE_OFFLINE"}
    assert told == {"DISPENSE_PRODUCT", "SEND_DEPOSIT", "SEND_REMOTE_PAYMENT"}
    assert give(gateway, "collectCash", dry=True, machineId=offline["id"])["errors"] == []
