"""The short road answers what the long one answers, to the header, and nothing that the long one would refuse."""

import json
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from tests.roads import FLEET, LONG, OWN, SALES
from tests.running import ADMIN, CLIENT, OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_gateway
from tests.sameness import FOREVER


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("road"), cache=FOREVER) as gateway:
        yield gateway


def post(gateway: Gateway, query: str = FLEET, *, key: str = ADMIN, **headers: str) -> httpx2.Response:
    body = json.dumps({"query": query}).encode()
    told = {"authorization": f"Bearer {key}", "content-type": "application/json", **headers}
    return CLIENT.post(f"{gateway.base}/graphql", content=body, headers=told)


def short(gateway: Gateway, name: str = "short_road") -> int:
    """How many requests have taken it."""
    metrics = CLIENT.get(f"{gateway.base}/metrics").text.splitlines()
    return int(float(next(line for line in metrics if line.startswith(f"vendgraph_{name}_total")).split()[1]))


def warm(gateway: Gateway, query: str = FLEET, *, key: str = ADMIN) -> None:
    """Asks until it is answered on the short road: first it has to be loaded, and then to be kept."""
    taken = short(gateway)
    for _ in range(4):
        assert post(gateway, query, key=key).status_code == 200
    assert short(gateway) > taken


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "application/graphql-response+json, application/json;q=0.9"]
)
@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_both_roads_answer_the_same(gateway: Gateway, accept: str, kind: str) -> None:
    warm(gateway)
    taken = short(gateway)
    headers = {"accept": accept, "content-type": kind}
    by_short = post(gateway, **headers)
    assert short(gateway) == taken + 1
    by_long = post(gateway, **headers, **LONG)
    assert short(gateway) == taken + 1
    assert by_short.status_code == by_long.status_code == 200
    assert by_short.content == by_long.content
    told = [{name: value for name, value in one.headers.items() if name not in OWN} for one in (by_short, by_long)]
    assert told[0] == told[1]
    assert by_short.headers.keys() >= OWN
    assert by_short.headers["x-request-id"] != by_long.headers["x-request-id"]


def get(gateway: Gateway, **headers: str) -> httpx2.Response:
    """By the hash of the document that `post` has named so."""
    told = {"version": 1, "sha256Hash": sha256(FLEET.encode()).hexdigest()}
    address = f"{gateway.base}/graphql?{urlencode({'extensions': json.dumps({'persistedQuery': told})})}"
    return CLIENT.get(address, headers={"authorization": f"Bearer {ADMIN}", **headers})


def test_a_document_that_has_a_name_takes_it_by_get_too(gateway: Gateway) -> None:
    named = {"version": 1, "sha256Hash": sha256(FLEET.encode()).hexdigest()}
    body = {"query": FLEET, "extensions": {"persistedQuery": named}}
    assert CLIENT.post(f"{gateway.base}/graphql", json=body, headers={"authorization": f"Bearer {ADMIN}"}).is_success
    for _ in range(4):
        assert get(gateway).status_code == 200
    taken = short(gateway)
    by_short, by_long = get(gateway), get(gateway, **LONG)
    assert short(gateway) == taken + 1
    assert by_short.content == by_long.content
    tag = by_short.headers["etag"]
    for known, status in ((tag, 304), (f'W/{tag}, "other"', 304), ('"other"', 200)):
        told = [get(gateway, **{"if-none-match": known}, **headers) for headers in ({}, LONG)]
        assert [one.status_code for one in told] == [status, status]
        shown = [{name: value for name, value in one.headers.items() if name not in OWN} for one in told]
        assert shown[0] == shown[1]
        assert told[0].content == told[1].content
    assert short(gateway) == taken + 4


def test_a_query_in_the_address_takes_the_long_one(gateway: Gateway) -> None:
    taken = short(gateway)
    for _ in range(5):
        answer = CLIENT.get(
            f"{gateway.base}/graphql", params={"query": FLEET}, headers={"authorization": f"Bearer {ADMIN}"}
        )
        assert answer.status_code == 200
        assert "etag" not in answer.headers
    assert short(gateway) == taken


def test_what_is_charged_is_the_same(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    """But for what fills up again as time goes on: one each second."""

    def left(answer: httpx2.Response) -> int:
        return int(answer.headers["ratelimit"].split("r=")[1].split(";")[0])

    slowly = "\n[limits]\ncost_per_second = 1\n"
    with running_gateway(shared_sandbox, tmp_path, cache=FOREVER, more=slowly) as gateway:
        fleet = FLEET.replace("first: 5", "first: 1000")
        warm(gateway, fleet)
        taken = short(gateway)
        began = time.monotonic()
        told = [left(post(gateway, fleet, **headers)) for headers in ({}, {}, LONG, {}, LONG)]
        filled = time.monotonic() - began + 1
        assert short(gateway) == taken + 3
    charged = [before - after for before, after in pairwise(told)]
    assert max(charged) - min(charged) <= filled
    assert min(charged) > 2 * filled


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"sec-fetch-site": "cross-site"},
        {"x-vendgraph-trace": "1"},
        {"x-request-id": "mine"},
        {"accept": "text/event-stream"},
        {"content-type": "text/plain"},
        {"authorization": "Bearer vg_nobodys-key"},
        {"authorization": "Basic YTpi"},
        {"authorization": ""},
    ],
    ids=" ".join,
)
def test_whatever_is_unusual_takes_the_long_road(gateway: Gateway, headers: dict[str, str]) -> None:
    warm(gateway)
    taken = short(gateway)
    answer = post(gateway, **headers)
    assert short(gateway) == taken
    assert answer.status_code == post(gateway, **headers, **LONG).status_code


def test_each_role_and_each_tenant_has_its_own_answer(gateway: Gateway) -> None:
    told: dict[str, Any] = {}
    for key in (ADMIN, OPERATOR, VIEWER, STRANGER):
        warm(gateway, SALES, key=key)
        answers = [post(gateway, SALES, key=key, **headers).json() for headers in ({}, LONG)]
        assert answers[0] == answers[1]
        told[key] = answers[0]["data"]["sales"]["nodes"]
    assert told[ADMIN] == told[OPERATOR] != told[VIEWER]
    assert all(one["vendorData"] is None for one in told[VIEWER])
    assert told[STRANGER] == []


def test_what_comes_in_shows_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """A delivery that was answered with 200 is in the next answer, on whichever road."""
    with running_gateway(sandbox, tmp_path, cache=FOREVER) as gateway:
        sandbox.webhooks(vendor="smartvend", address=gateway.base)
        newest = "{ sales(first: 20, filter: {vendors: [SMARTVEND]}) { nodes { id } } }"
        warm(gateway, newest)
        for _ in range(5):
            before = post(gateway, newest).json()["data"]["sales"]["nodes"]
            sandbox.sell("smartvend")
            sandbox.settle()
            after = post(gateway, newest).json()["data"]["sales"]["nodes"]
            assert len([one for one in after if one not in before]) == 1


def test_who_has_spent_all_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    limits = "\n[limits]\nmax_cost = 1000\ncost_burst = 2000\ncost_per_second = 1\n"
    with running_gateway(sandbox, tmp_path, cache=FOREVER, more=limits) as gateway:
        statuses = []
        while 429 not in statuses:
            statuses.append(post(gateway).status_code)
            assert len(statuses) < 5_000
        assert set(statuses) == {200, 429}
        assert short(gateway) > 0
        answer = post(gateway)
        assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert int(answer.headers["retry-after"]) > 0
