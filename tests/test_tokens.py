"""Tokens of an issuer: who they let in, whom they do not, and what becomes of it when the issuer's keys change."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from starlette.responses import Response

from connectors.http import new_client
from domain.errors import Unauthenticated
from domain.model import Role
from gateway.issuers import JwtSettings
from gateway.jwks import AGAIN, FRESH, STALE, KeySet
from gateway.streams import Pace
from gateway.tokens import EXPIRED, NO_ORGANIZATION, NO_ROLE, Tokens
from tests.following import SALES, Socket, events
from tests.issuing import (
    AUDIENCE,
    EC_KEY,
    ED_KEY,
    ISSUER,
    OTHER_RSA_KEY,
    RSA_KEY,
    SIGNING,
    SMALL_RSA_KEY,
    Issuer,
    forgeries,
    issuing,
    jwk,
    token,
)
from tests.running import CLIENT, Gateway, Sandbox, running_gateway, running_sandbox
from tests.scripted import Clock

ACME = frozenset({"acme"})
TENANT = "https://example.com/tenant"
FORGED = sorted(forgeries("http://127.0.0.1:9"))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with new_client() as client:
        yield client


def settings(issuer: Issuer, **changed: Any) -> JwtSettings:
    told = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": issuer.jwks_url}
    return JwtSettings.model_validate(told | changed)


def tokens(issuer: Issuer, client: httpx2.AsyncClient, clock: Clock | None = None, **changed: Any) -> Tokens:
    return Tokens([settings(issuer, **changed)], ["acme", "other"], client, clock or Clock())


async def refusal(asked: Tokens, text: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        await asked.viewer(text)
    return refused.value.message


@pytest.mark.parametrize("algorithm", SIGNING)
async def test_a_token_is_who_it_says(algorithm: str, issuer: Issuer, client: httpx2.AsyncClient) -> None:
    found = await tokens(issuer, client).viewer(token(algorithm))
    assert (found.name, found.role, found.organizations) == ("jwt:user-17", Role.OPERATOR, ACME)
    assert not found.introspection


async def test_claims_mean_what_the_configuration_says(issuer: Issuer, client: httpx2.AsyncClient) -> None:
    asked = tokens(
        issuer,
        client,
        name="login",
        name_claim="client_id",
        role_claim="realm_access.roles",
        roles={"vending-staff": "operator", "vending-boss": "admin"},
        organizations_claim=TENANT,
        organizations={"17": "acme", "all": ["*"]},
        audience=["another", AUDIENCE],
        introspection=True,
    )
    roles = {"roles": ["x", "vending-boss", "vending-staff"]}

    def of(tenant: Any) -> str:
        return token(client_id="shop", realm_access=roles, role="viewer", **{TENANT: tenant})

    found = await asked.viewer(of("17"))
    assert (found.name, found.role, found.organizations) == ("login:shop", Role.ADMIN, ACME)
    assert found.introspection
    every = await asked.viewer(of(["all", 5, None]))
    assert every.organizations == {"acme", "other"}
    assert await refusal(asked, of(["acme", "*"])) == NO_ORGANIZATION
    assert await refusal(asked, token(client_id="shop", realm_access={"roles": ["operator"]})) == NO_ROLE


async def test_clocks_may_be_off_by_the_leeway(issuer: Issuer, client: httpx2.AsyncClient) -> None:
    now = int(time.time())
    assert await tokens(issuer, client).viewer(token(exp=now - 30, nbf=now + 30, iat=now + 30))
    assert await refusal(tokens(issuer, client, leeway_seconds=0), token(exp=now - 30)) == EXPIRED


async def test_an_algorithm_that_is_not_configured_is_refused(issuer: Issuer, client: httpx2.AsyncClient) -> None:
    asked = tokens(issuer, client, algorithms=["ES256"])
    assert await asked.viewer(token("ES256"))
    assert await refusal(asked, token("RS256"))


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02, days=2) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def stolen() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, stolen: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    more = f'[auth.jwt]\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\njwks_url = "{stolen.jwks_url}"\n'
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("jwt"), more=more) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def forged(stolen: Issuer) -> Mapping[str, str]:
    return forgeries(stolen.base)


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_token_is_refused_as_a_wrong_key_is(
    what: str, gateway: Gateway, stolen: Issuer, forged: Mapping[str, str]
) -> None:
    assert gateway.post("{ viewer { name } }", key=token()).status_code == 200
    text = forged[what]
    answer = CLIENT.post(
        f"{gateway.base}/graphql", json={"query": "{ viewer { name } }"}, headers={"authorization": f"Bearer {text}"}
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED"}
    assert "data" not in answer.json()
    assert stolen.asked < 1000, "an address that a token named was asked"


def test_a_token_asks_beside_keys(gateway: Gateway) -> None:
    viewer = "{ viewer { name role organizations { name } } }"
    assert gateway.ask(viewer, key=token("EdDSA", role="viewer"))["viewer"] == {
        "name": "jwt:user-17",
        "role": "VIEWER",
        "organizations": [{"name": "Acme Vending"}],
    }
    assert gateway.ask(viewer)["viewer"]["name"] == "admin-of-acme"


async def test_streams_end_with_the_token(
    shared_sandbox: Sandbox, stolen: Issuer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    more = f'[auth.jwt]\nissuer = "{ISSUER}"\naudience = "{AUDIENCE}"\njwks_url = "{stolen.jwks_url}"\n'
    pace = Pace(recheck=0.1, alive=0.1)
    folder = tmp_path_factory.mktemp("ending")
    with running_gateway(shared_sandbox, folder, pace=pace, more=more + "leeway_seconds = 0\n") as gateway:
        short = token(exp=int(time.time()) + 2)
        async with events(gateway, SALES, key=short) as stream, Socket(gateway, key=short) as socket:
            assert await stream.rest() == []
            assert await socket.closed() == (4403, "Forbidden")


async def test_keys_are_asked_for_once_for_all_who_wait(issuer: Issuer, client: httpx2.AsyncClient) -> None:
    asked = tokens(issuer, client)
    await asyncio.gather(*(asked.viewer(token(sub=f"user-{at}")) for at in range(20)))
    assert issuer.asked == 1


async def test_a_new_key_is_found_and_an_unknown_one_costs_a_question_a_minute(
    issuer: Issuer, client: httpx2.AsyncClient
) -> None:
    clock = Clock()
    asked = tokens(issuer, client, clock)
    assert await asked.viewer(token())
    for at in range(20):
        assert await refusal(asked, token(headers={"kid": f"new-{at}"}))
    assert issuer.asked == 1
    issuer.keys.append(jwk(RSA_KEY, kid="new-0"))
    clock.seconds += AGAIN
    assert await asked.viewer(token(headers={"kid": "new-0"}))
    for at in range(20):
        assert await refusal(asked, token(headers={"kid": f"newer-{at}"}))
    assert issuer.asked == 2


async def test_a_key_that_was_withdrawn_is_good_no_longer_than_it_is_kept(
    issuer: Issuer, client: httpx2.AsyncClient
) -> None:
    clock = Clock()
    asked = tokens(issuer, client, clock)
    assert await asked.viewer(token())
    issuer.keys = [jwk(EC_KEY, kid="e-1")]
    assert await asked.viewer(token())
    clock.seconds += FRESH + 1
    assert await refusal(asked, token())
    assert await asked.viewer(token("ES256"))


BAD = {
    "an error": Response("{}", 500),
    "no JSON": Response("<html>"),
    "no set": Response('{"key": []}'),
    "a list": Response("[]"),
    "too much": Response('{"keys": []' + " " * 300_000 + "}"),
    "too many": Response('{"keys": [' + "{}," * 100 + "{}]}"),
}


@pytest.mark.parametrize("what", BAD)
async def test_keys_stay_for_a_day_while_the_issuer_fails(
    what: str, issuer: Issuer, client: httpx2.AsyncClient
) -> None:
    clock = Clock()
    asked = tokens(issuer, client, clock)
    assert await asked.viewer(token())
    issuer.answer = BAD[what]
    for _ in range(3):
        clock.seconds += FRESH + 1
        assert await asked.viewer(token())
    assert issuer.asked == 4
    clock.seconds += STALE
    assert await refusal(asked, token())
    issuer.answer = None
    clock.seconds += AGAIN
    assert await asked.viewer(token())


async def test_an_issuer_that_is_not_there_lets_nobody_in_until_it_is(client: httpx2.AsyncClient) -> None:
    with issuing() as issuer:
        clock = Clock()
        asked = tokens(issuer, client, clock)
        issuer.redirects()
        assert await refusal(asked, token())
        assert issuer.asked == 1, "a redirect was followed"
        issuer.answer = None
        clock.seconds += AGAIN
        assert await asked.viewer(token())
    gone = tokens(Issuer("http://127.0.0.1:9"), client)
    assert await refusal(gone, token())


@pytest.mark.parametrize(
    "unfit",
    [
        jwk(SMALL_RSA_KEY, kid="k"),
        jwk(OTHER_RSA_KEY, kid="k", use="enc"),
        jwk(OTHER_RSA_KEY, kid="k", alg="RS512"),
        jwk(OTHER_RSA_KEY, kid="k", key_ops=["encrypt"]),
        jwk(OTHER_RSA_KEY, kid=5),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "k"},
        {"kty": "RSA", "kid": "k"},
        {"kid": "k"},
        "k",
        None,
    ],
)
async def test_a_key_that_is_not_for_this_is_none(unfit: Any, issuer: Issuer, client: httpx2.AsyncClient) -> None:
    issuer.keys = [unfit, jwk(ED_KEY, kid="o-1")]
    found = KeySet(issuer.jwks_url, client, Clock())
    assert await found.find("EdDSA", "o-1") is not None
    for algorithm in ("RS256", "ES256", "HS256", "none"):
        assert await found.find(algorithm, "k") is None
        assert await found.find(algorithm, None) is None


async def test_without_an_id_the_only_key_there_is_counts(issuer: Issuer, client: httpx2.AsyncClient) -> None:
    found = KeySet(issuer.jwks_url, client, Clock())
    assert await found.find("RS256", None) is not None
    issuer.keys.append(jwk(OTHER_RSA_KEY, kid="r-2"))
    assert await KeySet(issuer.jwks_url, client, Clock()).find("RS256", None) is None
