"""The emulated Livello's users, called as a connector would call it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.livello import SCOPES, Livello
from sandbox.livello_gate import CREDENTIALS
from sandbox.world import World

NEEDED: dict[str, Any] = {
    "email": "zoe@customers.example",
    "firstName": "Zoe",
    "lastName": "Zander",
    "organizationId": 2,
    "status": "ACTIVE",
    "lang": "de",
}


@asynccontextmanager
async def signed_in(vendor: Livello) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=[Mount("/livello", routes=vendor.routes())])
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox/livello/api/v1") as client:
        answer = await client.post("/auth/token", json={**CREDENTIALS, "grant_type": "client_credentials"})
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in(Livello(World(scale=0.02, days=2))) as client:
        yield client


async def test_users_come_in_pages_ordered_and_narrowed(client: httpx2.AsyncClient) -> None:
    first = (await client.get("/users", params={"limit": 10})).json()
    second = (await client.get("/users", params={"limit": 10, "skip": 10})).json()
    assert first["total"] == second["total"] > 20
    names = [row["firstName"] for row in (*first["data"], *second["data"])]
    assert names == sorted(names)
    down = (await client.get("/users", params={"sort": -1, "sortBy": "updated", "limit": 100})).json()["data"]
    assert [row["updated"] for row in down] == sorted((row["updated"] for row in down), reverse=True)
    part = (await client.get("/users", params={"name": "da al"})).json()["data"]
    assert [row["lastName"] for row in part] == ["Albers", "Albers"]  # Ada and Ida
    admins = (await client.get("/users", params={"role": "admin", "limit": 100})).json()["data"]
    assert {row["rolesInOrganizations"][0]["role"] for row in admins} == {"admin"}


async def test_only_customers_are_made(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/users", json=NEEDED)
    made = answer.json()
    assert answer.status_code == 201
    assert made["rolesInOrganizations"][0]["role"] == "consumer"
    assert (await client.get(f"/users/{made['id']}")).json() == made
    assert (await client.post("/users", json=NEEDED)).status_code == 400  # the e-mail is taken


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in NEEDED),
        {"email": "zoe"},
        {"firstName": ""},
        {"firstName": 7},
        {"organizationId": "2"},
        {"organizationId": 999},
        {"organizationId": True},
        {"status": "active"},
        {"lang": "pt"},
        {"role": "admin"},
        {"membercards": "MC-1"},
        {"membercards": [1]},
        {"address": {"street": "A"}},
        {"address": {"city": 1}},
    ],
    ids=str,
)
async def test_what_the_documents_do_not_allow_is_refused(client: httpx2.AsyncClient, change: dict[str, Any]) -> None:
    before = (await client.get("/users")).json()["total"]
    body = {name: value for name, value in (NEEDED | change).items() if value is not None}
    assert (await client.post("/users", json=body)).status_code == 400
    assert (await client.get("/users")).json()["total"] == before


async def test_a_user_is_changed_in_part(client: httpx2.AsyncClient) -> None:
    before = (await client.get("/users/3")).json()
    answer = await client.patch("/users/3", json={"note": "n"})
    assert answer.status_code == 200
    assert answer.json() == before | {"note": "n", "updated": answer.json()["updated"]}
    assert (await client.patch("/users/3", json={"organizationId": 1})).status_code == 400
    assert (
        await client.patch("/users/3", json={"email": (await client.get("/users/4")).json()["email"]})
    ).status_code == 400
    assert (await client.patch("/users/999", json={"note": "n"})).status_code == 404
    assert (await client.patch("/users/x", json={"note": "n"})).status_code == 400
    assert (await client.delete("/users/3")).status_code == 404


@pytest.mark.parametrize(
    ("scope", "method"), [("users:read", "GET"), ("users:write", "POST"), ("users:write", "PATCH")]
)
async def test_each_needs_its_scope(scope: str, method: str) -> None:
    scopes = " ".join(one for one in SCOPES.split() if one != scope)
    async with signed_in(Livello(World(scale=0.02, days=2), scopes=scopes)) as client:
        path = "/users" if method == "POST" else "/users/3"
        answer = await client.request(method, path, json=None if method == "GET" else NEEDED)
        assert (answer.status_code, scope in answer.json()["detail"]) == (403, True)
