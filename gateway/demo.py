"""The sandbox and a gateway over it on one machine: to look at, to develop against, and to check."""

import asyncio
import logging
import secrets
import tempfile
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import orjson
import typer
from starlette.requests import ClientDisconnect

from gateway import logs
from gateway.app import create_app
from gateway.graphiql import address
from gateway.server import serving, stopped_by_signal
from gateway.settings import load
from gateway.watching import SALES, hears_of, watch
from journal.keys import digest
from sandbox.app import create_app as create_sandbox
from sandbox.app import gateway_config
from sandbox.faults import Cut
from sandbox.lively import SECONDS
from sandbox.server import Running, start

FIRST_QUERY = """{
  machines(first: 5) {
    totalCount
    nodes { name vendor connectivity slots { position quantity price { amount currency } product { name } } }
    sources { account { key } state complete }
  }
  sales(first: 5) {
    nodes { recordedAt vendor kind total { amount currency } machine { name } lines { productName quantity } }
  }
}"""
BROKEN_ON_REQUEST = (Cut, CancelledError, ClientDisconnect)  # and who asks may hang up
VENDORS = ("SMARTVEND", "LIVELLO", "VENDNOVATION", "SMARTEPI", "EATMACHINE")
SENDING = ("SMARTVEND", "SMARTEPI", "EATMACHINE")
LIVELY_SECONDS = 1.0  # between one thing and the next, for people to watch
CHECK_HURRY = 20.0  # how much faster things happen where nobody watches
EVERY_VENDOR = (
    "{"
    + " ".join(
        f"{vendor.lower()}: machines(first: 1, filter: {{vendors: [{vendor}]}}) {{ totalCount nodes {{ name kind"
        " connectivity } sources { state complete } }"
        for vendor in VENDORS
    )
    + " sales(first: 5) { nodes { vendor recordedAt total { amount currency } lines { productName } }"
    " sources { account { key } state } } }"
)


class CannotRun(Exception):
    """The message says why, and what would help."""


def run_sandbox(port: int, config_out: Path | None, webhooks_to: str | None, *, lively: bool) -> None:
    """Serves until it is stopped. Raises CannotRun."""
    logs.configure(logging.ERROR, expected=BROKEN_ON_REQUEST)
    stopped_by_signal()
    try:
        app = create_sandbox(webhooks_to=webhooks_to, lively=SECONDS if lively else None)
        running = start(app, port)
    except ValueError:
        raise CannotRun("--webhooks-to takes an address such as http://127.0.0.1:8000") from None
    except OSError as error:
        raise CannotRun(f"cannot listen on port {port}: {error.strerror}; --port takes another") from None
    with suppress(KeyboardInterrupt), running:
        typer.echo(f"sandbox        {running.base}")
        if config_out is not None:
            _write(config_out, gateway_config(running.base, app.state.vendors.values(), public_url=webhooks_to))
        running.thread.join()


def _write(config: Path, text: str) -> None:
    try:
        config.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotRun(f"{config}: cannot be written: {error.strerror}") from None
    typer.echo(f"configuration  {config}")
    typer.echo(f"a key          vendgraph keys create --config {config} --name me --role admin")
    typer.echo(f"a gateway      vendgraph serve --config {config}")


def run(*, check: bool) -> int:
    """0 where the queries answered over all five vendors and, with `check`, all that send webhooks were heard of;
    without it only after it is stopped."""
    logs.configure(logging.ERROR, expected=BROKEN_ON_REQUEST)
    stopped_by_signal()
    key = "vg_demo_" + secrets.token_urlsafe(16)
    good = False
    try:
        with (
            tempfile.TemporaryDirectory(prefix="vendgraph-") as folder,
            _running(Path(folder), key, CHECK_HURRY if check else 1.0) as (vendors, graph),
        ):
            answer = _ask(graph.base, key, EVERY_VENDOR)
            good = _is_whole(answer)
            _show(vendors, graph, key, answer)
            if check:
                good = asyncio.run(hears_of(graph.base, key, SENDING)) and good
            else:
                asyncio.run(watch(graph.base, key))
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
    except httpx2.HTTPError as error:
        typer.echo(f"the gateway did not answer: {type(error).__name__}", err=True)
    return 0 if good else 1


@contextmanager
def _running(folder: Path, key: str, hurry: float) -> Iterator[tuple[Running, Running]]:
    """A lively sandbox, and a gateway over it that is told of all that happens."""
    vendors = create_sandbox(lively=LIVELY_SECONDS / hurry)
    with start(vendors) as sandbox:
        config = folder / "vendgraph.toml"
        accounts = gateway_config(sandbox.base, vendors.state.vendors.values())
        config.write_text(accounts + _own(folder, key), encoding="utf-8")
        with start(create_app(load(config)), serving=serving) as gateway:
            switches = {"address": gateway.base, "speed": hurry}
            httpx2.post(f"{sandbox.base}/_sandbox/webhooks", json=switches, trust_env=False).raise_for_status()
            yield sandbox, gateway


def _own(folder: Path, key: str) -> str:
    """What a configuration for the sandbox leaves to whoever uses it: a store, and a key."""
    return (
        f'\n[store]\nurl = "sqlite:///{folder}/vendgraph.db"\n'
        f'\n[[auth.keys]]\nname = "demo"\nsha256 = "{digest(key)}"\nrole = "admin"\norganizations = ["*"]\n'
    )


def _ask(base: str, key: str, query: str) -> dict[str, Any]:
    response = httpx2.post(
        f"{base}/graphql",
        json={"query": query},
        headers={"authorization": f"Bearer {key}"},
        timeout=30,
        trust_env=False,
    )
    found: dict[str, Any] = response.json()
    return found


def _is_whole(answer: dict[str, Any]) -> bool:
    data = answer.get("data") or {}
    machines = [data.get(vendor.lower(), {}).get("nodes") for vendor in VENDORS]
    return "errors" not in answer and all(machines) and bool(data["sales"]["nodes"])


def _show(sandbox: Running, gateway: Running, key: str, answer: dict[str, Any]) -> None:
    typer.echo(f"sandbox   {sandbox.base}")
    typer.echo(f"graph     {gateway.base}/graphql")
    typer.echo(f"key       {key}")
    typer.echo(f"GraphiQL  {address(gateway.base, FIRST_QUERY, key)}\n")
    typer.echo(f"Asked of all five vendors at once:\n{EVERY_VENDOR}\n")
    typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    typer.echo(f"\nFollowed from now on:\n{SALES}\n")
