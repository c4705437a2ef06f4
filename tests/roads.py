"""Questions that go by the short road or by the long one, and what both are compared by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import httpx2

from gateway.buckets import Bucket
from gateway.graphql import Endpoint
from gateway.server import Config
from tests.running import ADMIN, CLIENT, Gateway

FLEET = "{ machines(first: 5) { nodes { name slots { position product { name } } } } }"
SALES = "{ sales(first: 3) { nodes { id person { name } payments { reference } vendorData } } }"
TENANTS = "{ organizations(first: 2) { nodes { name } } machines(first: 2) { nodes { organization { name } } } }"
MACHINE = "query ($id: ID!) { machine(id: $id) { name } }"
OWN = {"x-request-id", "date", "ratelimit"}  # of each request
LONG = {"traceparent": "00-11111111111111111111111111111111-2222222222222222-01"}  # as tracing proxies send it


Both = tuple[httpx2.Response, httpx2.Response]


@dataclass(frozen=True)
class Question:
    query: str
    variables: Mapping[str, Any] | None = None
    by: str = "POST"
    key: str = ADMIN
    accept: str = "*/*"

    def ask(self, gateway: Gateway, **more: str) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.key}", "accept": self.accept, **more}
        if self.by == "POST":
            body = {"query": self.query, "variables": self.variables}
            return CLIENT.post(f"{gateway.base}/graphql", json=body, headers=headers)
        told = {"extensions": json.dumps(self.naming), "variables": json.dumps(self.variables)}
        return CLIENT.get(f"{gateway.base}/graphql?{urlencode(told)}", headers=headers)

    @property
    def naming(self) -> Mapping[str, Any]:
        return {"persistedQuery": {"version": 1, "sha256Hash": sha256(self.query.encode()).hexdigest()}}

    def name(self, gateway: Gateway) -> httpx2.Response:
        body = {"query": self.query, "variables": self.variables, "extensions": self.naming}
        return CLIENT.post(f"{gateway.base}/graphql", json=body, headers={"authorization": f"Bearer {self.key}"})

    def learn(self, gateway: Gateway) -> None:
        self.name(gateway)
        for _ in range(3):
            self.ask(gateway)

    def both(self, gateway: Gateway, more: Mapping[str, str] | None = None, *, short: bool = True) -> Both:
        """By the short road, and by the long one. `short`: whether the former is taken at all."""
        there = endpoint(gateway)
        made = there.made
        by_short = self.ask(gateway, **more or {})
        assert there.made == made + short
        by_long = self.ask(gateway, **more or {}, **LONG)
        assert there.made == made + short
        return by_short, by_long


def endpoint(gateway: Gateway) -> Endpoint:
    assert gateway.server is not None
    config = gateway.server.server.config
    assert isinstance(config, Config)
    assert config.road is not None
    return config.road.endpoint


def shown(answer: httpx2.Response) -> tuple[int, Mapping[str, str], str]:
    """But for its own id, wherever that stands."""
    told = {name: value for name, value in answer.headers.items() if name not in OWN}
    assert answer.headers.keys() >= {"x-request-id", "date"}
    return answer.status_code, told, answer.text.replace(answer.headers["x-request-id"], "its own")


def bucket(gateway: Gateway, key: str) -> Bucket:
    return endpoint(gateway)._admission._buckets.of(key[3:])
