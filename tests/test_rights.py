"""Every field and every mutation, for every role and organization: made from the schema, so that none is forgotten."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.everything import document, given, mutations, questions, told
from tests.rights import PRIVATE, ROLES, personal, two_tenants
from tests.running import ADMIN, OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_sandbox

WHO = {"Person", "PersonAddress"}  # types that only what is private leads to
LINKS = {("PersonRecord", name) for name in ("sector", "costCenter", "secondCostCenter", "jobRole", "group")}
OF_ADMINS = frozenset({"auditLog"})
OF_WHAT_IS_THERE = frozenset({"resolveCommand"})  # tests/test_commands_resolution.py has a command to resolve
Answers = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.05, days=5) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with two_tenants(shared_sandbox, tmp_path_factory.mktemp("rights")) as (gateway, _):
        yield gateway


@pytest.fixture(scope="module")
def answers(gateway: Gateway) -> Answers:
    """By key and question."""
    return {
        key: {name: gateway.post(question, key=key).json() for name, question in questions().items()}
        for key in (*ROLES.values(), STRANGER)
    }


def seen(answers: Answers, key: str) -> set[tuple[str, str]]:
    """The fields that have a value somewhere."""
    found = (one for name, answer in answers[key].items() if name not in OF_ADMINS for one in told(answer.get("data")))
    return {(kind, field) for kind, field, value in found if value is not None}


@pytest.mark.parametrize("name", questions())
def test_every_list_is_there_for_whom_it_is_meant(name: str, answers: Answers) -> None:
    codes = {
        role: [error["extensions"]["code"] for error in answers[key][name].get("errors", ())]
        for role, key in ROLES.items()
    }
    refused = ["FORBIDDEN"] if name in OF_ADMINS else []
    assert codes == {"VIEWER": refused, "OPERATOR": refused, "ADMIN": []}


def test_viewers_see_all_but_what_is_personal(answers: Answers) -> None:
    """Whom they see first are others, for they see no names to go by: those may belong to something else."""
    whole, narrow = seen(answers, ADMIN), seen(answers, VIEWER)
    assert whole == seen(answers, OPERATOR)
    assert narrow - LINKS == {(kind, name) for kind, name in whole - PRIVATE - LINKS if kind not in WHO}
    assert len(whole & PRIVATE) > len(PRIVATE) // 2, "little of it was there to be hidden"


def test_what_is_kept_back_is_said(answers: Answers) -> None:
    reasons = {
        (kind, one["field"])
        for answer in answers[VIEWER].values()
        for kind, field, value in told(answer["data"])
        if field == "unavailable"
        for one in value
        if one["reason"] == "NOT_PERMITTED"
    }
    kinds = {kind for kind, _ in reasons}
    wanted = {one for one in PRIVATE & seen(answers, ADMIN) if one[0] in kinds} | {("Sale", "payments.reference")}
    assert wanted <= reasons
    assert {"Sale", "MachineEvent", "StockMovement", "PersonRecord"} <= kinds


def test_nobody_is_named_to_a_viewer_nor_to_a_stranger(gateway: Gateway, answers: Answers) -> None:
    words = personal(gateway, ADMIN)
    assert len(words) > 100
    assert not personal(gateway, VIEWER)
    for key in (VIEWER, STRANGER):
        text = json.dumps(answers[key], ensure_ascii=False)
        foreign = words - personal(gateway, STRANGER) if key == STRANGER else words
        assert [word for word in foreign if f'"{word}"' in text] == []


def test_a_stranger_is_told_no_id_of_another_tenants(answers: Answers) -> None:
    def ids(key: str) -> set[str]:
        found = (one for answer in answers[key].values() for one in told(answer.get("data")))
        return {value for _, field, value in found if field in ("id", "key")}

    assert ids(ADMIN)
    assert ids(STRANGER)
    assert not ids(ADMIN) & ids(STRANGER)


def code_of(gateway: Gateway, mutation: str, key: str, account: str) -> str | None:
    """Of the first error, of whatever kind; None where there was none."""
    answer = gateway.post(document(mutation), {"input": given(mutation, account)}, key=key).json()
    if "errors" in answer:
        code: str = answer["errors"][0]["extensions"]["code"]
        return code
    payload = answer["data"][mutation]
    if payload.get("bulk") is not None:
        (payload,) = payload["bulk"]["items"]
    assert payload.get("command") is None
    return payload["errors"][0]["code"] if payload["errors"] else None


@pytest.mark.parametrize("mutation", mutations())
def test_no_mutation_is_a_viewers_nor_a_strangers(mutation: str, gateway: Gateway, sandbox: Sandbox) -> None:
    accounts = [one["key"] for one in gateway.ask("{ accounts { key } }")["accounts"]]
    sandbox.forget_requests()
    codes = {account: code_of(gateway, mutation, VIEWER, account) for account in accounts}
    assert set(codes.values()) <= {"FORBIDDEN", "UNSUPPORTED", "NOT_FOUND"}
    assert "FORBIDDEN" in codes.values() or mutation in OF_WHAT_IS_THERE
    foreign = {account: code_of(gateway, mutation, STRANGER, account) for account in accounts}
    assert set(foreign.values()) == {"NOT_FOUND"}
