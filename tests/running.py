"""A sandbox and a gateway over it on real sockets, and a client that asks as a front end would."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from gateway.app import create_app
from gateway.server import PATIENCE_SECONDS, serving
from gateway.settings import load
from gateway.streams import USUAL, Pace
from journal.keys import digest
from sandbox.app import create_app as create_sandbox
from sandbox.app import gateway_config
from sandbox.server import Running, start
from sandbox.world import World

ADMIN, OPERATOR, VIEWER = "vg_admin-of-acme", "vg_operator-of-acme", "vg_viewer-of-acme"
STRANGER = "vg_admin-of-other"
KEYS = (
    (ADMIN, "admin", "acme"),
    (OPERATOR, "operator", "acme"),
    (VIEWER, "viewer", "acme"),
    (STRANGER, "admin", "other"),
)
CLIENT = httpx2.Client(timeout=30, trust_env=False)  # one, for making one takes longer than asking
SETTLING_SECONDS = 20.0
PATIENT = "\n[commands]\nanswer_seconds = 20\n"  # what a mutation tells is then the end, on any machine
TEXTS = "POST /smartvend/v1/get-dictionary-of-events"
VENDORS = ("smartvend", "livello", "vendnovation", "smartepi", "eatmachine")


class Elapsed:
    """A clock for vendors that goes on when it is told to, so that they forget who asked them how often."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)


@dataclass(slots=True)
class Sandbox:
    """The switches of a running sandbox; `app.state.vendors` and `app.state.controls` are its inside."""

    base: str
    app: Any

    @property
    def vendors(self) -> dict[str, Any]:
        found: dict[str, Any] = self.app.state.vendors
        return found

    def break_(self, vendor: str, kind: str, **how: Any) -> None:
        """See `sandbox.faults.Fault`; it lasts until `heal`, or for `times` requests."""
        answer = CLIENT.post(f"{self.base}/_sandbox/faults", json={"vendor": vendor, "kind": kind, **how})
        assert answer.status_code == 201, answer.text

    def heal(self) -> None:
        self.app.state.controls.faults.clear()
        self.app.state.controls.latency.clear()

    def is_broken(self, vendor: str) -> bool:
        return any(fault.vendor == vendor for fault in self.app.state.controls.faults)

    def sell(self, vendor: str, count: int = 1, machine: str | None = None) -> list[dict[str, Any]]:
        body = {"vendor": vendor, "count": count, "machine": machine}
        found: list[dict[str, Any]] = CLIENT.post(f"{self.base}/_sandbox/sales", json=body).json()["sales"]
        return found

    def happen(self, vendor: str, kind: str, count: int = 1, machine: str | None = None) -> list[dict[str, Any]]:
        """See `event_kinds` of the vendor."""
        body = {"vendor": vendor, "kind": kind, "count": count, "machine": machine}
        answer = CLIENT.post(f"{self.base}/_sandbox/events", json=body)
        assert answer.status_code == 201, answer.text
        found: list[dict[str, Any]] = answer.json()["events"]
        return found

    def webhooks(self, **switches: Any) -> dict[str, Any]:
        """Turns the switches, and tells of each vendor that sends. See `sandbox.sending.Webhooks`."""
        answer = CLIENT.post(f"{self.base}/_sandbox/webhooks", json=switches)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def settle(self) -> None:
        """Returns when no webhook waits to be taken, nor to be tried again."""
        ends = time.monotonic() + SETTLING_SECONDS
        while waiting := {name: one["waiting"] for name, one in self.webhooks().items() if one["waiting"]}:
            assert time.monotonic() < ends, f"still waiting: {waiting}"
            time.sleep(0.01)

    def truth(self, vendor: str) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = self.vendors[vendor].truth()
        return found

    def requests(self, vendor: str | None = None) -> list[str]:
        """What was asked so far, as "METHOD /path"."""
        kept = self.app.state.controls.requests.copy()  # the server goes on with its own
        return [f"{one.method} {one.path}" for one in kept if vendor in (None, one.vendor)]

    def forget_requests(self) -> None:
        self.app.state.controls.requests.clear()


@contextmanager
def running_sandbox(*, scale: float = 0.1, days: int = 45, seed: int = 7, **world: Any) -> Iterator[Sandbox]:
    app = create_sandbox(World(scale=scale, days=days, seed=seed, **world))
    with start(app) as server:
        yield Sandbox(server.base, app)


