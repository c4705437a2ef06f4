"""Commands as they are seen by others: in lists, by id, and of their machine."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commanding import COMMAND, NOTHING_KEPT, Found, command, fleet, lost, now_is, of_vendor, refusal
from tests.running import ADMIN, OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_gateway, running_sandbox

PAGE = """query ($first: Int, $after: String, $filter: CommandFilter) {
  commands(first: $first, after: $after, filter: $filter) {
    nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
OF_MACHINE = """query ($id: ID!, $first: Int, $after: String, $filter: CommandFilter) { machine(id: $id) {
  commands(first: $first, after: $after, filter: $filter) {
    nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("seen"), others=[shared_sandbox]) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def coffees(gateway: Gateway) -> list[Found]:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")


@pytest.fixture(scope="module")
def given(gateway: Gateway, shared_sandbox: Sandbox, coffees: list[Found]) -> list[Found]:
    """Of two machines in turn, of several ends; the oldest first."""
    found = [command(gateway, "sendDeposit", machineId=coffees[at % 2]["id"], amount=f"1.{at:02}") for at in range(8)]
    found.append(command(gateway, "dispenseProduct", machineId=coffees[0]["id"], position="999"))
    found.append(lost(gateway, shared_sandbox, "sendDeposit", machineId=coffees[1]["id"], amount="2"))
    return found


def newest(given: list[Found], keep: Callable[[Found], bool] = bool) -> list[str]:
    return [one["id"] for one in reversed(given) if keep(one)]


def ids(connection: Found) -> list[str]:
    found = [node["id"] for node in connection["nodes"]]
    assert found == [edge["node"]["id"] for edge in connection["edges"]]
    return found


def whole(gateway: Gateway, **asked: Any) -> list[str]:
    return ids(gateway.ask(PAGE, {"first": 1000, **asked})["commands"])


def code(gateway: Gateway, query: str, variables: Found, key: str = ADMIN) -> str:
    (error,) = gateway.post(query, variables, key=key).json()["errors"]
    return str(error["extensions"]["code"])


def test_the_list_is_the_newest_first(gateway: Gateway, given: list[Found]) -> None:
    assert whole(gateway)[: len(given)] == newest(given)


@pytest.mark.parametrize("first", [1, 3, 4])
def test_pages_lose_nothing_and_repeat_nothing_while_commands_are_given(
    gateway: Gateway, given: list[Found], coffees: list[Found], first: int
) -> None:
    assert given
    there, found, after = whole(gateway), list[str](), None
    while True:
        page = gateway.ask(PAGE, {"first": first, "after": after})["commands"]
        found += ids(page)
        command(gateway, "collectCash", machineId=coffees[2]["id"])
        info = page["pageInfo"]
        assert (info["startCursor"], info["endCursor"]) == (page["edges"][0]["cursor"], page["edges"][-1]["cursor"])
        if not info["hasNextPage"]:
            break
        after = info["endCursor"]
    assert found == there


def test_a_page_goes_on_from_any_edge(gateway: Gateway, given: list[Found]) -> None:
    assert given
    page = gateway.ask(PAGE, {"first": 6})["commands"]
    for at, edge in enumerate(page["edges"][:-1]):
        assert ids(gateway.ask(PAGE, {"first": 1, "after": edge["cursor"]})["commands"]) == [ids(page)[at + 1]]


def test_a_page_may_be_empty_and_not_too_large(gateway: Gateway, given: list[Found]) -> None:
    assert given
    assert whole(gateway, first=0) == []
    assert code(gateway, PAGE, {"first": 1001}) == code(gateway, PAGE, {"first": -1}) == "BAD_INPUT"


def test_it_is_narrowed_by_status_and_by_machine(gateway: Gateway, given: list[Found], coffees: list[Found]) -> None:
    mine = {one["id"] for one in given}

    def narrowed(**filter_: Any) -> list[str]:
        return [id_ for id_ in whole(gateway, filter=filter_) if id_ in mine]

    first, second = coffees[0]["id"], coffees[1]["id"]
    assert narrowed(statuses=["UNKNOWN"]) == newest(given, lambda one: one["status"] == "UNKNOWN")
    assert narrowed(statuses=["FAILED", "SUCCEEDED"]) == newest(given, lambda one: one["status"] != "UNKNOWN")
    assert narrowed(machines=[first]) == newest(given, lambda one: one["machine"]["id"] == first)
    assert narrowed(machines=[first, second]) == narrowed(statuses=None, machines=None) == newest(given)
    assert narrowed(machines=[first], statuses=["FAILED"]) == [given[8]["id"]]
    empty: list[Found] = [{"statuses": []}, {"machines": []}, {"statuses": ["PENDING"]}, {"machines": ["no id"]}]
    assert [whole(gateway, filter=nothing) for nothing in empty] == [[]] * 4


def test_a_machine_has_its_own(gateway: Gateway, given: list[Found], coffees: list[Found]) -> None:
    first, second = coffees[0]["id"], coffees[1]["id"]

    def of(id_: str, **asked: Any) -> Found:
        found: Found = gateway.ask(OF_MACHINE, {"id": id_, **asked})["machine"]["commands"]
        return found

    assert ids(of(first)) == newest(given, lambda one: one["machine"]["id"] == first)
    assert ids(of(second, filter={"statuses": ["UNKNOWN"]})) == [given[-1]["id"]]
    assert ids(of(first, filter={"machines": [second]})) == []
    page = of(first, first=2)
    assert ids(page) + ids(of(first, after=page["pageInfo"]["endCursor"])) == ids(of(first))
    assert code(gateway, OF_MACHINE, {"id": second, "after": page["pageInfo"]["endCursor"]}) == "BAD_INPUT"
    assert code(gateway, PAGE, {"after": page["pageInfo"]["endCursor"]}) == "BAD_INPUT"


def test_a_cursor_belongs_to_its_filter_and_to_its_organization(gateway: Gateway, given: list[Found]) -> None:
    assert given
    cursor = gateway.ask(PAGE, {"first": 1})["commands"]["pageInfo"]["endCursor"]
    assert gateway.ask(PAGE, {"first": 1, "after": cursor}, key=VIEWER)["commands"]["nodes"]
    assert code(gateway, PAGE, {"after": cursor, "filter": {"statuses": ["UNKNOWN"]}}) == "BAD_INPUT"
    assert code(gateway, PAGE, {"after": cursor}, STRANGER) == "BAD_INPUT"


def test_who_reads_sees_them_and_who_is_of_another_organization_does_not(
    gateway: Gateway, given: list[Found], coffees: list[Found]
) -> None:
    query = "query ($id: ID!) { command(id: $id) { id } node(id: $id) { __typename id } nodes(ids: [$id]) { id } }"
    for one in given:
        asked = {"id": one["id"]}
        found = {"command": asked, "node": {"__typename": "Command", **asked}, "nodes": [asked]}
        for key in (ADMIN, OPERATOR, VIEWER):
            assert gateway.ask(query, asked, key=key) == found
        assert gateway.ask(query, asked, key=STRANGER) == {"command": None, "node": None, "nodes": [None]}
    theirs = of_vendor(fleet(gateway, by=STRANGER), "SMARTVEND", "ONLINE")[0]
    own = command(gateway, "collectCash", by=STRANGER, machineId=theirs["id"])
    assert ids(gateway.ask(PAGE, key=STRANGER)["commands"]) == [own["id"]]
    assert own["id"] not in whole(gateway)
    foreign = {"filter": {"machines": [coffees[0]["id"]]}}
    assert ids(gateway.ask(PAGE, foreign, key=STRANGER)["commands"]) == []


def test_a_node_is_shown_as_the_command_that_it_is(gateway: Gateway, given: list[Found]) -> None:
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on Command {{ {COMMAND} }} }} }}"
    for one in given:
        assert gateway.ask(query, {"id": one["id"]})["node"] == now_is(gateway, one["id"])


def test_a_command_outlives_its_machine(tmp_path: Path) -> None:
    with (
        running_sandbox(days=1) as sandbox,
        running_gateway(sandbox, tmp_path, cache=NOTHING_KEPT) as gateway,
    ):
        coffee = of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[0]
        asked = command(gateway, "sendDeposit", machineId=coffee["id"], amount="1")
        del sandbox.vendors["smartvend"]._fleet.controllers[coffee["vendorId"]]
        assert now_is(gateway, asked["id"]) == {**asked, "machine": None}
        assert ids(gateway.ask(PAGE)["commands"]) == [asked["id"]]
        error = refusal(gateway, "sendDeposit", machineId=coffee["id"], amount="1")
        assert error["code"] == "NOT_FOUND"
