"""Who may see what: another tenant's ids and cursors are answered as ids and cursors that never were."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from domain.refs import Kind, Ref
from tests import bulking
from tests.commanding import command, fleet, of_vendor
from tests.rights import never_was
from tests.running import ADMIN, STRANGER, VIEWER, Gateway, Sandbox, running_gateway, running_sandbox

EVERYTHING = """{
  viewer { organizations { id } }
  accounts { id }
  organizations(first: 100) { nodes { id } }
  machines(first: 1000) { nodes { id group { id } slots { id } } }
  products(first: 1000) { nodes { id } }
  sales(first: 200) { nodes { id } }
  events(first: 50) { nodes { id } }
  stockMovements(first: 50) { nodes { id } }
  cashCollections(first: 50) { nodes { id } }
  commands(first: 50) { nodes { id } }
  people(first: 1000) { nodes { id } } organizationUnits(first: 1000) { nodes { id } }
  entitlementGroups(first: 1000) { nodes { id } } }"""
LISTS = (
    "organizations",
    "machines",
    "products",
    "sales",
    "events",
    "stockMovements",
    "cashCollections",
    "lowStock",
    "commands",
    "organizationUnits",
    "entitlementGroups",
)
CURSORS = "{" + " ".join(f"{name}(first: 2) {{ edges {{ cursor }} }}" for name in LISTS) + "}"
BY_ID = {
    "node": "node(id: $id) { __typename id }",
    "nodes": "nodes(ids: [$id]) { __typename id }",
    "organization": "organization(id: $id) { id name sales(first: 1) { nodes { id } } }",
    "machine": "machine(id: $id) { id sales(first: 1) { nodes { id } } slots { id } }",
    "product": "product(id: $id) { id }",
    "sale": "sale(id: $id) { id }",
    "command": "command(id: $id) { id }",
    "commands by machines": "commands(filter: {machines: [$id]}) { nodes { id } }",
}
NARROWED = {
    f"{name} by {filter_}": f"{name}(filter: {{{filter_}: [$id]}}) {{ nodes {{ id }} sources {{ state }} }}"
    for name, filter_ in (
        ("machines", "accounts"),
        ("machines", "organizations"),
        ("products", "accounts"),
        ("sales", "accounts"),
        ("sales", "machines"),
        ("events", "accounts"),
        ("events", "machines"),
        ("stockMovements", "accounts"),
        ("stockMovements", "machines"),
        ("cashCollections", "accounts"),
        ("cashCollections", "machines"),
        ("lowStock", "organizations"),
    )
}
QUESTIONS = BY_ID | NARROWED


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.05, days=20) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Two tenants, each with all five vendors: `acme`, and `other` with a fleet of its own. Each gave two commands."""
    with (
        running_sandbox(scale=0.05, days=20, seed=11) as other,
        running_gateway(shared_sandbox, tmp_path_factory.mktemp("two"), others=[other]) as gateway,
    ):
        for key in (ADMIN, STRANGER):
            for machine in of_vendor(fleet(gateway, by=key), "SMARTVEND")[:2]:
                command(gateway, "collectCash", by=key, machineId=machine["id"])
        yield gateway


@pytest.fixture(scope="module")
def foreign(gateway: Gateway) -> dict[Kind, list[str]]:
    """Ids of the other tenant, of every kind. No list tells of bulks."""
    found: dict[Kind, list[str]] = {}
    (slot, *_) = of_vendor(fleet(gateway, by=STRANGER), "LIVELLO")[0]["slots"]
    bulk = bulking.asked(gateway, bulking.PRICES, prices=[{"slotId": slot["id"], "amount": "1.50"}], by=STRANGER)
    for id_ in (*_ids(gateway.ask(EVERYTHING, key=STRANGER)), bulk["id"]):
        ref = Ref.parse(id_)
        assert ref is not None
        found.setdefault(ref.kind, []).append(id_)
    assert found.keys() == set(Kind)
    return found