@dataclass(slots=True)
class Gateway:
    """`server` is what runs it, where it runs in this process."""

    base: str
    key: str = ADMIN
    headers: dict[str, str] = field(default_factory=dict)
    server: Running | None = None

    def post(
        self, query: str, variables: dict[str, Any] | None = None, *, key: str | None = None, **headers: str
    ) -> httpx2.Response:
        sent = {"authorization": f"Bearer {key or self.key}", **self.headers, **headers}
        body = {"query": query, "variables": variables or {}}
        return CLIENT.post(f"{self.base}/graphql", json=body, headers=sent)

    def ask(self, query: str, variables: dict[str, Any] | None = None, *, key: str | None = None) -> Any:
        """The data. An answer with errors fails the test."""
        answer = self.post(query, variables, key=key).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def traced(self, query: str, variables: dict[str, Any] | None = None) -> tuple[Any, list[str]]:
        """The data, and the upstream requests that it took, as "account operation"."""
        answer = self.post(query, variables, **{"x-vendgraph-trace": "1"}).json()
        assert "errors" not in answer, answer["errors"]
        told = answer["extensions"]["vendgraph"]["upstreamRequests"]
        return answer["data"], [f"{one['account']} {one['operation']}" for one in told]


def config_text(
    sandbox: Sandbox,
    folder: Path,
    *,
    others: Sequence[Sandbox] = (),
    environment: str = "development",
    store: str | None = None,
    cache: str = "",
    limits: str = "",
    feed: str = "",
    commands: str = "",
    server: str = "[server]",
    more: str = "",
) -> str:
    """A configuration over all five vendors of a sandbox, as tenant `acme`, and over those of `others` as `other`.

    `server`: the beginning of that table.

    `cache`, `limits`, `feed` and `commands`: the members of that table of every account, as TOML. `more` stands at the
    end: its `[organizations.limits]` is that of `other`. Without `[commands]` in it, mutations wait for the end."""
    text = gateway_config(sandbox.base, sandbox.vendors.values())
    for other in others:
        whole = gateway_config(other.base, other.vendors.values())
        accounts = whole[whole.index("[[accounts]]") :]
        text += accounts.replace('key = "acme-', 'key = "other-').replace('"acme"', '"other"')
    text = text.replace('environment = "development"', f'environment = "{environment}"')
    text = text.replace("[server]", server)
    tables = {"cache": cache, "limits": limits, "feed": feed, "commands": commands}
    for table, members in tables.items():
        if members:
            text = text.replace("[accounts.credentials]", f"[accounts.{table}]\n{members}\n[accounts.credentials]")
    text += '\n[[organizations]]\nkey = "other"\nname = "Other Vending"\n'
    text += f'\n[store]\nurl = "{store or f"sqlite:///{folder}/vendgraph.db"}"\n'
    for key, role, organization in KEYS:
        text += f'\n[[auth.keys]]\nname = "{key[3:]}"\nsha256 = "{digest(key)}"\nrole = "{role}"\n'
        text += f'organizations = ["{organization}"]\n'
    return text + more + ("" if "[commands]" in more else PATIENT)


@contextmanager
def running_gateway(
    sandbox: Sandbox, folder: Path, *, pace: Pace = USUAL, patience: float = PATIENCE_SECONDS, **config: Any
) -> Iterator[Gateway]:
    """`config`: see `config_text`; `patience`: see `gateway.server.serving`."""
    path = folder / "vendgraph.toml"
    path.write_text(config_text(sandbox, folder, **config), encoding="utf-8")
    known = sandbox.requests().count(TEXTS)
    with start(create_app(load(path), pace), serving=partial(serving, patience=patience)) as server:
        _await_texts(sandbox, known)
        yield Gateway(server.base, server=server)


def _await_texts(sandbox: Sandbox, known: int) -> None:
    """A gateway asks for them by itself: once that is over, what is asked is asked for a test's own doing."""
    ends = time.monotonic() + SETTLING_SECONDS
    while "smartvend" in sandbox.vendors and not sandbox.is_broken("smartvend"):
        if sandbox.requests().count(TEXTS) > known:
            return
        assert time.monotonic() < ends, "the texts of events were not asked for"
        time.sleep(0.01)


def moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    assert found.tzinfo is not None
    return found.astimezone(UTC)
