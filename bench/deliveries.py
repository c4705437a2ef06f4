"""Webhooks: deliveries verified, committed and answered per second, with commits shared and with one for each."""

import json
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.machine import cpu_seconds
from bench.measured import Measured
from bench.processes import GATEWAY, ROOT, Gateway, running
from connectors.base import Account, Secret, WebhookCredentials
from connectors.reporting import Delivery
from connectors.smartvend import hooks
from connectors.smartvend.canonical import canonical
from domain.model import Vendor

ACCOUNT = "acme-coffee"
BITS = 2048
CONNECTIONS = 64
AT_ONCE = 1_500  # deliveries in a round
ROUNDS = 2
UNGROUPED = ("-m", "bench.ungrouped")
WEBHOOK = "{ accounts { key webhook { accepted duplicates rejected quarantined } } }"

Signed = tuple[str, str]  # a body and its signature


def sale() -> str:
    """As long as the documents' sample: some 800 bytes."""
    now = int(time.time())
    body = {
        "controllerId": "7d0c8d64-2c2e-4f7b-8d0a-0f0f6f2d9b10",
        "controllerHumanName": "Кофе, 2-й этаж",
        "controllerSerialNumber": "SN-00017",
        "controllerType": "coffee",
        "controllerLocation": "Rua das Flores 1",
        "controllerNameForReport": None,
        "controllerCity": "Porto",
        "controllerTimezone": "Europe/Lisbon",
        **dict.fromkeys(("bill", "digital", "remotePayment", "remoteDeposit", "balance"), "0"),
        **dict.fromkeys(("insertedMoney", "coin"), "250"),
        **dict.fromkeys(("totalPrice", "income"), "200"),
        "change": "50",
        "saleId": str(uuid4()),
        "controllerCreatedAt": now - 10,
        "createdAt": now,
        "paymentTypes": ["coin"],
        "quantity": 1,
        "products": [{"productId": str(uuid4()), "name": "Эспрессо", "quantity": 1, "price": "200", "position": 3}],
    }
    return json.dumps(body, ensure_ascii=False)


def signed(key: RSAPrivateKey, body: str) -> Signed:
    signature = key.sign(canonical(body.encode()), PKCS1v15(), SHA256())
    return body, b64encode(signature).decode()


def spki(key: RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()


def _verified(public_key: str, sent: Sequence[Signed]) -> Measured:
    """What of it is verifying and reading, in this process and with nothing else to do."""
    account = _account(public_key)
    keys = hooks.public_keys(account)
    blank = Delivery(headers={}, body=b"", received_at=datetime.now(UTC), machine=None)
    started = time.perf_counter()
    for body, signature in sent:
        delivery = replace(blank, headers={"x-signature": signature}, body=body.encode())
        hooks.facts(account, hooks.verify(keys, delivery), {})
    return Measured(answers=len(sent), seconds=time.perf_counter() - started)


def _account(public_key: str) -> Account:
    return Account(
        key=ACCOUNT,
        organization="acme",
        vendor=Vendor.SMARTVEND,
        name=ACCOUNT,
        base_url=None,
        currency="EUR",
        timezone=None,
        credentials={},
        webhook=WebhookCredentials(keys=(Secret(public_key),)),
    )


def _deliver(gateway: Gateway, sent: Sequence[Signed], into: Measured) -> None:
    before = cpu_seconds(gateway.pid)
    port = gateway.base.rpartition(":")[2]
    command = [sys.executable, "-m", "bench.deliver", port, ACCOUNT, str(CONNECTIONS)]
    done = subprocess.run(command, input=orjson.dumps(sent), stdout=subprocess.PIPE, check=True, cwd=ROOT)  # noqa: S603
    after = cpu_seconds(gateway.pid)
    outcome = orjson.loads(done.stdout)
    if outcome["failed"]:
        raise RuntimeError(f"{outcome['failed']} deliveries were refused")
    into.answers += len(outcome["milliseconds"])
    into.seconds += outcome["seconds"]
    into.cpu += 0.0 if before is None or after is None else after - before
    into.milliseconds += outcome["milliseconds"]


def _check(gateway: Gateway, measured: Measured) -> None:
    """What was answered was taken in."""
    counts = {account["key"]: account["webhook"] for account in gateway.ask(WEBHOOK)["accounts"]}[ACCOUNT]
    if counts != {"accepted": measured.answers, "duplicates": 0, "rejected": 0, "quarantined": 0}:
        raise RuntimeError(f"{measured.answers} were answered, but {counts}")


def main() -> None:
    key = generate_private_key(65537, BITS)
    rounds = [[signed(key, sale()) for _ in range(AT_ONCE)] for _ in range(ROUNDS)]
    sides = {"with commits shared, as served": GATEWAY, "with a commit for each": UNGROUPED}
    measured = {name: Measured() for name in sides}
    with ExitStack() as stack:
        gateways = {
            name: stack.enter_context(running(public_key=spki(key), program=program)) for name, program in sides.items()
        }
        for sent in rounds:
            for name, gateway in gateways.items():
                _deliver(gateway, sent, measured[name])
        for name, gateway in gateways.items():
            _check(gateway, measured[name])
    _show(measured, _verified(spki(key), rounds[0]))


def _show(measured: dict[str, Measured], alone: Measured) -> None:
    print(f"Deliveries per second: SmartVend's sales under RSA of {BITS} bits, verified, committed to SQLite, answered")
    print(f"One process takes them in, another sends them over {CONNECTIONS} connections")
    print(f"Reference: verifying and reading them alone, one after the other: {alone.per_second:.0f} per second")
    print(f"{'':<42}{'per s':>7}{'p50 ms':>8}{'p99 ms':>8}{'CPU ms':>8}{'of reference':>14}{'ratio':>7}")
    least = min(one.per_second for one in measured.values())
    for name, one in measured.items():
        print(f"{name:<42}{one.per_second:>7.0f}{one.percentile(0.5):>8.1f}{one.percentile(0.99):>8.1f}", end="")
        share = one.per_second / alone.per_second
        print(f"{one.cpu_milliseconds:>8.2f}{share:>14.2f}{one.per_second / least:>7.2f}")
