"""Webhooks over HTTP: what is answered to what, and what becomes of it."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from connectors.smartvend.canonical import canonical
from gateway.app import create_app
from gateway.settings import load
from journal import log
from journal.appending import Illegible
from journal.store import open_store
from sandbox.eatmachine_fridges import URL_SECRET
from sandbox.server import start
from sandbox.smartepi import WEBHOOK
from sandbox.smartvend_hooks import WEBHOOK_PUBLIC_KEY
from tests.gateways import config, counted
from tests.journals import identities, writer
from tests.processes import vendgraph
from tests.running import CLIENT, Gateway
from tests.telling import SMARTVEND_KEY, smartepi, smartvend_sale

NEWER = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
LARGEST = 1024 * 1024


@pytest.fixture
def counts(gateway: Gateway) -> dict[str, int]:
    """What was added to the counts of SmartVend's account, once the test has looked."""
    before = counted(gateway)

    class Added(dict[str, int]):
        def __missing__(self, name: str) -> int:
            return counted(gateway)[name] - before[name]

    return Added()


def signed(raw: bytes, key: Ed25519PrivateKey = SMARTVEND_KEY) -> dict[str, str]:
    return {"x-signature": b64encode(key.sign(canonical(raw))).decode()}


def post(gateway: Gateway, path: str, raw: bytes | Iterator[bytes], **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return CLIENT.post(f"{gateway.base}/webhooks/{path}", content=raw, headers=named)


def deliver(gateway: Gateway, body: Any, path: str = "acme-coffee", **headers: str) -> httpx2.Response:
    raw = json.dumps(body).encode()
    return post(gateway, path, raw, **signed(raw), **headers)


def test_what_is_recorded_is_answered_200_and_so_is_a_repeat(gateway: Gateway, counts: dict[str, int]) -> None:
    sale = smartvend_sale()
    answers = [deliver(gateway, sale) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert (counts["accepted"], counts["duplicates"]) == (1, 2)


def test_the_same_sale_in_other_words_is_a_repeat(gateway: Gateway, counts: dict[str, int]) -> None:
    sale = smartvend_sale()
    deliver(gateway, sale)
    assert deliver(gateway, sale | {"income": "999", "more": [1]}).status_code == 200
    assert (counts["accepted"], counts["duplicates"]) == (1, 1)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param({}, id="no signature"),
        pytest.param({"x_signature": ""}, id="an empty one"),
        pytest.param({"x_signature": "AAAA"}, id="a short one"),
        pytest.param({"x_signature": "*?*"}, id="no base64"),
        pytest.param({"x_signature": b64encode(bytes(64)).decode()}, id="another"),
        pytest.param({"authorization": "Bearer vg_admin-of-acme"}, id="an API key in its place"),
    ],
)
def test_a_forged_one_is_refused_and_counted(gateway: Gateway, counts: dict[str, int], forged: dict[str, str]) -> None:
    answer = post(gateway, "acme-coffee", json.dumps(smartvend_sale()).encode(), **forged)
    assert answer.status_code == 401
    assert (counts["rejected"], counts["accepted"]) == (1, 0)


def test_a_changed_body_is_refused(gateway: Gateway, counts: dict[str, int]) -> None:
    raw = json.dumps(smartvend_sale()).encode()
    assert post(gateway, "acme-coffee", raw.replace(b'"250"', b'"2500"'), **signed(raw)).status_code == 401
    assert counts["rejected"] == 1


def test_what_is_signed_for_one_account_is_nothing_at_anothers_address(gateway: Gateway) -> None:
    assert deliver(gateway, smartvend_sale(), "acme-safety").status_code == 401
    assert smartepi(gateway.base, {"type": "webhook.test"}, WEBHOOK["secret"], "acme-coffee").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "nobody",
        "acme-kiosks",  # a vendor without webhooks
        "acme-coffee/machine/token",
        "acme-fridges",
        "acme-coffee%00",
        "..%2fgraphql",
    ],
)
def test_where_no_webhook_is_there_is_nothing(gateway: Gateway, path: str) -> None:
    assert deliver(gateway, smartvend_sale(), path).status_code == 404


def test_only_post_is_taken(gateway: Gateway) -> None:
    assert CLIENT.get(f"{gateway.base}/webhooks/acme-coffee").status_code == 405


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"saleId": }', b"nul", b'{"a": 1} {"b": 2}']
)
def test_what_is_no_json_is_told_so(gateway: Gateway, counts: dict[str, int], raw: bytes) -> None:
    assert post(gateway, "acme-coffee", raw, x_signature=b64encode(bytes(64)).decode()).status_code == 400
    assert counts["rejected"] == 1


@pytest.mark.parametrize("told", [True, False], ids=["its length is told", "in chunks"])
def test_what_is_too_large_is_refused(gateway: Gateway, counts: dict[str, int], told: bool) -> None:
    raw = b'"' + b"x" * (LARGEST - 2) + b'"'
    whole = raw + b" "
    answer = post(gateway, "acme-coffee", whole if told else iter([whole[:1000], whole[1000:]]), x_signature="AAAA")
    assert answer.status_code == 413
    assert counts["rejected"] == 1
    assert post(gateway, "acme-coffee", raw, **signed(raw)).status_code == 200


def test_a_large_one_that_is_genuine_is_kept_whole(gateway: Gateway, counts: dict[str, int]) -> None:
    sale = smartvend_sale(note="x" * 900_000)
    assert deliver(gateway, sale).status_code == 200
    assert counts["accepted"] == 1


