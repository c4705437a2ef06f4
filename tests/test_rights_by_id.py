"""Everything by its id, for every role in every tenant: one's own as far as the role goes, and of others nothing."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pytest

from domain.refs import Kind, Ref
from tests import bulking
from tests.commanding import command, fleet, of_vendor, when
from tests.everything import BY_CODE, question_by_code, question_by_id, questions, roots_by_id, things, told
from tests.rights import (
    KEYS,
    REFUSED,
    ROLES,
    TENANTS,
    as_the_role_may,
    bearer,
    never_was,
    personal,
    texts,
    two_tenants,
    where,
)
from tests.running import Gateway, Sandbox, running_sandbox

CODES = """mutation ($input: CreatePromoCodesInput!) {
  createPromoCodes(input: $input) { command { id } errors { code message } } }"""
CODE = "12345"
SEVERAL = "nodes"  # the root that takes several ids
NOT_FOR_VIEWERS = {(name, "FORBIDDEN") for name in REFUSED}

Ids = Mapping[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.05, days=5) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with two_tenants(shared_sandbox, tmp_path_factory.mktemp("rights")) as (gateway, _):
        yield gateway


@pytest.fixture(scope="module")
def ids(gateway: Gateway) -> Ids:
    """By type and account one of each: what lists lead to, and what was asked for here."""
    found: dict[str, dict[str, str]] = {thing: {} for thing in things()}
    for question, tenant in product(questions().values(), KEYS):  # each alone: on a page of both one may fill it all
        answer = gateway.post(question, key=bearer("ADMIN", tenant)).json()
        for kind, field, value in told(answer["data"]):
            if field == "id" and kind in found:
                found[kind].setdefault(where(value), value)
    for tenant, key in KEYS.items():
        found["Command"] |= {where(id_): id_ for id_ in commands(gateway, key, tenant)}
        found["Bulk"][tenant] = bulk(gateway, key)
    return found


def commands(gateway: Gateway, key: str, tenant: str) -> Sequence[str]:
    """Of a machine, of a person and of codes: the results of the last two are not everybody's."""
    machine, *_ = of_vendor(fleet(gateway, by=key), "SMARTVEND")
    safety = Ref(Kind.ACCOUNT, f"{tenant}-safety", "").text
    somebody = {"name": f"Zoe of {tenant}", "identification": f"zoe-{tenant}"}
    kiosks = Ref(Kind.ORGANIZATION, f"{tenant}-kiosks", "1").text
    asked = {"organizationId": kiosks, "code": CODE, "idempotencyKey": f"codes-of-{tenant}"}
    made = gateway.ask(CODES, {"input": asked}, key=key)["createPromoCodes"]
    assert made["errors"] == []
    return [
        command(gateway, "collectCash", by=key, machineId=machine["id"])["id"],
        command(gateway, "createPerson", by=key, accountId=safety, details=somebody)["id"],
        made["command"]["id"],
    ]


def bulk(gateway: Gateway, key: str) -> str:
    """Whose commands have ended."""
    (slot, *_) = bulking.slots(fleet(gateway, by=key), "LIVELLO", each=1)
    prices = [{"slotId": slot["id"], "amount": "1.50"}]
    id_: str = bulking.asked(gateway, bulking.PRICES, prices=prices, by=key)["id"]
    when(lambda: bulking.read(gateway, id_, by=key), bulking.ended)
    return id_


def of(ids: Ids, thing: str, tenant: str, *, root: str = "node") -> list[str]:
    """One of each of the tenant's accounts, for the root that leads to everything; for others one will do."""
    found = [id_ for account, id_ in ids[thing].items() if account.partition("-")[0] in TENANTS[tenant]]
    return found if root == "node" else found[:1]


def asked(gateway: Gateway, root: str, thing: str, id_: str, key: str) -> Any:
    """The whole answer; of a root that takes several ids, this one's."""
    several = root == SEVERAL
    answer = gateway.post(question_by_id(root, thing), {"id": [id_] if several else id_}, key=key).json()
    if several:
        (answer["data"][root],) = answer["data"][root]
    return answer


@pytest.mark.parametrize("thing", things())
def test_there_is_one_of_everything_in_both_tenants(thing: str, ids: Ids) -> None:
    """Else what follows would hold of nothing: a new type has to be led to by a list, or made above."""
    assert of(ids, thing, "acme")
    assert of(ids, thing, "other")
    assert any(thing in kinds for kinds in roots_by_id().values())


@pytest.mark.parametrize("thing", things())
def test_what_is_ones_own_is_answered_as_far_as_the_role_goes(thing: str, gateway: Gateway, ids: Ids) -> None:
    """Whether the caller has that tenant alone or another too. Operators may see all that admins may."""
    words = personal(gateway, bearer("ADMIN", "both"))
    of_its_own = [(root, tenant) for root, kinds in roots_by_id().items() if thing in kinds for tenant in KEYS]
    for root, tenant in of_its_own:
        for id_ in of(ids, thing, tenant, root=root):
            whole = asked(gateway, root, thing, id_, bearer("ADMIN", tenant))
            assert whole.keys() == {"data"}
            assert whole["data"][root]["id"] == id_
            for role, tenants in others(root, tenant):
                answer = asked(gateway, root, thing, id_, bearer(role, tenants))
                as_the_role_may(role, whole["data"][root], answer["data"][root])
                assert set(refused(answer)) <= (NOT_FOR_VIEWERS if role == "VIEWER" else set())
                assert role != "VIEWER" or words.isdisjoint(texts(answer))


def others(root: str, tenant: str) -> list[tuple[str, str]]:
    """Whom to ask as besides the tenant's own admin: as all of them where the root leads to everything."""
    alone, several = ([(role, of) for role in ROLES] for of in (tenant, "both"))
    return alone[:-1] + (several if root == "node" else [])


def refused(answer: Any) -> list[tuple[str, str]]:
    """The field and the code of each error."""
    return [(one["path"][-1], one["extensions"]["code"]) for one in answer.get("errors", ())]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("tenant", "foreign"), [("acme", "other"), ("other", "acme")])
def test_what_is_anothers_is_answered_as_what_never_was(
    role: str, tenant: str, foreign: str, gateway: Gateway, ids: Ids
) -> None:
    key = bearer(role, tenant)
    for root, kinds in roots_by_id().items():
        for thing in kinds:
            for id_ in of(ids, thing, foreign, root=root):
                answer = asked(gateway, root, thing, id_, key)
                assert answer == {"data": {root: None}}
                assert answer == asked(gateway, root, thing, never_was(id_), key)


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("role", ROLES)
def test_a_code_is_only_ones_own_and_no_viewers(role: str, tenant: str, gateway: Gateway, ids: Ids) -> None:
    """A viewer is told the same of every account, be it there or not."""
    assert ids["Command"]
    for owner in TENANTS["both"]:
        account = Ref(Kind.ACCOUNT, f"{owner}-kiosks", "").text
        answers = [
            gateway.post(question_by_code(), {"account": one, "code": CODE}, key=bearer(role, tenant)).json()
            for one in (account, never_was(account))
        ]
        codes = [[one["extensions"]["code"] for one in answer.get("errors", ())] for answer in answers]
        found = [answer["data"] and answer["data"][BY_CODE] for answer in answers]
        assert codes == [["FORBIDDEN"] if role == "VIEWER" else []] * 2
        assert found[1] is None
        assert (found[0] is not None) == (role != "VIEWER" and owner in TENANTS[tenant])
