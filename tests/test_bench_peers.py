"""The peers that the gateway is measured against answer as it does, and are told apart where they do not."""

import asyncio
import os
from dataclasses import replace

import pytest

from bench.pages import replaced
from bench.peers import __main__ as page
from bench.peers import load, run, tables
from bench.peers.measuring import Different, Round, Upstream, answer, measure
from bench.peers.queries import QUERIES
from bench.peers.sides import NODE, OURS, SIDES, Server, vendor

INSTALLED = pytest.mark.skipif(not (NODE / "node_modules").is_dir(), reason="`npm ci` was not run in bench/peers/node")
BODY = "{}"


@INSTALLED
def test_all_that_can_be_started_answer_the_same_and_ask_the_vendor_each_time() -> None:
    found = run.Results()
    with vendor() as base, run.started(base, 0, found) as servers:
        upstream = Upstream(base)
        assert {*servers, *found.missing} == {side.name for side in SIDES if side.cold}
        for server in servers.values():
            one = measure(server, QUERIES[0], upstream, connections=1, seconds=60, times=2)
            assert one.requests == 3
        machines = answer(servers[OURS.name], QUERIES[2])["data"]["machines"]["nodes"]
        assert [(len(one["slots"]), len(one["sales"]["nodes"])) for one in machines] == [(20, 10)] * 50


def test_what_is_no_answer_is_not_measured() -> None:
    with vendor() as base:
        port = int(base.removesuffix("/api/v1").rpartition(":")[2])
        with pytest.raises(Different, match="404"):
            answer(Server(port, os.getpid()), QUERIES[0])


async def test_the_load_reads_answers_in_chunks_wherever_they_are_cut_and_counts_those_that_differ() -> None:
    over = asyncio.Event()
    told = (b"one", b"one", b"two", b"one")
    given = {"path": "/", "headers": {}, "body": BODY, "connections": 1, "seconds": 60, "times": len(told)}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for body in told:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(BODY))
            whole = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n%b\r\n1;x\r\n%b\r\n0\r\n\r\n"
            whole %= (body[:2], body[2:])
            for at in range(0, len(whole), 7):
                writer.write(whole[at : at + 7])
                await asyncio.sleep(0.001)
        writer.close()
        await writer.wait_closed()
        over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    outcome = await load.run(server.sockets[0].getsockname()[1], given)
    await over.wait()
    server.close()
    assert outcome.first == b"HTTP/1.1 200 OK\r\n\r\none"
    assert (outcome.others, outcome.answers) == (1, len(told))


def test_a_page_takes_the_last_run_between_its_markers_and_nowhere_else() -> None:
    text = f"before\n{page.BEGIN}\nold\n{page.END}\nafter"
    assert replaced(text, r"\1 new", page.BEGIN, page.END) == f"before\n{page.BEGIN}\n\n\\1 new\n\n{page.END}\nafter"
    with pytest.raises(ValueError, match="no two markers"):
        replaced("nothing", "new", page.BEGIN, page.END)


def test_the_page_says_where_we_lose() -> None:
    def rounds(cpu: float) -> run.Rounds:
        one = Round(per_second=1.0, p50=60.0, p99=60.0, cpu=1.0, requests=0.0)
        return {
            (side.name, query.name): replace(one, cpu=cpu if side is OURS else 1.0)
            for side in SIDES
            for query in QUERIES
        }

    megabytes = dict.fromkeys((side.name for side in SIDES), 100.0)
    found = run.Results(warm=rounds(2.0), cold=rounds(0.2), slow=rounds(1.0), megabytes=megabytes, missing={"x": "why"})
    told = tables.page(found)
    assert "| warm W1, CPU | Mercurius + graphql-jit | 2.00 | 1.00 | no |" in told
    assert "| cold W3, CPU | Tailcall | 0.20 | 0.25 | yes |" in told
    assert "| W3 at 50 ms, time | 100 ms | 0.60 | 1.15 | yes |" in told
    lost = told[told.index("Where we lose:") : told.index("### Warm")]
    assert "- warm W1, CPU: 2.0 times Mercurius + graphql-jit\n" in lost
    assert "cold" not in lost
    assert "Not measured: x: why." in told
