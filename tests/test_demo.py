"""The demonstration, and the sandbox on its own, as someone new to it runs them."""

import asyncio
import re
import signal
import tomllib
from pathlib import Path

from gateway.watching import hears_of
from sandbox.smartvend_hooks import WEBHOOK_PUBLIC_KEY
from tests.processes import running, vendgraph
from tests.receiving import receiving
from tests.running import Gateway, Sandbox

MESSAGE = re.compile(r"\d\d:\d\d:\d\d  (\w+) +[^(]+\((\w+)\)")
SENDING = {("SMARTVEND", "WEBHOOK"), ("SMARTEPI", "WEBHOOK"), ("EATMACHINE", "DERIVED")}


def test_the_demo_checks_that_sales_come_live_from_all_who_send_them() -> None:
    done = vendgraph("demo", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(MESSAGE.findall(done.stdout)) >= SENDING


def test_the_demo_prints_sales_until_it_is_stopped(tmp_path: Path) -> None:
    with running(tmp_path, "demo") as process:
        printed = process.wait_for("(WEBHOOK)")
        assert printed.index("subscription {") < printed.index("(WEBHOOK)")
        assert process.stop(signal.SIGINT) == 0
        assert "Traceback" not in process.printed()


async def test_whoever_is_never_heard_of_is_missed(sandbox: Sandbox, gateway: Gateway) -> None:
    sandbox.webhooks(vendor="smartvend", address=gateway.base)

    async def hears(*vendors: str) -> bool:
        hearing = asyncio.create_task(hears_of(gateway.base, gateway.key, vendors, at_most=3))
        while not hearing.done():
            await asyncio.to_thread(sandbox.sell, "smartvend")
        return hearing.result()

    assert await hears("SMARTVEND")
    assert not await hears("SMARTVEND", "SMARTEPI")


def test_a_sandbox_of_its_own_tells_a_gateway_of_what_happens_by_itself(tmp_path: Path) -> None:
    config = tmp_path / "vendgraph.toml"
    with receiving() as gateway:
        told = ("--webhooks-to", gateway.base, "--lively", "--config-out", config)
        with running(tmp_path, "sandbox", "--port", 0, *told) as process:
            process.wait_for("a gateway")
            gateway.wait_for(1)
            written = tomllib.loads(config.read_text(encoding="utf-8"))
            assert written["server"]["public_url"] == gateway.base
            keys = [account.get("webhook") for account in written["accounts"]]
            assert {"public_key": WEBHOOK_PUBLIC_KEY} in keys
            assert process.stop() == 0
    assert {came.path.split("/")[1] for came in gateway.came} == {"webhooks"}


def test_webhooks_go_to_an_address_or_the_sandbox_does_not_start() -> None:
    done = vendgraph("sandbox", "--port", 0, "--webhooks-to", "localhost:8000")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "--webhooks-to takes an address such as http://127.0.0.1:8000\n"
