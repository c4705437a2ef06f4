"""The audit log: who asked for what, from where, and what came of it; who reads it, and checks it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from gateway.cli import app
from journal.store import open_store
from journal.tables import audit as table
from tests.commanding import Found, command, fleet, give, lost, new_key, of_vendor, refusal
from tests.running import ADMIN, OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_gateway

LOG = """query ($first: Int, $after: String) { auditLog(first: $first, after: $after) {
  nodes { seq at organization { name } actor address requestId action command machine details outcome hash }
  edges { cursor } pageInfo { hasNextPage endCursor } } }"""


def records(gateway: Gateway, *, key: str = ADMIN, **asked: Any) -> list[Found]:
    found: list[Found] = gateway.ask(LOG, {"first": 1000, **asked}, key=key)["auditLog"]["nodes"]
    return found


# ---- what is told


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("audit"), others=[shared_sandbox]) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def coffee(gateway: Gateway) -> Found:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[0]


def test_who_asked_for_what_and_what_came_of_it_is_told(sandbox: Sandbox, gateway: Gateway, coffee: Found) -> None:
    given = {"machineId": coffee["id"], "amount": "1.5"}
    first = lost(gateway, sandbox, "sendDeposit", **given)
    key = new_key()
    second = command(gateway, "sendDeposit", by=OPERATOR, again=first["id"], idempotencyKey=key, **given)
    ended, asked, *before = records(gateway)
    assert (asked["actor"], asked["action"], asked["outcome"]) == ("operator-of-acme", "command requested", "PENDING")
    assert (asked["command"], asked["machine"], asked["at"]) == (second["id"], coffee["id"], second["createdAt"])
    assert (asked["address"], asked["organization"]) == ("127.0.0.1", {"name": "Acme Vending"})
    assert asked["details"] == {
        "kind": "SEND_DEPOSIT",
        "idempotencyKey": key,
        "amount": "1.50",
        "currency": "EUR",
        "acknowledgeUnknown": first["id"],
    }
    assert (ended["actor"], ended["action"], ended["outcome"]) == ("vendgraph", "command settled", "SUCCEEDED")
    assert (ended["command"], ended["address"], ended["requestId"]) == (second["id"], None, None)
    assert [(one["command"], one["outcome"]) for one in before[:2]] == [
        (first["id"], "UNKNOWN"),
        (first["id"], "PENDING"),
    ]


def test_a_request_is_known_by_the_id_that_it_was_answered_with(gateway: Gateway, coffee: Found) -> None:
    query = (
        f'mutation {{ collectCash(input: {{machineId: "{coffee["id"]}", idempotencyKey: "{new_key()}"}})'
        " { errors { code } } }"
    )
    answer = gateway.post(query)
    assert records(gateway)[1]["requestId"] == answer.headers["x-request-id"]


def test_asking_again_for_the_same_is_no_deed(gateway: Gateway, coffee: Found) -> None:
    given = {"machineId": coffee["id"], "idempotencyKey": new_key()}
    command(gateway, "collectCash", **given)
    before = records(gateway)
    command(gateway, "collectCash", **given)
    assert records(gateway) == before


REFUSED: Mapping[str, tuple[str, str, Found, str]] = {
    "FORBIDDEN": ("collectCash", VIEWER, {}, "OPERATOR"),
    "BAD_INPUT": ("sendDeposit", OPERATOR, {"amount": "0"}, "amount"),
    "UNSUPPORTED": ("openDoor", OPERATOR, {}, "nothing of the kind"),
    "CONFLICT": ("collectCash", OPERATOR, {"idempotencyKey": "USED"}, "used before"),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_was_refused_is_told_with_the_reason(gateway: Gateway, coffee: Found, code: str) -> None:
    mutation, key, wrong, why = REFUSED[code]
    given = {"machineId": coffee["id"], "idempotencyKey": new_key()} | wrong
    if given["idempotencyKey"] == "USED":
        command(gateway, "sendDeposit", machineId=coffee["id"], amount="2", idempotencyKey="USED")
    before = records(gateway)
    error = refusal(gateway, mutation, by=key, **given)
    record, *rest = records(gateway)
    assert rest == before
    assert (error["code"], record["outcome"], record["action"]) == (code, code, "command refused")
    assert (record["actor"], record["machine"], record["command"]) == (key[3:], coffee["id"], None)
    assert record["details"]["why"] == error["message"]
    assert why in record["details"]["why"]
    assert record["details"]["idempotencyKey"] == given["idempotencyKey"]


def test_what_a_stranger_was_refused_is_in_nobodys_log(gateway: Gateway, coffee: Found) -> None:
    """Else ids could be written into another's."""
    before = records(gateway), records(gateway, key=STRANGER)
    assert refusal(gateway, "collectCash", by=STRANGER, machineId=coffee["id"])["code"] == "NOT_FOUND"
    assert (records(gateway), records(gateway, key=STRANGER)) == before


# ---- who reads it


@pytest.mark.parametrize("key", [VIEWER, OPERATOR])
def test_only_admins_read_it(gateway: Gateway, key: str) -> None:
    (error,) = gateway.post(LOG, key=key).json()["errors"]
    assert error["extensions"]["code"] == "FORBIDDEN"


def test_each_organization_reads_its_own(gateway: Gateway, coffee: Found) -> None:
    theirs = of_vendor(fleet(gateway, by=STRANGER), "SMARTVEND", "ONLINE")[0]
    for _ in range(2):
        command(gateway, "collectCash", machineId=coffee["id"])
        command(gateway, "collectCash", by=STRANGER, machineId=theirs["id"])
    own, other = records(gateway), records(gateway, key=STRANGER)
    assert {one["organization"]["name"] for one in own} == {"Acme Vending"}
    assert {one["organization"]["name"] for one in other} == {"Other Vending"}
    seqs = [one["seq"] for one in (*own, *other)]
    assert sorted(seqs) == list(range(1, len(seqs) + 1))


def test_it_is_read_newest_first_in_pages(gateway: Gateway, coffee: Found) -> None:
    give(gateway, "collectCash", machineId=coffee["id"])
    there, found, after = records(gateway), list[Found](), None
    while True:
        page = gateway.ask(LOG, {"first": 3, "after": after})["auditLog"]
        found += page["nodes"]
        command(gateway, "collectCash", machineId=coffee["id"])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == there
    assert [one["seq"] for one in there] == sorted((one["seq"] for one in there), reverse=True)
    (error,) = gateway.post(LOG, {"after": after}, key=STRANGER).json()["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"


def test_an_operator_checks_that_it_is_whole(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        coffee = of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[0]
        command(gateway, "sendDeposit", machineId=coffee["id"], amount="1")
        refusal(gateway, "sendDeposit", machineId=coffee["id"], amount="0")
        last = records(gateway)[0]["hash"]
    asked = ["audit", "verify", "--config", str(tmp_path / "vendgraph.toml")]
    good = CliRunner().invoke(app, asked)
    assert (good.exit_code, good.stderr) == (0, "")
    assert good.stdout == f"3 records are as they were; the last hash is {last}\n"
    store = open_store(f"sqlite:///{tmp_path}/vendgraph.db")
    with store.begin() as connection:
        connection.execute(update(table).where(table.c.seq == 2).values(actor="somebody"))
    store.dispose()
    broken = CliRunner().invoke(app, asked)
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert "record 2 is not as it was; 1 before it are" in broken.stderr
