"""Whether it is alive, whether it can serve, and how its accounts fare."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import make_url

from domain.model import AccountStatus
from tests.running import Gateway, Sandbox, running_gateway

Samples = dict[tuple[str, ...], float]


def samples(gateway: Gateway, name: str, *labels: str) -> Samples:
    """The values of a metric, by the values of some labels."""
    answer = httpx2.get(f"{gateway.base}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    return {tuple(one.labels[label] for label in labels): one.value for one in families[name].samples}


def test_it_is_alive_and_ready_without_a_key(gateway: Gateway) -> None:
    for path in ("healthz", "readyz"):
        for method in ("GET", "HEAD"):
            answer = httpx2.request(method, f"{gateway.base}/{path}")
            assert answer.status_code == 200
            assert answer.text == ("ok" if method == "GET" else "")


def test_it_is_not_ready_once_the_store_is_broken_but_alive(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path) as gateway:
        with closing(sqlite3.connect(tmp_path / "vendgraph.db")) as store:
            store.execute("ALTER TABLE api_keys RENAME TO away")
        answer = httpx2.get(f"{gateway.base}/readyz")
        assert (answer.status_code, answer.text) == (503, "the store does not answer")
        assert httpx2.get(f"{gateway.base}/healthz").status_code == 200
        assert gateway.ask("{ viewer { name } }")


def test_it_is_ready_again_when_the_store_is_back(
    shared_sandbox: Sandbox, tmp_path: Path, postgresql: str, postgresql_server: Callable[[str], None]
) -> None:
    name = make_url(postgresql).database
    with running_gateway(shared_sandbox, tmp_path, store=postgresql) as gateway:
        postgresql_server(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgresql_server(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608  our own name
        )
        assert httpx2.get(f"{gateway.base}/readyz").status_code == 503
        assert gateway.ask("{ viewer { name } }")
        postgresql_server(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert httpx2.get(f"{gateway.base}/readyz").status_code == 200


def test_it_is_ready_while_every_vendor_is_down(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    """Another process would fare no better, and what is known can still be served."""
    with running_gateway(shared_sandbox, tmp_path) as gateway:
        for vendor in shared_sandbox.vendors:
            shared_sandbox.break_(vendor, "status", status=500)
        found = gateway.ask("{ machines { totalCount sources { account { key } state } } }")["machines"]
        shared_sandbox.heal()
        states = {source["account"]["key"]: source["state"] for source in found["sources"]}
        assert states.pop("acme-fridges") == "FRESH"
        assert set(states.values()) == {"FAILED"}
        assert httpx2.get(f"{gateway.base}/readyz").status_code == 200


def test_it_counts_what_it_asked_of_each_account(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        sandbox.break_("smartvend", "status", operation="products", status=404)
        gateway.ask("{ products { nodes { name } sources { state } } machines { totalCount } }")
        counted = samples(gateway, "vendgraph_vendor_requests", "account", "outcome")
    asked = {vendor: len(sandbox.requests(vendor)) for vendor in sandbox.vendors}
    assert counted[("acme-coffee", "vendor_rejected")] == 1
    assert sum(value for (account, _), value in counted.items() if account == "acme-coffee") == asked["smartvend"]
    assert counted[("acme-kiosks", "ok")] == asked["livello"]
    assert not any(account == "acme-fridges" for account, _ in counted)


def test_it_tells_the_one_status_of_each_account(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        before = samples(gateway, "vendgraph_account_status", "account", "vendor", "status")
        gateway.ask("{ machines { totalCount } }")
        after = samples(gateway, "vendgraph_account_status", "account", "vendor", "status")
    assert {status for _, _, status in before} == {status.value for status in AccountStatus}
    assert before[("acme-kiosks", "livello", "UNKNOWN")] == 1
    assert after[("acme-kiosks", "livello", "UNKNOWN")] == 0
    assert after[("acme-kiosks", "livello", "OK")] == 1
    assert sum(after.values()) == 5


def test_it_tells_what_is_left_of_a_budget(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        gateway.ask("{ machines(filter: {vendors: [LIVELLO]}) { totalCount } }")
        left = samples(gateway, "vendgraph_vendor_budget_remaining", "account")
    assert ("acme-coffee",) not in left
    assert 900 < left[("acme-kiosks",)] < 1000
