"""The endpoint over HTTP: whatever is sent is answered as GraphQL, with the status that the protocol asks for."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

import httpx2
import pytest
import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.schema.config import StrawberryConfig
from structlog.testing import capture_logs

from connectors.base import Secret
from gateway.accept import JSON, RESPONSE, answer_type, is_browser
from gateway.answers import encoded
from gateway.app import create_app
from gateway.auth import Authenticator
from gateway.graphql import Endpoint
from gateway.requests import LARGEST_BODY
from gateway.settings import load
from journal.appending import NO_MEANINGS
from journal.bus import Bus
from journal.journal import Journal
from journal.keys import digest
from journal.store import open_store
from sandbox.server import start
from schema import scalars
from schema.root import QuietSchema, build
from tests.journals import bare
from tests.running import ADMIN, Gateway, Sandbox, config_text, running_gateway

CANARY = "canary-3f6e"
ACCENTED = "clé-à-molette"
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
Codes = list[str]


@pytest.fixture(scope="module")
def production(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("production")
    config = folder / "vendgraph.toml"
    own = f'[[auth.keys]]\nname = "own"\nsha256 = "{digest(ACCENTED)}"\nrole = "viewer"\norganizations = ["*"]\n'
    config.write_text(config_text(shared_sandbox, folder, environment="production") + own, encoding="utf-8")
    with start(create_app(load(config))) as server:
        yield Gateway(server.base)


@pytest.fixture(params=["development", "production"])
def either(request: pytest.FixtureRequest) -> Gateway:
    """Each of the two environments."""
    found: Gateway = request.getfixturevalue("gateway" if request.param == "development" else "production")
    return found


def sent(gateway: Gateway, content: bytes | str, **headers: str) -> httpx2.Response:
    told = {"authorization": f"Bearer {ADMIN}", "content-type": JSON, **headers}
    return httpx2.post(f"{gateway.base}/graphql", content=content, headers=told, timeout=30)


def asked(gateway: Gateway, query: str, **headers: str) -> httpx2.Response:
    return sent(gateway, json.dumps({"query": query}), **headers)


def got(gateway: Gateway, accept: str = "", **parameters: str) -> httpx2.Response:
    told = {"authorization": f"Bearer {ADMIN}", "accept": accept}
    return httpx2.get(f"{gateway.base}/graphql", params=parameters, headers=told)


def codes(answer: httpx2.Response) -> Codes:
    """Of an answer that is nothing but errors."""
    body = answer.json()
    assert body.keys() == {"errors"}
    assert all(error["message"] for error in body["errors"])
    return [error["extensions"]["code"] for error in body["errors"]]


MALFORMED: Mapping[str, bytes | str] = {
    "nothing": "",
    "a number": "5",
    "null": "null",
    "a text": '"x"',
    "a truth value": "true",
    "a list": "[]",
    "a batch": '[{"query": "{ viewer { name } }"}]',
    "an empty object": "{}",
    "half an object": '{"query": "{ viewer { name } }"',
    "no query but null": '{"query": null}',
    "a query that is a number": '{"query": 5}',
    "a query that is empty": '{"query": ""}',
    "a query that is blank": '{"query": " \\n"}',
    "variables that are a number": '{"query": "{ viewer { name } }", "variables": 5}',
    "variables that are a list": '{"query": "{ viewer { name } }", "variables": []}',
    "variables that are a text": '{"query": "{ viewer { name } }", "variables": "{}"}',
    "a name that is a number": '{"query": "{ viewer { name } }", "operationName": 5}',
    "extensions that are a text": '{"query": "{ viewer { name } }", "extensions": "x"}',
    "extensions that are a list": '{"query": "{ viewer { name } }", "extensions": []}',
    "what is no UTF-8": b'{"query": "\xff\xfe"}',
    "a mark before the text": b'\xef\xbb\xbf{"query": "{ viewer { name } }"}',
    "UTF-16": '{"query": "{ viewer { name } }"}'.encode("utf-16"),
    "100 000 levels": "[" * 100_000 + "]" * 100_000,
    "20 000 levels of variables": '{"query": "{ a }", "variables": ' + '{"a":' * 20_000 + "1" + "}" * 20_000 + "}",
    "a number of 5000 digits": '{"query": "{ a }", "variables": {"x": ' + "9" * 5000 + "}}",
    "half a surrogate pair": '{"query": "{ viewer { name } } #\\ud800"}',
    "a number that is none": '{"query": "{ a }", "variables": {"x": NaN}}',
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_body_that_is_no_request_is_told_so(either: Gateway, what: str) -> None:
    for media in (JSON, RESPONSE):
        answer = sent(either, MALFORMED[what], accept=media)
        assert (answer.status_code, codes(answer)) == (400, ["BAD_INPUT"])
        assert answer.headers["content-type"] == f"{media}; charset=utf-8"


HOSTILE: Mapping[str, str] = {
    "nothing that is known": "{ nothing }",
    "half a document": "{",
    "nothing but a comment": "# nothing",
    "3000 levels": '{ organization(id: "x")' + "{ parent" * 3000 + "{ id }" + "}" * 3001,
    "300 levels": '{ organization(id: "x")' + "{ parent" * 300 + "{ id }" + "}" * 301,
    "5000 levels of lists": "{ nodes(ids: " + "[" * 5000 + "]" * 5000 + ") { id } }",
    "fragments that call each other": "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
    "2000 fragments in a row": "{ ...f0 } "
    + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} }}" for n in range(2000))
    + " fragment f2000 on Query { viewer { name } }",
    "fragments that nobody uses": "{ viewer { name } }"
    + "".join(f" fragment f{n} on Query {{ viewer {{ name }} }}" for n in range(500)),
    "half a surrogate pair": '{ machine(id: "\\ud800") { id } }',
    "a number of 5000 digits": "{ machines(first: " + "9" * 5000 + ") { totalCount } }",
    "a number of more than 32 bits": "{ machines(first: 4294967296) { totalCount } }",
    "a directive again and again": "{ viewer" + " @skip(if: false)" * 500 + " { name } }",
    "a mutation": "mutation { anything }",
    "a subscription": "subscription { anything }",
    "several operations without a name": "query a { viewer { name } } query b { viewer { role } }",
}
TOO_MUCH = frozenset(
    {
        "3000 levels",
        "300 levels",
        "5000 levels of lists",
        "2000 fragments in a row",
        "fragments that nobody uses",
        "a number of 5000 digits",
        "a directive again and again",
    }
)


@pytest.mark.parametrize("what", HOSTILE)
def test_a_document_that_cannot_be_executed_is_told_so(either: Gateway, what: str) -> None:
    """With the status that each media type has for it: plain JSON knows 200 alone."""
    for media, status in ((JSON, 200), (RESPONSE, 400)):
        answer = asked(either, HOSTILE[what], accept=media)
        assert answer.status_code == status
        assert set(codes(answer)) == {"QUERY_TOO_COMPLEX" if what in TOO_MUCH else "BAD_INPUT"}
        assert answer.headers["content-type"] == f"{media}; charset=utf-8"


VARIABLES: Mapping[str, Any] = {
    "an unknown vendor": {"vendors": ["ACME"]},
    "an unknown member": {"vendor": "LIVELLO"},
    "a filter that is a list of lists": [[[[]]]],
    "a number for a text": {"search": 5},
    "half a list": {"vendors": [None]},
}


@pytest.mark.parametrize("what", VARIABLES)
def test_variables_that_do_not_fit_are_told_so(either: Gateway, what: str) -> None:
    query = "query($filter: MachineFilter) { machines(filter: $filter) { totalCount } }"
    body = json.dumps({"query": query, "variables": {"filter": VARIABLES[what]}})
    answer = sent(either, body, accept=RESPONSE)
    assert (answer.status_code, set(codes(answer))) == (400, {"BAD_INPUT"})


def test_the_gateway_is_well_after_all_of_that(either: Gateway) -> None:
    assert either.ask("{ viewer { name role organizations { name } } }") == {
        "viewer": {"name": "admin-of-acme", "role": "ADMIN", "organizations": [{"name": "Acme Vending"}]}
    }


def test_a_field_that_fails_leaves_the_others(either: Gateway) -> None:
    """It was executed, so the status is 200, whatever the media type; the connection may not be null, so all is."""
    for media in (JSON, RESPONSE):
        answer = asked(either, "{ machines(first: -1) { totalCount } }", accept=media)
        assert answer.status_code == 200
        assert answer.json()["data"] is None
        (error,) = answer.json()["errors"]
        assert error["extensions"]["code"] == "BAD_INPUT"
        assert error["path"] == ["machines"]


def test_a_body_that_is_too_long_is_refused(either: Gateway) -> None:
    longest = json.dumps({"query": "{ viewer { name } }"})
    longest = longest.ljust(LARGEST_BODY)
    assert sent(either, longest).status_code == 200
    answer = sent(either, longest + " ")
    assert (answer.status_code, codes(answer)) == (413, ["BAD_INPUT"])


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_a_body_of_another_media_type_is_refused(either: Gateway, media: str) -> None:
    """So that no page of another site can make a browser send it without asking first."""
    answer = sent(either, '{"query": "{ viewer { name } }"}', **{"content-type": media})
    assert (answer.status_code, codes(answer)) == (415, ["BAD_INPUT"])


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", "application/json;x=y"])
def test_parameters_of_the_media_type_do_no_harm(either: Gateway, media: str) -> None:
    assert sent(either, '{"query": "{ viewer { name } }"}', **{"content-type": media}).status_code == 200


ACCEPTED: Mapping[str, str] = {
    "": JSON,
    "*/*": JSON,
    "application/*": JSON,
    "application/json": JSON,
    "text/html": JSON,
    "image/png": JSON,
    "application/graphql-response+json": RESPONSE,
    "APPLICATION/GraphQL-Response+JSON": RESPONSE,
    "application/graphql-response+json; charset=utf-8": RESPONSE,
    "application/graphql-response+json, application/json": RESPONSE,
    "application/json, application/graphql-response+json": RESPONSE,
    "application/graphql-response+json, application/json;q=0.9": RESPONSE,
    "application/graphql-response+json, */*": RESPONSE,
    "application/graphql-response+json;q=0.9, */*;q=0.1": RESPONSE,
    "application/graphql-response+json;q=0.5, application/json": JSON,
    "application/graphql-response+json;q=0.5,application/json;q=0.6": JSON,
    "application/graphql-response+json;q=0": JSON,
    "application/graphql-response+json;q=0, application/json;q=0.1": JSON,
    "application/graphql-response+json;q=0.5, */*": JSON,
    "application/graphql-response+json;q=x": JSON,
    "application/json;q=0.5, application/graphql-response+json": RESPONSE,
    "text/html;q=0.1, application/json, ,;;,/": JSON,
}


@pytest.mark.parametrize("accept", ACCEPTED)
def test_the_media_type_is_the_one_that_is_wanted_most(gateway: Gateway, accept: str) -> None:
    assert answer_type(accept) == ACCEPTED[accept]
    assert asked(gateway, "{ viewer { name } }", accept=accept).headers["content-type"].startswith(ACCEPTED[accept])


@pytest.mark.parametrize(
    ("accept", "browser"),
    [
        (FIREFOX, True),
        ("text/html", True),
        ("text/html, */*", True),
        ("application/json;q=0.5, text/html", True),
        ("*/*", False),
        ("", False),
        ("application/json", False),
        ("application/json, text/html;q=0.1", False),
        ("application/json, text/html", False),
        ("text/html;q=0, */*", False),
        ("text/*", True),
    ],
)
def test_a_browser_gets_the_page_in_development_and_nobody_else_does(
    gateway: Gateway, production: Gateway, accept: str, browser: bool
) -> None:
    assert is_browser(accept) == browser
    page = httpx2.get(f"{gateway.base}/graphql", headers={"accept": accept})
    assert page.headers["content-type"].startswith("text/html") == browser
    assert page.status_code == (200 if browser else 401)
    assert httpx2.get(f"{production.base}/graphql", headers={"accept": accept}).status_code == 401


def test_by_get_a_query_stands_in_the_address(either: Gateway) -> None:
    query = "query One($id: ID!) { machine(id: $id) { name } } query Two { viewer { name } }"
    one = got(either, query=query, operationName="One", variables='{"id": "x"}', extensions="{}")
    assert (one.status_code, one.json()) == (200, {"data": {"machine": None}})
    two = got(either, query=query, operationName="Two", variables="")
    assert two.json() == {"data": {"viewer": {"name": "admin-of-acme"}}}


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"query": ""},
        {"query": "{ viewer { name } }", "variables": "{"},
        {"query": "{ viewer { name } }", "variables": "5"},
        {"query": "{ viewer { name } }", "variables": "[" * 5000},
        {"query": "{ viewer { name } }", "extensions": "5"},
        {"query": "{ viewer { name } }", "extensions": "}"},
    ],
)
def test_by_get_what_is_no_request_is_told_so(either: Gateway, parameters: dict[str, str]) -> None:
    answer = got(either, **parameters)
    assert (answer.status_code, codes(answer)) == (400, ["BAD_INPUT"])


def test_by_get_nothing_is_changed(either: Gateway) -> None:
    """A link, a crawler or a prefetching browser must not be able to."""
    for accept in (JSON, RESPONSE):
        answer = got(either, accept, query="query a { viewer { name } } mutation b { x }", operationName="b")
        assert (answer.status_code, codes(answer), answer.headers["allow"]) == (405, ["BAD_INPUT"], "POST")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_another_method_is_refused_in_the_same_shape(either: Gateway, method: str) -> None:
    answer = httpx2.request(method, f"{either.base}/graphql", headers={"authorization": f"Bearer {ADMIN}"})
    assert (answer.status_code, codes(answer)) == (405, ["BAD_INPUT"])
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))


def test_what_is_no_http_is_refused_in_the_same_shape(gateway: Gateway) -> None:
    host, _, port = gateway.base.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"NONSENSE\r\n\r\n")
        head, _, body = b"".join(iter(lambda: connection.recv(4096), b"")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert [error["extensions"]["code"] for error in json.loads(body)["errors"]] == ["BAD_INPUT"]


@pytest.mark.parametrize("path", ["/graphql/", "/graphql/x", "//graphql"])
def test_a_path_that_is_almost_one_is_no_redirect(either: Gateway, path: str) -> None:
    answer = httpx2.post(f"{either.base}{path}", json={"query": "{ viewer { name } }"})
    assert (answer.status_code, codes(answer)) == (404, ["NOT_FOUND"])


def test_a_path_that_is_none_is_refused_in_the_same_shape(either: Gateway) -> None:
    answer = httpx2.get(f"{either.base}/nothing/here")
    assert (answer.status_code, codes(answer)) == (404, ["NOT_FOUND"])


KEYS: Mapping[str, str | None] = {
    "none": None,
    "a wrong one": "Bearer vg_wrong",
    "another scheme": "Basic dXNlcjpwYXNz",
    "no scheme": ADMIN,
    "one in the wrong case": f"Bearer {ADMIN.upper()}",
    "a hash": f"Bearer {digest(ADMIN)}",
}


@pytest.mark.parametrize("what", KEYS)
def test_without_a_good_key_nothing_is_answered(either: Gateway, what: str) -> None:
    authorization = KEYS[what]
    headers = {} if authorization is None else {"authorization": authorization}
    for media in (JSON, RESPONSE):
        told = {**headers, "accept": media}
        by_post = httpx2.post(f"{either.base}/graphql", json={"query": "{ viewer { name } }"}, headers=told)
        by_get = httpx2.get(f"{either.base}/graphql", params={"query": "{ viewer { name } }"}, headers=told)
        broken = httpx2.post(f"{either.base}/graphql", content=b"{", headers=told)
        for answer in (by_post, by_get, broken):
            assert (answer.status_code, codes(answer)) == (401, ["UNAUTHENTICATED"])
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == f"{media}; charset=utf-8"


def test_a_key_is_the_text_that_was_hashed_whatever_its_letters(production: Gateway) -> None:
    headers = [(b"authorization", f"Bearer {ACCENTED}".encode()), (b"content-type", b"application/json")]
    answer = httpx2.post(f"{production.base}/graphql", content=b'{"query": "{ viewer { name } }"}', headers=headers)
    assert answer.json() == {"data": {"viewer": {"name": "own"}}}


def test_the_operation_that_is_named_is_executed(either: Gateway) -> None:
    query = "query a { viewer { name } } query b { viewer { role } }"
    named = sent(either, json.dumps({"query": query, "operationName": "b"}))
    assert named.json() == {"data": {"viewer": {"role": "ADMIN"}}}
    unknown = sent(either, json.dumps({"query": query, "operationName": "c"}), accept=RESPONSE)
    assert (unknown.status_code, codes(unknown)) == (400, ["BAD_INPUT"])
    unnamed = sent(either, json.dumps({"query": "query a { viewer { role } }", "operationName": ""}))
    assert unnamed.json() == {"data": {"viewer": {"role": "ADMIN"}}}


def test_the_graph_describes_itself_in_development_alone(gateway: Gateway, production: Gateway) -> None:
    introspections = ("{ __schema { types { name } } }", '{ __type(name: "Machine") { fields { name } } }')
    for query in introspections:
        assert gateway.ask(query)
        assert set(codes(asked(production, query))) == {"BAD_INPUT"}
    assert production.ask("{ viewer { __typename } }") == {"viewer": {"__typename": "Viewer"}}
    sdl = httpx2.get(f"{gateway.base}/schema.graphql")
    assert (sdl.status_code, sdl.text) == (200, build().as_str() + "\n")
    assert httpx2.get(f"{production.base}/schema.graphql").status_code == 404


def test_names_are_suggested_in_development_alone(gateway: Gateway, production: Gateway) -> None:
    for query in ("{ machins { totalCount } }", "{ machines(frst: 1) { totalCount } }", "{ ... on Qery { id } }"):
        assert "Did you mean" in asked(gateway, query).text
        assert "Did you mean" not in asked(production, query).text


def test_each_answer_has_an_id_of_its_own(either: Gateway) -> None:
    answers = [
        asked(either, "{ viewer { name } }"),
        asked(either, "{"),
        sent(either, "5"),
        httpx2.get(f"{either.base}/graphql"),
    ]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 4


def test_a_vendors_failure_says_whose_it_is_and_how_long_to_wait(shared_sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(shared_sandbox, tmp_path) as gateway:
        shared_sandbox.break_(
            "smartvend", "status", operation="get-controller-matrix", status=429, headers={"Retry-After": "17"}
        )
        answer = gateway.post(
            "{ machines(first: 1, filter: {vendors: [SMARTVEND]}) { nodes { name slots { position } } } }"
        )
        shared_sandbox.heal()
    body = answer.json()
    assert body["data"]["machines"]["nodes"][0]["name"]
    assert body["data"]["machines"]["nodes"][0]["slots"] is None
    (error,) = body["errors"]
    assert error["path"] == ["machines", "nodes", 0, "slots"]
    assert error["extensions"] == {
        "code": "VENDOR_RATE_LIMITED",
        "account": "acme-coffee",
        "vendor": "SMARTVEND",
        "retryAfterSeconds": 17,
    }


ODD: Mapping[str, tuple[Any, Any]] = {
    "a long number": (2**70, 2**70),
    "a decimal": (Decimal("12.50"), "12.50"),
    "a decimal beside a long number": ([2**70, Decimal("1E+3")], [2**70, "1E+3"]),
    "a time": (datetime(2026, 3, 4, tzinfo=UTC), "2026-03-04T00:00:00+00:00"),
    "a time beside a long number": ([datetime(2026, 3, 4, tzinfo=UTC), 2**70], ["2026-03-04T00:00:00+00:00", 2**70]),
    "no number": ([nan, inf, 1.5], [None, None, 1.5]),
    "no number beside a long one": ({"a": (nan, 2**70)}, {"a": [None, 2**70]}),
    "half a surrogate pair": ("\ud800", "\ud800"),
    "letters": ("Ж☕", "Ж☕"),
}


@pytest.mark.parametrize("what", ODD)
def test_a_vendors_own_record_is_answered_whatever_stands_in_it(what: str) -> None:
    value, expected = ODD[what]
    assert json.loads(encoded({"data": value})) == {"data": expected}


def test_an_answer_may_be_deep() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    assert json.loads(encoded({"data": deep})) == {"data": deep}


@asynccontextmanager
async def endpoint(tmp_path: Path, resolver: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """The endpoint over a graph of one field, without any accounts."""

    @strawberry.type
    class Query:
        odd: scalars.JSON | None = strawberry.field(resolver=resolver)

    store = open_store(f"sqlite:///{tmp_path}/store.db")
    settings = load_keys(tmp_path)
    served = Endpoint(
        QuietSchema(Query, config=StrawberryConfig(scalar_map=scalars.SCALARS)),
        bare(Journal(store, Bus(), NO_MEANINGS)),
        Authenticator(settings.auth.keys, ["acme"], store),
        asyncio.Event(),
        development=False,
    )
    app = Starlette(routes=[Route("/graphql", served.serve, methods=["GET", "POST"])])
    client = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://gateway", headers={"authorization": f"Bearer {ADMIN}"}
    )
    async with client:
        yield client
    store.dispose()


def load_keys(tmp_path: Path) -> Any:
    path = tmp_path / "keys.toml"
    path.write_text(
        '[[organizations]]\nkey = "acme"\nname = "Acme"\n'
        f'[[auth.keys]]\nname = "x"\nsha256 = "{digest(ADMIN)}"\nrole = "admin"\norganizations = ["acme"]\n',
        encoding="utf-8",
    )
    return load(path, {})


async def test_what_cannot_be_answered_is_masked_and_logged_once(tmp_path: Path) -> None:
    """A value of ours that is no JSON is found only when the answer is written."""

    def odd() -> Any:
        return {"key": Secret(CANARY)}

    async with endpoint(tmp_path, odd) as client:
        with capture_logs() as logged:
            answer = await client.post("/graphql", json={"query": "{ odd }"})
    (error,) = answer.json()["errors"]
    assert answer.status_code == 500
    assert error["extensions"] == {"code": "INTERNAL", "requestId": answer.headers["x-request-id"]}
    assert CANARY not in answer.text
    assert [(line["event"], line["request_id"]) for line in logged] == [("unexpected", answer.headers["x-request-id"])]


async def test_a_fault_of_ours_in_a_field_is_masked_and_logged_under_the_requests_id(tmp_path: Path) -> None:
    def odd() -> Any:
        raise RuntimeError(CANARY)

    async with endpoint(tmp_path, odd) as client:
        with capture_logs() as logged:
            answer = await client.post("/graphql", json={"query": "{ a: odd b: odd }"})
    assert answer.status_code == 200
    assert answer.json()["data"] == {"a": None, "b": None}
    request_id = answer.headers["x-request-id"]
    assert [error["extensions"] for error in answer.json()["errors"]] == [
        {"code": "INTERNAL", "requestId": request_id}
    ] * 2
    assert CANARY not in answer.text
    assert [(line["event"], line["request_id"], line["times"]) for line in logged] == [("unexpected", request_id, 2)]