def _ids(answer: Any) -> Iterator[str]:
    if isinstance(answer, dict):
        yield from ([answer["id"]] if "id" in answer else [])
        answer = list(answer.values())
    if isinstance(answer, list):
        for item in answer:
            yield from _ids(item)


def asked(gateway: Gateway, question: str, id_: str) -> tuple[Any, list[Any]]:
    """The whole answer, and what it took upstream."""
    query = f"query ($id: ID!) {{ {QUESTIONS[question]} }}"
    answer = gateway.post(query, {"id": id_}, **{"x-vendgraph-trace": "1"}).json()
    return answer, answer.pop("extensions")["vendgraph"]["upstreamRequests"]


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("kind", Kind)
def test_a_foreign_id_is_answered_as_one_that_never_was(
    question: str, kind: Kind, gateway: Gateway, foreign: dict[Kind, list[str]]
) -> None:
    """In content, and in what it costs: no vendor is asked for either."""
    for id_ in (foreign[kind][0], foreign[kind][-1]):
        answer = asked(gateway, question, id_)
        assert answer == asked(gateway, question, never_was(id_)) == asked(gateway, question, "bm8gaWQ")
        assert answer[1] == []
        assert not list(_ids(answer[0]))


def test_every_foreign_id_is_null_among_ones_own(gateway: Gateway, foreign: dict[Kind, list[str]]) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    own = list(dict.fromkeys(_ids(gateway.ask("{ machines(first: 100) { nodes { id } } }"))))
    every = [id_ for ids in foreign.values() for id_ in ids]
    for first in range(0, len(every), 400):
        some = every[first : first + 400]
        assert gateway.ask(query, {"ids": [own[0], *some, own[-1]]})["nodes"] == [
            {"id": own[0]},
            *[None] * len(some),
            {"id": own[-1]},
        ]


def test_no_more_than_a_thousand_ids_are_answered_at_once(gateway: Gateway) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert gateway.ask(query, {"ids": ["x"] * 1000})["nodes"] == [None] * 1000
    answer = gateway.post(query, {"ids": ["x"] * 1001}).json()
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"]


def test_two_tenants_share_no_id_and_no_thing(gateway: Gateway, foreign: dict[Kind, list[str]]) -> None:
    own = set(_ids(gateway.ask(EVERYTHING)))
    theirs = {id_ for ids in foreign.values() for id_ in ids}
    assert own
    assert not own & theirs
    assert own == set(_ids(gateway.ask(EVERYTHING, key=VIEWER)))


