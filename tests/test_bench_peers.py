"""The peers that the gateway is measured against answer as it does, and are told apart where they do not."""

import asyncio
import os

import pytest

from bench.peers import __main__ as page
from bench.peers import load, run
from bench.peers.measuring import Different, Upstream, answer, measure
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
    assert page.replaced(text, r"\1 new") == f"before\n{page.BEGIN}\n\n\\1 new\n\n{page.END}\nafter"
    with pytest.raises(ValueError, match="no two markers"):
        page.replaced("nothing", "new")
