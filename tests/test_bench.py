"""The benchmarks measure what they say: their queries are answered, and their floors are floors."""

import os
from base64 import b64encode
from collections import Counter
from pathlib import Path

import httpx2
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from graphql import ExecutionResult, parse, validate

from bench import deliver, fanout, mixed, processes, reports, road, soak, stalls
from bench.deliveries import sale, signed, spki
from bench.least import VENDORS, least
from bench.load import load, request
from bench.queries import QUERIES, Query
from bench.reference import create_app
from connectors.smartvend import hooks
from connectors.smartvend.canonical import canonical
from domain.model import Vendor
from schema.root import build
from tests.deliveries import account, delivery
from tests.npm import NEEDS_NODE
from tests.running import Gateway, Sandbox, running_gateway
from tests.telling import SMARTVEND_KEY


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_its_queries_fit_the_graph(query: Query) -> None:
    assert validate(build()._schema, parse(query.text)) == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_nobody_can_do_with_less_than_the_least(query: Query, sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as cold:
        data = cold.ask(query.text)
    asked = Counter(one.partition("/")[2].partition("/")[0] for one in sandbox.requests())
    requests, chain = least(query, {vendor: sandbox.truth(vendor) for vendor in VENDORS}, data)
    assert {vendor: asked[vendor] for vendor in VENDORS if asked[vendor] < requests[vendor]} == {}
    assert 1 <= chain <= sum(requests.values())


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
async def test_the_reference_answers_what_the_gateway_answers(query: Query, gateway: Gateway) -> None:
    data = gateway.ask(query.text)
    transport = httpx2.ASGITransport(create_app({query.text: data}))
    async with httpx2.AsyncClient(transport=transport, base_url="http://reference") as client:
        answer = await client.post("/graphql", json={"query": query.text})
    assert answer.json() == {"data": data}


async def test_the_load_counts_answers_and_what_is_none(gateway: Gateway) -> None:
    port = int(gateway.base.rpartition(":")[2])
    good = await load(port, request(port, "{ viewer { name } }", gateway.key), connections=2, seconds=0.1)
    assert good.milliseconds
    assert good.failed == 0
    wrong = await load(port, request(port, "{ viewer { name } }", "wrong"), connections=2, seconds=0.1)
    assert wrong.failed == len(wrong.milliseconds) > 0


def test_its_deliveries_are_sales_signed_as_the_vendor_signs() -> None:
    key = generate_private_key(65537, 2048)
    body, signature = signed(key, sale())
    ours = account(Vendor.SMARTVEND, spki(key))
    told = hooks.verify(hooks.public_keys(ours), delivery(body.encode(), x_signature=signature))
    (fact,) = hooks.facts(ours, told, {})
    assert fact.identity == told["saleId"]


async def test_deliveries_are_sent_once_each_and_refusals_are_counted(gateway: Gateway) -> None:
    port = int(gateway.base.rpartition(":")[2])
    bodies = [sale() for _ in range(3)]
    signatures = [b64encode(SMARTVEND_KEY.sign(canonical(body.encode()))).decode() for body in bodies]
    signatures[1] = signatures[0]
    sent = [deliver.request(port, "acme-coffee", *pair) for pair in zip(bodies, signatures, strict=True)]
    outcome, _ = await deliver.deliver(port, iter(sent), connections=2)
    assert (len(outcome.milliseconds), outcome.failed) == (3, 1)
    counts = gateway.ask("{ accounts { key webhook { accepted duplicates rejected } } }")["accounts"]
    of_coffee = next(one["webhook"] for one in counts if one["key"] == "acme-coffee")
    assert of_coffee == {"accepted": 2, "duplicates": 0, "rejected": 1}


def test_what_is_followed_fits_the_graph() -> None:
    assert validate(build()._schema, parse(fanout.SUBSCRIPTION)) == []


def test_followers_tell_when_each_message_came_to_each_of_them(gateway: Gateway) -> None:
    ours = processes.Gateway(gateway.base, gateway.key, os.getpid(), vendors="")
    with httpx2.Client() as client:
        tells = [fanout.delivering(client, ours) for _ in range(3)]
        found = fanout.follow(ours.base, ours.pid, ours.key, 5, tells)
    assert [len(times) for times in found.heard] == [5, 5, 5]
    assert all(min(times) > sent for times, sent in zip(found.heard, found.sent, strict=True))
    assert found.deliveries == 15
    assert 0 < found.milliseconds(0.5) <= found.milliseconds(1.0)


@NEEDS_NODE
def test_the_server_of_npm_tells_what_the_gateway_tells(gateway: Gateway) -> None:
    ours = processes.Gateway(gateway.base, gateway.key, os.getpid(), vendors="")
    with httpx2.Client() as client, processes.running_graphql_ws() as (base, pid):
        message = fanout.a_message(client, ours)

        def tell() -> None:
            client.post(base, json=message).raise_for_status()

        found = fanout.follow(base, pid, "", 5, [tell, tell])
    assert [len(times) for times in found.heard] == [5, 5]
    assert message["sale"]["total"] == {"amount": "2.50", "currency": "EUR"}


def test_what_soaks_is_answered_as_it_is_to_be_and_memory_is_told() -> None:
    often = {ask: every / 4 for ask, every in mixed.KINDS.items()}
    found = soak.soak(0.1, often)
    assert found.failed == {}
    assert len(found.asked) == len(mixed.KINDS)
    assert len(found.samples) > soak.SAMPLES / 2
    assert all(megabytes > 0 for _, megabytes in found.samples)
    assert "growth over the second half" in soak.page(found)


def test_the_slope_is_that_of_the_second_half() -> None:
    found = soak.Soaked(samples=[(0.0, 10.0), (900.0, 90.0), (1800.0, 100.0), (2700.0, 101.0), (3600.0, 102.0)])
    assert found.slope == pytest.approx(4.0)
    assert [found.megabytes(share) for share in soak.POINTS.values()] == [10.0, 10.0, 90.0, 100.0, 101.0, 102.0]


def test_reports_are_of_all_sales(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, value in (("SALES", 4_000), ("SAMPLE", 20), ("ROUNDS", 1)):
        monkeypatch.setattr(reports, name, value)
    reports.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line[:28].strip() for line in lines[4:]] == list(reports.BY)


def test_the_largest_requests_are_legal_and_waits_are_told_of_each(gateway: Gateway) -> None:
    ours = processes.Gateway(gateway.base, gateway.key, os.getpid(), vendors="")
    large = [one for one in stalls.largest(ours) if "names" not in one.name and "beside" not in one.name]
    found = stalls.measured(ours, large, rounds=1)
    assert [one.name for one in found] == ["nobody else", *(one.name for one in large)]
    assert all(0 < one.p99 <= one.longest == one.worst for one in found)


async def test_each_row_of_the_road_answers_what_its_name_says(monkeypatch: pytest.MonkeyPatch) -> None:
    async with road.running() as bench:
        rows, taken, made = road.wholes(bench), bench.endpoint.short, bench.endpoint.made
        whole = await rows[road.UNREAD]()
        assert (bench.endpoint.short, bench.endpoint.unread) == (taken + 1, 1)
        calls = (road.UNREAD, road.COMPILED, road.CORE)
        answers = {name: await row() for name, row in rows.items() if name not in calls}
        assert (bench.endpoint.short, bench.endpoint.made) == (taken + 5, made + 2)
        bodies = {one.body for one in answers.values() if isinstance(one, road.Answer)}
        assert len(answers) == 8
        assert len(bodies) == 1
        assert isinstance(whole, bytes)
        assert whole.endswith(b"\r\n\r\n" + next(iter(bodies)))
        data = orjson.loads(bodies.pop())["data"]
        assert await rows[road.COMPILED]() == data
        core = await rows[road.CORE]()
        assert isinstance(core, ExecutionResult)
        assert core.data == data
        hits = bench.endpoint.execution.kept.hits
        for sent in (bench.post, bench.get):
            told = [await row() for row in road.steps(bench, sent).values()]
            written = told[-1]
            assert isinstance(written, road.Answer)
            assert orjson.loads(written.body)["data"] == data
            assert all(told[:4])
        assert bench.endpoint.execution.kept.hits == hits + 4  # once to be told of, and once as a step
    for name, value in (("ROUNDS", 1), ("SECONDS", 0.0)):
        monkeypatch.setattr(road, name, value)
    assert "graphql-core alone" in await road.tables()