@pytest.mark.parametrize("name", LISTS)
def test_a_foreign_cursor_is_answered_as_one_that_never_was(name: str, gateway: Gateway) -> None:
    query = f"query ($after: String) {{ {name}(first: 1, after: $after) {{ edges {{ cursor }} }} }}"
    theirs = gateway.ask(CURSORS, key=STRANGER)[name]["edges"][0]["cursor"]
    own = gateway.ask(CURSORS)[name]["edges"][0]["cursor"]
    refused = gateway.post(query, {"after": theirs}).json()
    assert refused["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    for forged in ("", "x", own[:-8] + theirs[-8:], theirs[:24] + own[24:], own[:-2], own + "A"):
        assert gateway.post(query, {"after": forged}).json() == refused
    assert gateway.ask(query, {"after": own})[name]["edges"]
    assert gateway.ask(query, {"after": own}, key=VIEWER)[name]["edges"]  # another key of the same tenant


@pytest.mark.parametrize("one", LISTS)
@pytest.mark.parametrize("other", LISTS)
def test_a_cursor_of_another_list_is_refused(one: str, other: str, gateway: Gateway) -> None:
    cursor = gateway.ask(CURSORS)[one]["edges"][0]["cursor"]
    query = f"query ($after: String) {{ {other}(first: 1, after: $after) {{ edges {{ cursor }} }} }}"
    answer = gateway.post(query, {"after": cursor}).json()
    codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
    assert codes == ([] if one == other else ["BAD_INPUT"])


FILTERS = (
    "",
    "filter: {vendors: [LIVELLO]}",
    "filter: {vendors: []}",
    'filter: {from: "2020-01-01T00:00:00Z"}',
    'filter: {to: "2090-01-01T00:00:00Z"}',
    "filter: {kinds: [PURCHASE]}",
    'filter: {machines: ["x"]}',
)


def test_a_cursor_of_another_filter_or_another_parent_is_refused(gateway: Gateway) -> None:
    def cursors(list_: str) -> str:
        return f"{list_.replace('ARGS', 'first: 1')} {{ edges {{ cursor }} }}"

    lists = [f"sales(ARGS, {filter_})" for filter_ in FILTERS]
    written = [gateway.ask(f"{{ {cursors(list_)} }}")["sales"]["edges"] for list_ in lists]
    ids = [
        one["id"]
        for one in gateway.ask("{ machines(first: 2, filter: {vendors: [LIVELLO]}) { nodes { id } } }")["machines"][
            "nodes"
        ]
    ]
    for at, edges in enumerate(written):
        for edge in edges:
            for to, list_ in enumerate(lists):
                query = f'{{ {cursors(list_.replace("ARGS", f"""ARGS, after: "{edge["cursor"]}" """))} }}'
                answer = gateway.post(query).json()
                assert ("errors" not in answer) == (to == at), (FILTERS[at], FILTERS[to])
            below = (
                f'{{ machine(id: "{ids[0]}") {{ sales(first: 1, after: "{edge["cursor"]}") {{ nodes {{ id }} }} }} }}'
            )
            assert gateway.post(below).json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"


def test_a_filter_that_says_nothing_is_no_filter(gateway: Gateway) -> None:
    cursor = gateway.ask("{ sales(first: 1, filter: {vendors: null, to: null}) { edges { cursor } } }")["sales"][
        "edges"
    ]
    query = "query ($after: String) { sales(first: 1, after: $after, filter: {}) { nodes { id } } }"
    assert gateway.ask(query, {"after": cursor[0]["cursor"]})["sales"]["nodes"]


def test_ids_that_are_forged_within_ones_own_accounts_lead_to_nothing(gateway: Gateway) -> None:
    """They may cost a question to one's own vendor; what it refuses is nothing."""
    accounts = [ref.account for ref in map(Ref.parse, _ids(gateway.ask("{ accounts { id } }"))) if ref is not None]
    natives = ("", "x", "x@1@y", "x@1700000000@y", "w:x@1700000000", "x@1700000000000", "1/2", "..", "é/☃", "1,2", "\0")
    ids = [Ref(kind, account, native).text for kind, account, native in product(Kind, accounts, natives)]
    answer = gateway.post(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [id_ for id_ in ids if id_]}
    ).json()
    assert all(error["extensions"]["code"] == "VENDOR_REJECTED" for error in answer.get("errors", ()))
    account_ids = {Ref(Kind.ACCOUNT, account, "").text for account in accounts}
    assert all(one is None or one["id"] in account_ids for one in answer["data"]["nodes"])


def test_what_is_kept_for_one_tenant_is_not_shown_to_another(gateway: Gateway) -> None:
    for query in (EVERYTHING, CURSORS):
        first, second = gateway.ask(query, key=ADMIN), gateway.ask(query, key=STRANGER)
        again = gateway.ask(query, key=ADMIN)
        assert first == again
        assert first != second
    names = gateway.ask("{ machines(first: 100) { nodes { account { key organization { name } } } } }", key=STRANGER)
    told = [one["account"] for one in names["machines"]["nodes"]]
    assert all(one["key"].startswith("other-") and one["organization"]["name"] == "Other Vending" for one in told)
