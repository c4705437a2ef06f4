"""What the id of a machine is enough for is asked for with the machine itself, and not after it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from domain.refs import Kind, Ref
from tests.running import Gateway, Sandbox, running_gateway

SELECTED = "{ id slots { position product { name } } }"
BY_ID = (
    f"query ($id: ID!) {{ found: machine(id: $id) {SELECTED} }}",
    f"query ($id: ID!) {{ found: node(id: $id) {{ ... on Machine {SELECTED} }} }}",
)
LISTS = {"SMARTVEND": "/get-list-of-controllers", "VENDNOVATION": "/machines"}
BELOW = {
    "SMARTVEND": {"/get-controller-matrix", "/get-list-of-products"},
    "VENDNOVATION": {"/selections", "/products"},
}


def machines(gateway: Gateway) -> Mapping[str, str]:
    """One of each vendor: its id."""
    found = gateway.ask("{ machines(first: 1000) { nodes { id vendor } } }")["machines"]["nodes"]
    return {one["vendor"]: one["id"] for one in found}


def unknown(id_: str) -> str:
    ref = Ref.parse(id_)
    assert ref is not None
    return Ref(Kind.MACHINE, ref.account, "00000000-0000-4000-8000-000000000000").text


def asked(sandbox: Sandbox, vendor: str) -> set[str]:
    return {"/" + request.rsplit("/", 1)[-1] for request in sandbox.requests(vendor.lower())}


@pytest.mark.parametrize("query", BY_ID)
@pytest.mark.parametrize("vendor", LISTS)
def test_its_slots_do_not_wait_for_the_machine(
    vendor: str, query: str, gateway: Gateway, sandbox: Sandbox, tmp_path: Path
) -> None:
    id_ = machines(gateway)[vendor]
    sandbox.break_(vendor.lower(), "hang_before", operation=LISTS[vendor])
    with running_gateway(sandbox, tmp_path, limits="timeout_seconds = 1") as cold:
        sandbox.forget_requests()
        answer = cold.post(query, {"id": id_}).json()
    assert answer["data"]["found"] is None
    assert answer["errors"][0]["extensions"]["code"] == "VENDOR_UNAVAILABLE"
    assert asked(sandbox, vendor) >= BELOW[vendor]


@pytest.mark.parametrize("query", BY_ID)
@pytest.mark.parametrize("vendor", LISTS)
def test_one_that_never_was_is_null_and_harms_nothing(
    vendor: str, query: str, gateway: Gateway, sandbox: Sandbox, tmp_path: Path
) -> None:
    id_ = machines(gateway)[vendor]
    known = gateway.ask(query, {"id": id_})["found"]
    with running_gateway(sandbox, tmp_path) as cold:
        assert cold.post(query, {"id": unknown(id_)}).json() == {"data": {"found": None}}
        assert cold.ask(query, {"id": id_})["found"] == known


@pytest.mark.parametrize("vendor", LISTS)
def test_nothing_is_asked_of_one_that_the_last_list_did_not_have(vendor: str, sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path, cache="machines = 0\nslots = 0\nstate = 0") as gateway:
        id_ = unknown(machines(gateway)[vendor])
        sandbox.forget_requests()
        assert gateway.ask(BY_ID[0], {"id": id_})["found"] is None
        assert asked(sandbox, vendor) == {LISTS[vendor]}


def test_what_is_not_selected_is_not_asked_for(gateway: Gateway, sandbox: Sandbox, tmp_path: Path) -> None:
    ids = machines(gateway)
    with running_gateway(sandbox, tmp_path) as cold:
        sandbox.forget_requests()
        assert cold.ask("query ($id: ID!) { machine(id: $id) { id } }", {"id": ids["SMARTVEND"]})["machine"]
        assert asked(sandbox, "SMARTVEND") == {LISTS["SMARTVEND"]}
