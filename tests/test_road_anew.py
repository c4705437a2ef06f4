"""What is known, and has to be made anew, is answered on the short road as on the long one: the answer to the header,
each line of the log, and each number that is told."""

import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from compiled import Keeper
from tests.roads import FLEET, LONG, MACHINE, SALES, TENANTS, Both, Question, endpoint, shown
from tests.running import ADMIN, CLIENT, OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_gateway
from tests.sameness import FOREVER, patient_sandbox

LIVELLO = "{ machines(first: 3, filter: { vendors: [LIVELLO] }) { nodes { name slots { position } } } }"
ACCEPTS = ("*/*", "application/json", "application/graphql-response+json, application/json;q=0.9")
UNCOMPARED = re.compile(  # of the time, of the roads themselves, and of what is asked for beside
    r"vendgraph_(short_road|made_anew|event_loop|list_age|vendor_budget|journal|webhooks)|python_|process_|.*_created"
)


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """Each test logs in anew."""
    with patient_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One that keeps no answer."""
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("road_anew"), cache=FOREVER) as gateway:
        endpoint(gateway).execution.kept = Keeper(0)
        yield gateway


@pytest.mark.parametrize("by", ["POST", "GET"])
@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("key", [ADMIN, OPERATOR, VIEWER, STRANGER])
def test_both_roads_answer_the_same(gateway: Gateway, key: str, accept: str, by: str) -> None:
    for query in (FLEET, SALES, TENANTS, "{ viewer { name role } }"):
        asked = Question(query, None, by, key, accept)
        asked.learn(gateway)
        by_short, by_long = asked.both(gateway)
        assert shown(by_short) == shown(by_long)
        assert by_short.headers.keys() == by_long.headers.keys()
        assert by_short.headers["x-request-id"] != by_long.headers["x-request-id"]
        assert (by_short.status_code, "errors" in by_short.json(), "etag" in by_short.headers) == (
            200, False, by == "GET"
        )  # fmt: skip


@pytest.mark.parametrize("by", ["POST", "GET"])
@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("variables", [{"id": "nobody's"}, {"id": None}, {"id": ["x"]}, {}, None], ids=str)
def test_what_is_wrong_with_variables_is_told_and_logged_alike(
    gateway: Gateway, variables: Mapping[str, Any] | None, accept: str, by: str
) -> None:
    asked = Question(MACHINE, variables, by, ADMIN, accept)
    Question(MACHINE, {"id": "x"}).name(gateway)
    asked.learn(gateway)
    with capture_logs([merge_contextvars]) as logged:
        answers = asked.both(gateway)
    assert shown(answers[0]) == shown(answers[1])
    told = [[line for line in logged if line["request_id"] == one.headers["x-request-id"]] for one in answers]
    lines = [[{**line, "request_id": ""} for line in lines] for lines in told]
    assert lines[0] == lines[1]
    assert len(lines[0]) == ("data" not in answers[0].json())


def test_who_has_it_already_is_told_so(gateway: Gateway) -> None:
    asked = Question(TENANTS, by="GET")
    asked.learn(gateway)
    tag = asked.ask(gateway).headers["etag"]
    for known, status in ((tag, 304), (f'W/{tag}, "other"', 304), ("*", 304), ('"other"', 200)):
        by_short, by_long = asked.both(gateway, {"if-none-match": known})
        assert by_short.status_code == status
        assert shown(by_short) == shown(by_long)


@pytest.mark.parametrize("by", ["POST", "GET"])
@pytest.mark.parametrize("accept", ACCEPTS)
def test_a_vendor_that_fails_is_told_alike_beside_what_the_others_say(
    sandbox: Sandbox, tmp_path: Path, accept: str, by: str
) -> None:
    with running_gateway(sandbox, tmp_path, cache=FOREVER) as gateway:
        gateway.ask("{ machines(first: 5) { nodes { name } } }")
        sandbox.break_("livello", "status", operation="inventory", status=418)
        asked = Question(LIVELLO, None, by, ADMIN, accept)
        asked.learn(gateway)
        answers, logged = alike(asked, gateway)
        told = answers[0].json()
        assert told["errors"][0]["extensions"]["vendor"] == "LIVELLO"
        assert [one["name"] for one in told["data"]["machines"]["nodes"]]
        assert "etag" not in answers[0].headers
        lines = [[one for one in logged if one.get("request_id") == it.headers["x-request-id"]] for it in answers]
        assert [line["event"] for line in lines[0]] == [line["event"] for line in lines[1]]


def alike(asked: Question, gateway: Gateway) -> tuple[Both, list[Any]]:
    """The answers of both roads, which are the same, and all lines that were logged for them."""
    with capture_logs([merge_contextvars]) as logged:
        answers = asked.both(gateway)
    assert shown(answers[0]) == shown(answers[1])
    return answers, logged


def raised(logged: list[Any], answer: httpx2.Response) -> list[tuple[str, str, Any, Any]]:
    own = [line for line in logged if line["request_id"] == answer.headers["x-request-id"]]
    return [(line["event"], line["log_level"], line.get("path"), line.get("key")) for line in own]


@pytest.mark.parametrize("by", ["POST", "GET"])
def test_what_is_unexpected_is_masked_and_logged_alike(shared_sandbox: Sandbox, tmp_path: Path, by: str) -> None:
    with running_gateway(shared_sandbox, tmp_path, cache=FOREVER) as gateway:
        asked, there = Question(TENANTS, by=by), endpoint(gateway)
        asked.learn(gateway)
        there.execution.kept = there.execution.pieces = Keeper(0)
        there._graph.tenants.pop("acme")  # type: ignore[attr-defined]  # so that resolvers raise
        answers, logged = alike(asked, gateway)
        (error, *_) = answers[0].json()["errors"]
        assert error["extensions"] == {"code": "INTERNAL", "requestId": answers[0].headers["x-request-id"]}
        assert raised(logged, answers[0]) == raised(logged, answers[1]) != []


@pytest.mark.parametrize("by", ["POST", "GET"])
@pytest.mark.parametrize("accept", ACCEPTS)
def test_so_is_what_is_unexpected_outside_of_resolvers(
    shared_sandbox: Sandbox, tmp_path: Path, accept: str, by: str
) -> None:
    with running_gateway(shared_sandbox, tmp_path, cache=FOREVER) as gateway:
        asked, there = Question(TENANTS, None, by, ADMIN, accept), endpoint(gateway)
        asked.learn(gateway)
        there.execution._tracing = None  # type: ignore[assignment]  # which every operation asks for a span
        answers, logged = alike(asked, gateway)
        assert answers[0].status_code == 500
        assert raised(logged, answers[0]) == raised(logged, answers[1]) == [("unexpected", "error", None, None)]


@pytest.mark.parametrize(
    "query",
    [
        "{ __schema { queryType { name } } }",
        'mutation { refreshMachine(id: "x") { id } }',
        "subscription { sales { sale { id } } }",
        "{ machines { nobodys } }",
        "{ machines(",
        "query One { viewer { name } } query Two { viewer { name } }",
    ],
)
def test_what_is_no_good_query_is_never_known(gateway: Gateway, query: str) -> None:
    asked = Question(query)
    asked.learn(gateway)
    by_short, by_long = asked.both(gateway, short=False)
    assert shown(by_short) == shown(by_long)


def test_what_gives_a_document_its_name_does_so_each_time(gateway: Gateway) -> None:
    asked, there = Question("{ viewer { role } }", by="GET"), endpoint(gateway)
    for _ in range(3):
        asked.name(gateway)
        there._admission._texts._kept.clear()
    made = there.made
    asked.name(gateway)
    assert there.made == made
    assert asked.ask(gateway).json()["data"] == {"viewer": {"role": "ADMIN"}}


def numbers(gateway: Gateway) -> Mapping[str, float]:
    told = CLIENT.get(f"{gateway.base}/metrics").text.splitlines()
    found = (line.rsplit(" ", 1) for line in told if not line.startswith("#") and not UNCOMPARED.match(line))
    return {name: float(value) for name, value in found}


@pytest.mark.parametrize("query", [FLEET, SALES, TENANTS, MACHINE])
def test_all_numbers_grow_alike(gateway: Gateway, query: str) -> None:
    asked = Question(query)
    asked.learn(gateway)
    grown = []
    for headers in ({}, LONG):
        before = numbers(gateway)
        asked.ask(gateway, **headers)
        grown.append({name: value - before[name] for name, value in numbers(gateway).items()})
    assert grown[0] == grown[1]
    assert sum(value for name, value in grown[0].items() if name.startswith("vendgraph_queries")) == 1


def test_what_is_under_way_when_the_gateway_stops_is_answered(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path, cache="slots = 0") as gateway, ThreadPoolExecutor(1) as other:
        asked = Question(LIVELLO)
        asked.learn(gateway)
        there, before = endpoint(gateway), len(sandbox.requests("livello"))
        made = there.made
        sandbox.break_("livello", "delay", operation="inventory", seconds=1.0)
        answer = other.submit(asked.ask, gateway)
        while not answer.done() and (there.made == made or not len(there.capacity.operations_of)):
            time.sleep(0.01)
        assert gateway.server is not None
        gateway.server.stop()
        assert answer.result().json()["data"]["machines"]["nodes"], answer.result().json()
        assert len(sandbox.requests("livello")) > before
