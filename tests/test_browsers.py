"""What pages in browsers may do, over HTTP and over WebSockets, in production and in development."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from domain.model import Role
from journal import keys
from journal.store import open_store
from tests.following import PROTOCOL
from tests.running import ADMIN, CLIENT, Gateway, Sandbox, running_gateway, running_sandbox

APP = "https://app.example.com"
EVIL = "https://evil.example.com"
KEY = {"authorization": f"Bearer {ADMIN}"}
QUERY = {"query": "{ viewer { name } }"}
SCHEMA = "{ __schema { queryType { name } } }"
SERVER = f'[server]\nallowed_origins = ["{APP}", "https://Other.example.com:8443/"]\npublic_url = "https://graph.example.com"'


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02, days=2) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def production(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("production")
    with running_gateway(shared_sandbox, folder, environment="production", server=SERVER) as gateway:
        yield gateway


def asked(gateway: Gateway, **headers: str) -> httpx2.Response:
    return CLIENT.post(f"{gateway.base}/graphql", json=QUERY, headers=KEY | headers)


def code(answer: httpx2.Response) -> str:
    (error,) = answer.json()["errors"]
    found: str = error["extensions"]["code"]
    return found


@pytest.mark.parametrize("origin", [APP, "https://app.example.com:443", "https://other.example.com:8443"])
def test_a_page_that_is_named_may_ask_and_read(origin: str, production: Gateway) -> None:
    answer = asked(production, origin=origin, **{"sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == origin
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers
    preflight = CLIENT.options(
        f"{production.base}/graphql",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert preflight.headers["access-control-allow-headers"] == "authorization, content-type"


@pytest.mark.parametrize(
    "origin",
    [
        EVIL,
        "null",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://app.example.com:444",
        "https://evilapp.example.com",
        "file://",
        "http://localhost:5173",
        "https://app.example.com:0",
        "chrome-extension://abcdef",
    ],
)
def test_another_page_may_not(origin: str, production: Gateway) -> None:
    for method in ("POST", "GET", "OPTIONS"):
        answer = CLIENT.request(
            method,
            f"{production.base}/graphql",
            params=QUERY if method == "GET" else None,
            json=QUERY if method == "POST" else None,
            headers=KEY | {"origin": origin, "access-control-request-method": "POST"},
        )
        assert (answer.status_code, code(answer)) == (403, "FORBIDDEN")
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_what_no_script_of_a_page_sent_is_not_answered(production: Gateway) -> None:
    """An image, a form or a link elsewhere: the answer to the last is that a key is missing."""
    url = f"{production.base}/graphql"
    for site in ("cross-site", "same-site"):
        for how in ({"sec-fetch-mode": "no-cors"}, {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}):
            answer = CLIENT.get(url, params=QUERY, headers={"sec-fetch-site": site, **how})
            assert (answer.status_code, code(answer)) == (403, "FORBIDDEN")
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert CLIENT.get(url, params=QUERY, headers=link).status_code == 401
    assert CLIENT.get(url, params=QUERY, headers=KEY | {"sec-fetch-site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_what_a_form_can_send_is_not_read(media: str | None, production: Gateway) -> None:
    headers = KEY if media is None else KEY | {"content-type": media}
    answer = CLIENT.post(f"{production.base}/graphql", content=b'{"query": "{ viewer { name } }"}', headers=headers)
    assert answer.status_code == 415


def test_a_page_of_this_very_gateway_may_ask(production: Gateway, gateway: Gateway) -> None:
    assert asked(production, origin=production.base).status_code == 200
    assert asked(production, origin="https://graph.example.com").status_code == 200
    assert asked(gateway, origin="http://localhost:5173").status_code == 200
    assert asked(gateway, origin=EVIL).status_code == 403
    assert asked(gateway, origin="http://[::1]evil").status_code == 403


async def opened(gateway: Gateway, origin: str | None) -> int:
    """The status of the answer to the upgrade."""
    url = gateway.base.replace("http", "ws") + "/graphql"
    try:
        async with connect(
            url, subprotocols=[Subprotocol(PROTOCOL)], origin=None if origin is None else Origin(origin)
        ):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def test_a_socket_is_opened_by_who_may_ask(production: Gateway, gateway: Gateway) -> None:
    for origin in (None, APP, production.base):
        assert await opened(production, origin) == 101
    for origin in (EVIL, "null", "http://localhost:5173"):
        assert await opened(production, origin) == 403
    assert await opened(gateway, "http://127.0.0.1:3000") == 101
    assert await opened(gateway, EVIL) == 403


@pytest.mark.parametrize("path", ["/graphql", "/healthz", "/metrics", "/nowhere"])
def test_every_answer_says_what_a_browser_is_to_mind(path: str, production: Gateway) -> None:
    told: Mapping[str, str] = CLIENT.get(production.base + path).headers
    assert told["x-content-type-options"] == "nosniff"
    assert told["referrer-policy"] == "no-referrer"
    assert told["x-frame-options"] == "DENY"
    assert told["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert told["cross-origin-resource-policy"] == "same-origin"
    assert ("cache-control" in told) == (path == "/graphql")
    assert "server" not in told
    assert "strict-transport-security" not in told


def test_only_a_proxy_that_is_trusted_is_believed(shared_sandbox: Sandbox, gateway: Gateway, tmp_path: Path) -> None:
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}
    assert "strict-transport-security" not in asked(gateway, **forwarded).headers
    server = '[server]\ntrusted_proxies = ["127.0.0.0/8"]'
    with running_gateway(shared_sandbox, tmp_path, server=server) as behind:
        assert "strict-transport-security" in asked(behind, **forwarded).headers


def test_the_schema_is_shown_to_who_has_the_right_to_it(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path}/vendgraph.db")
    key, _ = keys.create(engine, name="ci", role=Role.VIEWER, organizations=["acme"], introspection=True)
    engine.dispose()
    with running_gateway(shared_sandbox, tmp_path, environment="production") as gateway:
        for _ in range(2):  # what is remembered of a document is remembered for each
            assert "errors" in gateway.post(SCHEMA).json()
            assert gateway.ask(SCHEMA, key=key) == {"__schema": {"queryType": {"name": "Query"}}}
        wrong = gateway.post("{ machinez { nodes { id } } }", key=key)
        assert "Did you mean" not in wrong.text
