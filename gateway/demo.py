"""The sandbox and a gateway over it on one machine: to look at, to develop against, and to check."""

import logging
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import orjson
import typer

from gateway import logs
from gateway.app import create_app
from gateway.graphiql import address
from gateway.settings import load
from journal.keys import digest
from sandbox.app import create_app as create_sandbox
from sandbox.app import gateway_config
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
VENDORS = ("SMARTVEND", "LIVELLO", "VENDNOVATION", "SMARTEPI", "EATMACHINE")
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


def run_sandbox(port: int, config_out: Path | None) -> None:
    """Serves until it is stopped."""
    app = create_sandbox()
    running = start(app, port)
    if config_out is not None:
        config_out.write_text(gateway_config(running.base, app.state.vendors.values()), encoding="utf-8")
        typer.echo(f"configuration  {config_out}")
    typer.echo(f"sandbox        {running.base}")
    _wait(running)


def run(*, check: bool) -> int:
    """0 where the queries answered over all five vendors; without `check` only after it is stopped."""
    logs.configure(level=logging.CRITICAL)
    key = "vg_demo_" + secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="vendgraph-") as folder:
        vendors = create_sandbox()
        sandbox = start(vendors)
        config = Path(folder) / "vendgraph.toml"
        accounts = gateway_config(sandbox.base, vendors.state.vendors.values())
        config.write_text(accounts + _own(folder, key), encoding="utf-8")
        gateway = start(create_app(load(config)))
        try:
            answer = _ask(gateway.base, key, EVERY_VENDOR)
            _show(sandbox, gateway, key, answer)
            good = _is_whole(answer)
            if not check:
                _wait(gateway)
        finally:
            gateway.stop()
            sandbox.stop()
    return 0 if good else 1


def _own(folder: str, key: str) -> str:
    """What a configuration for the sandbox leaves to whoever uses it: a store, and a key."""
    return (
        f'\n[store]\nurl = "sqlite:///{folder}/vendgraph.db"\n'
        f'\n[[auth.keys]]\nname = "demo"\nsha256 = "{digest(key)}"\nrole = "admin"\norganizations = ["*"]\n'
    )


def _ask(base: str, key: str, query: str) -> dict[str, Any]:
    response = httpx2.post(
        f"{base}/graphql", json={"query": query}, headers={"authorization": f"Bearer {key}"}, timeout=30
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


def _wait(running: Running) -> None:
    try:
        while running.thread.is_alive():
            time.sleep(0.5)
    except KeyboardInterrupt:
        typer.echo("stopped", err=True)
    finally:
        running.stop()
