"""Deliveries for tests: those of the fixtures, and accounts that take them."""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from connectors.base import Account, Secret, WebhookCredentials
from connectors.reporting import Delivery
from domain.model import Vendor

WEBHOOKS = Path(__file__).parent / "fixtures" / "webhooks"
NOW = datetime(2024, 5, 6, 12, 30, tzinfo=UTC)
CREDENTIALS = {"organization_key": Secret("o"), "api_key": Secret("a")}


def account(vendor: Vendor, *keys: str, prices: Mapping[str, Decimal] | None = None, **webhook: Any) -> Account:
    return Account(
        key=f"acme-{vendor.value}",
        organization="acme",
        vendor=vendor,
        name="Acme",
        base_url="http://vendor.test/v1",
        currency="EUR",
        timezone=None,
        credentials=CREDENTIALS,
        webhook=WebhookCredentials(keys=[Secret(key) for key in keys], **webhook) if keys else None,
        prices=prices or {},
    )


def vectors(vendor: str) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
    """The keys, and the deliveries with `raw` as bytes."""
    lines = (WEBHOOKS / f"{vendor}.jsonl").read_text(encoding="ascii").splitlines()
    keys, *rows = map(json.loads, lines)
    return keys, [row | {"raw": b64decode(row["raw"])} for row in rows]


def sample(name: str) -> bytes:
    """Such as "smartvend/sale"."""
    return (WEBHOOKS / f"{name}.json").read_bytes()


def delivery(
    body: bytes, *, at: datetime = NOW, machine: str | None = None, token: str | None = None, **headers: str
) -> Delivery:
    """Headers by name, with underscores for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Delivery(headers=named, body=body, received_at=at, machine=machine, token=token)
