"""Whether it is alive, whether it can serve, and how its accounts fare."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, make_url

from connectors.smartvend import parse
from domain.facts import Origin, recorded
from domain.model import AccountStatus, Trust, Vendor
from domain.times import utc_now
from gateway.health import Recorded
from journal.appending import NO_MEANINGS, Report
from journal.bus import Bus
from journal.journal import Journal
from tests.commanding import command, fleet, lost, of_vendor
from tests.deliveries import account
from tests.journals import bare, followed
from tests.running import Gateway, Sandbox, running_gateway
from tests.telling import smartvend, smartvend_sale

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


def test_it_counts_deliveries_by_what_became_of_them(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        sale = smartvend_sale()
        for body in (sale, sale, smartvend_sale(), {"neither": "a sale", "nor": "an event"}):
            assert smartvend(gateway.base, body).status_code == 200
        forged = httpx2.post(f"{gateway.base}/webhooks/acme-coffee", content=b"{}", headers={"x-signature": "AAAA"})
        assert forged.status_code == 401
        counted = samples(gateway, "vendgraph_webhooks", "account", "vendor", "outcome")
        head = samples(gateway, "vendgraph_journal_head")
    of_coffee = {outcome: value for (account, _, outcome), value in counted.items() if account == "acme-coffee"}
    assert of_coffee == {"accepted": 2, "duplicates": 1, "rejected": 1, "quarantined": 1}
    assert {(account, vendor) for account, vendor, _ in counted} == {
        ("acme-coffee", "smartvend"),
        ("acme-safety", "smartepi"),
        ("acme-fridges", "eatmachine"),
    }
    assert counted["acme-safety", "smartepi", "accepted"] == 0
    assert head == {(): 2}


def test_it_counts_commands_that_are_not_at_an_end(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        machines = fleet(gateway)
        coffee, fridge = of_vendor(machines, "SMARTVEND")[0]["id"], of_vendor(machines, "EATMACHINE")[0]["id"]
        before = samples(gateway, "vendgraph_commands", "account", "vendor", "status")
        command(gateway, "sendDeposit", machineId=coffee, amount="1")
        asked = [lost(gateway, sandbox, "sendDeposit", machineId=coffee, amount=amount) for amount in ("2", "3")]
        command(gateway, "openDoor", machineId=fridge)
        found = samples(gateway, "vendgraph_commands", "account", "vendor", "status")
        command(gateway, "resolveCommand", commandId=asked[0]["id"], outcome="FAILED", reason="nothing came")
        after = samples(gateway, "vendgraph_commands", "account", "vendor", "status")
    assert set(before.values()) == {0}
    assert {status for _, _, status in before} == {"PENDING", "SENT", "ACKNOWLEDGED", "UNKNOWN"}
    assert {("acme-coffee", "smartvend"), ("acme-fridges", "eatmachine")} <= {one[:2] for one in before}
    unknown = ("acme-coffee", "smartvend", "UNKNOWN")
    assert found == {**before, unknown: 2, ("acme-fridges", "eatmachine", "ACKNOWLEDGED"): 1}
    assert after == {**found, unknown: 1}


def report() -> Report:
    """Of one new sale."""
    raw = smartvend_sale()
    sale = parse.sale(account(Vendor.SMARTVEND), raw, Trust.SIGNED)
    fact = recorded(raw["saleId"], sale)
    return Report(account="acme-smartvend", facts=[fact], origin=Origin.WEBHOOK, received_at=utc_now())


def told(metrics: Recorded) -> dict[str, float]:
    return {sample.name: sample.value for metric in metrics.collect() for sample in metric.samples}


async def test_it_tells_how_far_this_process_is_behind_the_journal(store: Engine) -> None:
    journal = Journal(store, Bus(), NO_MEANINGS)
    metrics = Recorded(bare(journal))
    await journal.start()
    try:
        for _ in range(3):
            await journal.append(report())
        await metrics.read()
        assert told(metrics) == {"vendgraph_journal_head": 3, "vendgraph_journal_unread": 3}
        journal.follow()
        assert len(await followed(journal, 0, 3)) == 3
        await metrics.read()
        assert told(metrics) == {"vendgraph_journal_head": 3, "vendgraph_journal_unread": 0}
    finally:
        await journal.close()


def test_what_the_store_does_not_tell_is_left_out_of_the_metrics(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path) as gateway:
        assert smartvend(gateway.base, smartvend_sale()).status_code == 200
        assert "vendgraph_journal_head" in httpx2.get(f"{gateway.base}/metrics").text
        with closing(sqlite3.connect(tmp_path / "vendgraph.db")) as store:
            store.execute("ALTER TABLE webhook_counts RENAME TO away")
        shown = httpx2.get(f"{gateway.base}/metrics")
    assert shown.status_code == 200
    assert "vendgraph_account_status" in shown.text
    assert "vendgraph_journal_head" not in shown.text
    assert "vendgraph_webhooks" not in shown.text
    assert "vendgraph_commands" not in shown.text


def test_it_tells_how_long_requests_took_and_how_the_caches_fare(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        query = "{ machines(filter: {vendors: [LIVELLO]}) { totalCount } }"
        before = samples(gateway, "vendgraph_cache_reads", "account", "outcome")
        gateway.ask(query)
        once = samples(gateway, "vendgraph_cache_reads", "account", "outcome")
        gateway.ask(query)
        again = samples(gateway, "vendgraph_cache_reads", "account", "outcome")
        ages = samples(gateway, "vendgraph_list_age_seconds", "account", "list")
        answer = httpx2.get(f"{gateway.base}/metrics").text
    hit, miss = ("acme-kiosks", "hit"), ("acme-kiosks", "miss")
    assert once[miss] > before[miss]
    assert again[hit] > once[hit]
    assert again[miss] == once[miss]
    assert ("acme-kiosks", "machines") in ages
    assert ("acme-safety", "machines") not in ages
    families = {family.name: family for family in text_string_to_metric_families(answer)}
    of_kiosks = [
        one for one in families["vendgraph_vendor_request_seconds"].samples if one.labels["account"] == "acme-kiosks"
    ]
    asked = len(sandbox.requests("livello"))
    assert {one.value for one in of_kiosks if one.labels.get("le") == "+Inf"} == {asked}
    assert {one.value for one in of_kiosks if one.name.endswith("_count")} == {asked}
    buckets = [one.value for one in of_kiosks if one.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert next(one.value for one in of_kiosks if one.name.endswith("_sum")) > 0


def test_it_tells_which_accounts_are_left_alone_and_why(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path, cache="machines = 0\nstate = 0") as gateway:
        sandbox.break_("livello", "status", status=500)
        query = "{ machines(filter: {vendors: [LIVELLO]}) { totalCount sources { state } } }"
        before = samples(gateway, "vendgraph_vendor_breaker_open", "account", "reason")
        for _ in range(5):
            gateway.ask(query)
        after = samples(gateway, "vendgraph_vendor_breaker_open", "account", "reason")
    assert set(before.values()) == {0}
    assert after == {**before, ("acme-kiosks", "failing"): 1}