def test_a_test_is_taken_and_counted_and_tells_nothing(gateway: Gateway) -> None:
    before = counted(gateway, "acme-safety")
    assert smartepi(gateway.base, {"type": "webhook.test"}, WEBHOOK["secret"]).status_code == 200
    assert smartepi(gateway.base, {"type": "webhook.test"}, WEBHOOK["secret"]).status_code == 200
    assert counted(gateway, "acme-safety")["accepted"] == before["accepted"] + 2


def test_a_fridges_address_is_its_own(gateway: Gateway) -> None:
    body = {"type": "heartbeat", "fridge": {"uuid": "f1"}}
    assert post(gateway, "acme-fridges/f1/0000", json.dumps(body).encode()).status_code == 401
    assert post(gateway, f"acme-fridges/f1/{URL_SECRET}", json.dumps(body).encode()).status_code == 401


@pytest.mark.parametrize(
    "body", [{"hello": 1}, [], "text", None, {"saleId": None}, {"saleId": {"a": 1}}, smartvend_sale(createdAt="x")]
)
def test_what_is_genuine_and_cannot_be_read_is_kept_and_taken(
    gateway: Gateway, counts: dict[str, int], body: Any
) -> None:
    assert deliver(gateway, body).status_code == 200
    assert (counts["accepted"], counts["quarantined"], counts["rejected"]) == (0, 1, 0)
    assert deliver(gateway, body).status_code == 200
    assert (counts["quarantined"], counts["duplicates"]) == (1, 1)


def test_words_that_no_database_takes_are_taken_nevertheless(gateway: Gateway, counts: dict[str, int]) -> None:
    """Half a character, and a NUL: whether they can be kept as they are is ours to look at."""
    for name in ("half \ud83d", "nul \0"):
        assert deliver(gateway, smartvend_sale(controllerHumanName=name)).status_code == 200
        assert deliver(gateway, smartvend_sale(saleId=name)).status_code == 200
    assert counts["accepted"] + counts["quarantined"] == 4


def served(folder: Path, text: str) -> Any:
    path = folder / "vendgraph.toml"
    path.write_text(text, encoding="utf-8")
    return start(create_app(load(path)))


def test_while_keys_rotate_both_are_good(tmp_path: Path) -> None:
    text = config(f"sqlite:///{tmp_path}/store.db")
    newer = NEWER.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()
    raw = json.dumps(smartvend_sale()).encode()
    wanted = (
        (f'"{WEBHOOK_PUBLIC_KEY}"', [200, 401]),
        (f'["{newer}", "{WEBHOOK_PUBLIC_KEY}"]', [200, 200]),
        (f'"{newer}"', [401, 200]),
    )
    for keys, statuses in wanted:
        with served(tmp_path, text.replace(f'"{WEBHOOK_PUBLIC_KEY}"', keys)) as server:
            gateway = Gateway(server.base)
            found = [post(gateway, "acme-coffee", raw, **signed(raw, key)) for key in (SMARTVEND_KEY, NEWER)]
            assert [answer.status_code for answer in found] == statuses


async def test_what_was_kept_is_replayed_once_it_can_be_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    sale = smartvend_sale()
    with served(tmp_path, config(url)) as server:
        assert deliver(Gateway(server.base), {"hello": 1}).status_code == 200
    store = open_store(url)
    with writer(store) as one:  # as an older version would have kept it, that could not read it
        await one.append(_kept(sale, datetime.now(UTC)))
        await one.append(_kept(smartvend_sale(), datetime(2020, 1, 1, tzinfo=UTC)))
    found = vendgraph("replay", "--config", tmp_path / "vendgraph.toml", "--from", "2020-01-01T00:00:01Z")
    assert [line.split("  ")[::2] for line in found.stdout.splitlines()] == [
        ["acme-coffee", "neither a sale nor an event"],
        ["acme-coffee", "read"],
    ]
    assert found.returncode == 1
    assert identities(log.after(store, 0, 10).entries) == [sale["saleId"]]
    again = vendgraph("replay", "--config", tmp_path / "vendgraph.toml", "--from", "2020-01-01 00:00:01")
    assert "read" not in again.stdout.splitlines()[-1].split("  ")
    assert len(again.stdout.splitlines()) == 1
    whole = vendgraph("replay", "--config", tmp_path / "vendgraph.toml", "--from", "2019-12-31T23:00:00-05:00")
    assert len(whole.stdout.splitlines()) == 1
    whole = vendgraph("replay", "--config", tmp_path / "vendgraph.toml", "--from", "2020-01-01T02:00:00+02:00")
    assert len(whole.stdout.splitlines()) == 2
    assert len(identities(log.after(store, 0, 10).entries)) == 2
    store.dispose()


def _kept(sale: dict[str, Any], at: datetime) -> Illegible:
    body = orjson.dumps(sale)
    return Illegible(
        key=sale["saleId"],
        account="acme-coffee",
        machine=None,
        received_at=at,
        headers=b"{}",
        body=body,
        signed=body,
        reason="an older version could not read it",
    )


def test_what_is_no_time_is_refused(tmp_path: Path) -> None:
    found = vendgraph("replay", "--config", tmp_path / "none.toml", "--from", "yesterday")
    assert found.returncode == 2
    assert "2026-01-31T12:00:00Z" in found.stderr
