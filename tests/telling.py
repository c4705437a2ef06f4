"""Deliveries as the vendors sign them, for the accounts of the sandbox."""

import hmac
import json
import time
from base64 import b64encode
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.smartvend.canonical import canonical
from sandbox.eatmachine_fridges import URL_SECRET
from tests.running import CLIENT

SMARTVEND_KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)  # of the sandbox's public key


def smartvend_sale(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    known = {
        "saleId": str(uuid4()),
        "controllerId": str(uuid4()),
        "controllerHumanName": "Кофе №1",
        "controllerSerialNumber": "100200",
        "controllerType": "coffee",
        "controllerLocation": None,
        "controllerNameForReport": None,
        "controllerCity": None,
        "controllerTimezone": "Europe/Lisbon",
        "insertedMoney": "250",
        "bill": "0",
        "coin": "250",
        "digital": "0",
        "remotePayment": "0",
        "remoteDeposit": "0",
        "paymentTypes": ["coin"],
        "quantity": 1,
        "totalPrice": "250",
        "income": "250",
        "balance": "0",
        "change": "0",
        "products": [{"productId": None, "name": "Espresso", "quantity": 1, "price": "250", "position": 3}],
        "createdAt": now,
        "controllerCreatedAt": now - 2,
    }
    return known | changed


def signed(body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """A delivery of SmartVend: what is sent, and its headers."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    signature = b64encode(SMARTVEND_KEY.sign(canonical(raw))).decode()
    return raw, {"content-type": "application/json", "x-signature": signature}


def smartvend(base: str, body: dict[str, Any], account: str = "acme-coffee") -> httpx2.Response:
    raw, headers = signed(body)
    return CLIENT.post(f"{base}/webhooks/{account}", content=raw, headers=headers)


def smartepi(base: str, body: dict[str, Any], secret: str, account: str = "acme-safety") -> httpx2.Response:
    raw = json.dumps(body).encode()
    at = int(time.time())
    mac = hmac.new(secret.encode(), f"{at}.".encode() + raw, sha256).hexdigest()
    headers = {"content-type": "application/json", "x-smartepi-signature": f"t={at},v1={mac}"}
    return CLIENT.post(f"{base}/webhooks/{account}", content=raw, headers=headers)


def fridge(base: str, native: str, body: dict[str, Any], account: str = "acme-fridges") -> httpx2.Response:
    """What a fridge of EatMachine reports, to its own address."""
    token = hmac.digest(URL_SECRET.encode(), f"{account}/{native}".encode(), "sha256").hex()
    return CLIENT.post(f"{base}/webhooks/{account}/{native}/{token}", content=json.dumps(body).encode())
