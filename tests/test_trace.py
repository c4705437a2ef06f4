"""What a traced request is told: the upstream requests that were made for it, and what came from the caches."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.http import UpstreamRequest, trace
from tests.following import events
from tests.running import ADMIN, Gateway, Sandbox, running_gateway
from tests.scripted import Scripted, guarded, over

MACHINES = "{ machines(first: 200) { totalCount } }"
NESTED = "{ machines(first: 200) { nodes { name slots { product { name } } sales(first: 3) { nodes { id } } } } }"


def traced(gateway: Gateway, query: str, **headers: str) -> dict[str, Any]:
    answer = gateway.post(query, None, **{"x-vendgraph-trace": "1", **headers}).json()
    told: dict[str, Any] = answer["extensions"]["vendgraph"]
    return told


def test_what_was_asked_upstream_is_told_request_by_request(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        sandbox.forget_requests()
        told = traced(gateway, NESTED)
    assert told.keys() == {"upstreamRequests", "cacheHits", "cost", "costCharged"}
    assert len(told["upstreamRequests"]) == len(sandbox.requests())
    for one in told["upstreamRequests"]:
        assert one.keys() == {"account", "operation", "status", "milliseconds"}
        assert one["status"] == 200
        assert one["milliseconds"] > 0
    named = [(one["account"], one["operation"]) for one in told["upstreamRequests"]]
    assert named.count(("acme-kiosks", "get-token")) == 1
    assert named.count(("acme-vending", "authenticate")) == 1
    assert named.count(("acme-coffee", "get-controller-matrix")) == len(sandbox.truth("smartvend")["machines"])


def test_what_is_warm_is_told_as_hits(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        cold = traced(gateway, MACHINES)
        warm = traced(gateway, MACHINES)
    assert cold["cacheHits"] == 0
    assert warm["upstreamRequests"] == []
    assert warm["cacheHits"] == 5


def test_what_it_might_cost_is_told_and_what_it_did(gateway: Gateway) -> None:
    traced(gateway, "{ machines(first: 200) { nodes { name } } }")
    told = traced(gateway, "{ machines(first: 200) { nodes { name } } }")
    assert told["upstreamRequests"] == []
    (nodes,) = gateway.ask("{ machines(first: 200) { nodes { name } } }")["machines"].values()
    assert told["cost"] == 1 + 1 + 200
    assert told["costCharged"] == 1 + 1 + 1 + len(nodes)


@pytest.mark.parametrize("value", ["0", "true", ""])
def test_only_who_asks_is_told(gateway: Gateway, value: str) -> None:
    assert "extensions" not in gateway.post(MACHINES).json()
    assert "extensions" not in gateway.post(MACHINES, None, **{"x-vendgraph-trace": value}).json()


def test_a_document_that_cannot_be_executed_asked_for_nothing(gateway: Gateway) -> None:
    assert traced(gateway, "{ nothing }") == {"upstreamRequests": [], "cacheHits": 0, "cost": None, "costCharged": None}


def test_by_get_it_is_told_as_well(gateway: Gateway) -> None:
    headers = {"authorization": f"Bearer {ADMIN}", "x-vendgraph-trace": "1"}
    answer = httpx2.get(f"{gateway.base}/graphql", params={"query": MACHINES}, headers=headers)
    assert "vendgraph" in answer.json()["extensions"]


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_by_server_sent_events_it_is_told_as_well(gateway: Gateway, method: str) -> None:
    for told in ({"x-vendgraph-trace": "1"}, {}):
        async with events(gateway, MACHINES, headers=told, method=method) as stream:
            event = await stream.hear()
        assert event is not None
        result = json.loads(event["data"])
        assert ("extensions" in result) == bool(told)
        if told:
            assert result["extensions"]["vendgraph"]["cost"] == 2


def test_a_refusal_and_its_retries_are_told_with_their_status(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        sandbox.break_("smartvend", "status", status=500, times=2)
        told = traced(gateway, "{ machines(filter: {vendors: [SMARTVEND]}) { totalCount } }")
    assert [one["status"] for one in told["upstreamRequests"]] == [500, 500, 200]


async def test_a_request_that_is_not_answered_yet_is_told_too() -> None:
    """An answer does not wait for a vendor that takes longer than it may."""
    scripted, answered = Scripted(), asyncio.Event()

    async def late(_: Request) -> Response:
        await answered.wait()
        return JSONResponse({})

    scripted.script.append(late)
    seen: list[UpstreamRequest] = []
    reset = trace.set(seen)
    asking = asyncio.create_task(over(scripted.client, guarded()).json("list"))
    trace.reset(reset)
    await scripted.arrived.wait()
    (told,) = seen
    assert (told.account, told.operation, told.status) == ("acme-kiosks", "list", None)
    so_far = told.milliseconds
    answered.set()
    await asking
    assert seen == [told]
    assert told.status == 200
    assert told.milliseconds >= so_far
    assert told.milliseconds == told.milliseconds


async def test_of_forty_at_once_those_who_joined_a_flight_are_told_of_no_request(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The requests are told once each, to whoever started them."""
    with running_gateway(sandbox, tmp_path) as gateway:
        sandbox.forget_requests()
        headers = {"authorization": f"Bearer {ADMIN}", "x-vendgraph-trace": "1"}
        async with httpx2.AsyncClient(base_url=gateway.base, headers=headers, timeout=30) as client:
            answers = await asyncio.gather(*(client.post("/graphql", json={"query": MACHINES}) for _ in range(40)))
    told = [answer.json()["extensions"]["vendgraph"]["upstreamRequests"] for answer in answers]
    assert sum(map(len, told)) == len(sandbox.requests())
    assert sum(1 for requests in told if requests) < 40
    assert {answer.json()["data"]["machines"]["totalCount"] for answer in answers} != {None}
