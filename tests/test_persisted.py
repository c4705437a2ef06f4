"""Documents by name: those that clients sent before, and those that an operator trusts, from manifests of the tools."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest

from domain.errors import BadInput, UnknownDocument
from gateway.app import create_app
from gateway.persisted import DocumentsError, DocumentSettings, NotTrusted, Texts, texts
from gateway.requests import Operation
from gateway.settings import load
from tests.npm import NEEDS_NODE, run
from tests.refusals import TRANSPORTS, codes, parameters
from tests.running import ADMIN, VIEWER, Gateway, Sandbox, config_text, running_gateway

MANIFESTS = Path(__file__).parent / "fixtures" / "manifests"
QUERY = "query Name { viewer { name } }"
ANSWER = {"data": {"viewer": {"name": "admin-of-acme"}}}
TRUSTED = {
    "Apollo's": "8c80eabb8e2ea301cba1510ccf86d0f88ac375f6ad6bc4e9196eadfa79c8862a",
    "GraphQL Code Generator's": "sha256:4c016ab1fc0019d05778f52f45bd12f692e3137fc5f960705072227946f6f649",
    "Relay's": "833b2adf7bda237300e83a0a779678e0",
}


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def hashed(text: str, query: str | None = None, **more: Any) -> dict[str, Any]:
    """As Apollo's clients ask, with or without the text itself."""
    asked = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}, **more}
    return asked if query is None else {**asked, "query": query}


@pytest.fixture(scope="module")
def closed(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """In production, where nothing is answered but what the manifests hold."""
    folder = tmp_path_factory.mktemp("closed")
    more = f'\n[documents]\ndirectory = "{MANIFESTS}"\ntrusted_only = true\n'
    with running_gateway(shared_sandbox, folder, environment="production", more=more) as gateway:
        yield gateway


# ---- documents that clients sent before ---------------------------------------------------------------------------


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_hash_is_enough_once_the_document_was_sent(gateway: Gateway, transport: str) -> None:
    ask, query = TRANSPORTS[transport], f"{QUERY} # {transport}"
    unknown = await ask(gateway, hashed(query))
    (error,) = unknown["errors"]
    assert (error["message"], error["extensions"]) == (
        "PersistedQueryNotFound",
        {"code": "PERSISTED_QUERY_NOT_FOUND"},
    )
    assert await ask(gateway, hashed(query, query)) == ANSWER
    for other in TRANSPORTS.values():
        assert await other(gateway, hashed(query)) == ANSWER
        assert await other(gateway, {"documentId": f"sha256:{digest(query)}"}) == ANSWER


async def test_variables_go_with_a_hash(gateway: Gateway) -> None:
    query = "query One($id: ID!) { machine(id: $id) { name } } query Two { viewer { name } }"
    for ask in TRANSPORTS.values():
        await ask(gateway, hashed(query, query, operationName="Two"))
        told = await ask(gateway, hashed(query, operationName="One", variables={"id": "x"}))
        assert told == {"data": {"machine": None}}


async def test_a_hash_of_something_else_is_refused_and_kept_for_nobody(gateway: Gateway) -> None:
    other = "{ viewer { role } }"
    for ask in TRANSPORTS.values():
        told = await ask(gateway, hashed(other, QUERY))
        assert (told["errors"][0]["message"], codes(told)) == ("provided sha does not match query", {"BAD_INPUT"})
        assert codes(await ask(gateway, hashed(other))) == {"PERSISTED_QUERY_NOT_FOUND"}


async def test_what_cannot_be_executed_is_not_kept(gateway: Gateway) -> None:
    for query in ("{ nothing }", "{"):
        for ask in TRANSPORTS.values():
            assert codes(await ask(gateway, hashed(query, query))) == {"BAD_INPUT"}
            assert codes(await ask(gateway, hashed(query))) == {"PERSISTED_QUERY_NOT_FOUND"}


MALFORMED: dict[str, dict[str, Any]] = {
    "another version": {"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "x"}}},
    "no hash": {"extensions": {"persistedQuery": {"version": 1}}},
    "a hash that is a number": {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": 5}}},
    "no object": {"extensions": {"persistedQuery": "x"}},
    "an id that is a number": {"documentId": 5},
    "an id that is empty": {"documentId": ""},
    "two documents": {"documentId": digest(QUERY), "query": "{ viewer { role } }"},
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_names_no_document_is_told_so(gateway: Gateway, what: str) -> None:
    answer = post(gateway, MALFORMED[what])
    assert (answer.status_code, codes(answer.json())) == (400, {"BAD_INPUT"})


def test_a_hash_that_is_unknown_has_the_status_of_its_media_type(gateway: Gateway) -> None:
    for media, status in (("application/json", 200), ("application/graphql-response+json", 400)):
        assert post(gateway, hashed("{ a }"), accept=media).status_code == status


def test_the_last_ones_are_kept() -> None:
    kept = Texts(kept=2)
    for query in ("{ a }", "{ b }", "{ c }"):
        kept.keep(Operation(query, None, None, sha256=digest(query)))
    assert kept.find(Operation(None, None, None, sha256=digest("{ c }").upper())) == "{ c }"
    with pytest.raises(UnknownDocument):
        kept.find(Operation(None, None, None, sha256=digest("{ a }")))
    none = Texts(kept=0)
    none.keep(Operation("{ a }", None, None, sha256=digest("{ a }")))
    with pytest.raises(UnknownDocument):
        none.find(Operation(None, None, None, sha256=digest("{ a }")))


@NEEDS_NODE
@pytest.mark.parametrize("get", [False, True])
async def test_apollos_client_sends_a_document_once(gateway: Gateway, get: bool) -> None:
    query = f"query Apollo{get} {{ viewer {{ name }} }}"
    asked = {"url": f"{gateway.base}/graphql", "key": ADMIN, "query": query, "times": 2, "get": get}
    told = await run("apollo.mjs", asked)
    hashes = "GET" if get else "POST"
    data = {"data": {"viewer": {"__typename": "Viewer", "name": "admin-of-acme"}}}
    assert told == [{"sent": [hashes, False]}, {"sent": ["POST", True]}, data, {"sent": [hashes, False]}, data]


# ---- by GET -------------------------------------------------------------------------------------------------------


def post(gateway: Gateway, payload: dict[str, Any], **headers: str) -> httpx2.Response:
    told = {"authorization": f"Bearer {ADMIN}", **headers}
    return httpx2.post(f"{gateway.base}/graphql", json=payload, headers=told)


def get(gateway: Gateway, payload: dict[str, Any], *, key: str = ADMIN, **headers: str) -> httpx2.Response:
    told = {"authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return httpx2.get(f"{gateway.base}/graphql", params=parameters(payload), headers=told)


def test_by_get_what_is_known_is_not_sent_again(gateway: Gateway) -> None:
    post(gateway, hashed(QUERY, QUERY))
    first = get(gateway, hashed(QUERY))
    assert (first.status_code, first.json()) == (200, ANSWER)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["vary"] == "Accept, Authorization"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = get(gateway, hashed(QUERY), if_none_match=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == "private, no-cache"
        assert "x-request-id" in again.headers
    assert get(gateway, hashed(QUERY), if_none_match='"other"').json() == ANSWER
    other = get(gateway, hashed(QUERY), key=VIEWER, if_none_match=tag)
    assert other.json() == {"data": {"viewer": {"name": "viewer-of-acme"}}}


def test_nothing_else_may_be_kept(gateway: Gateway) -> None:
    failing = "{ machines(first: -1) { totalCount } }"
    post(gateway, hashed(failing, failing))
    answers = (get(gateway, {"query": QUERY}), get(gateway, hashed("{ a }")), get(gateway, hashed(failing)))
    for answer in (*answers, post(gateway, hashed(QUERY, QUERY)), post(gateway, hashed(QUERY))):
        assert "etag" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"


def test_by_get_a_document_changes_nothing_whatever_its_name(gateway: Gateway) -> None:
    mutation = 'mutation { openDoor(input: {machineId: "x", idempotencyKey: "y"}, dryRun: true) { errors { code } } }'
    assert codes(post(gateway, hashed(mutation, mutation)).json()) == set()
    for asked in (hashed(mutation), {"documentId": digest(mutation)}, {"query": mutation}):
        answer = get(gateway, asked)
        assert (answer.status_code, codes(answer.json()), answer.headers["allow"]) == (405, {"BAD_INPUT"}, "POST")


# ---- documents that are trusted -----------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", TRUSTED)
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_document_of_a_manifest_is_answered_by_its_id(closed: Gateway, transport: str, tool: str) -> None:
    name = TRUSTED[tool]
    told = await TRANSPORTS[transport](closed, {"documentId": name})
    assert told["data"]["viewer"]["name"] == "admin-of-acme"
    by_extension = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": name}}}
    assert await TRANSPORTS[transport](closed, by_extension) == told


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_any_other_document_is_refused(closed: Gateway, transport: str) -> None:
    ask = TRANSPORTS[transport]
    subscription = "subscription { sales { cursor } }"
    others = [{"query": QUERY}, hashed(QUERY, QUERY), hashed(QUERY), {"documentId": "x"}, {"query": subscription}]
    for payload in (*others, {"query": "{ __typename }"}, {"query": "{"}):
        assert codes(await ask(closed, payload)) == {"FORBIDDEN"}


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_trusted_document_may_be_sent_in_full(closed: Gateway, transport: str) -> None:
    for path in (MANIFESTS / "codegen.json", MANIFESTS / "relay.json"):
        for text in json.loads(path.read_text(encoding="utf-8")).values():
            assert "errors" not in await TRANSPORTS[transport](closed, {"query": text})


def test_what_is_not_trusted_has_a_status_of_its_own(closed: Gateway) -> None:
    answer = post(closed, {"query": QUERY})
    assert (answer.status_code, codes(answer.json())) == (403, {"FORBIDDEN"})


def test_where_one_develops_all_documents_are_answered() -> None:
    settings = DocumentSettings(directory=str(MANIFESTS), trusted_only=True)
    operation = Operation(QUERY, None, None)
    assert texts(settings, production=False).find(operation) == QUERY
    with pytest.raises(NotTrusted):
        texts(settings, production=True).find(operation)


def test_a_trusted_documents_name_is_not_anothers() -> None:
    trusted = texts(DocumentSettings(directory=str(MANIFESTS)), production=True)
    with pytest.raises(BadInput):
        trusted.find(Operation(QUERY, None, None, sha256=TRUSTED["Relay's"]))


WRONG: dict[str, tuple[str, str]] = {
    "no JSON": ("{", "is not JSON"),
    "a list": ("[]", "is expected"),
    "a document that is a number": ('{"a": 1}', "is expected"),
    "an id that is empty": ('{"": "{ a }"}', "is expected"),
    "another version": ('{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}', "is expected"),
    "an operation that is none": (
        '{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [5]}',
        "is expected",
    ),
    "an id that is another's": ('{"833b2adf7bda237300e83a0a779678e0": "{ a }"}', "another document"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_manifest_that_is_wrong_is_told_with_its_file(tmp_path: Path, what: str) -> None:
    text, reason = WRONG[what]
    (tmp_path / "a.json").write_bytes((MANIFESTS / "relay.json").read_bytes())
    (tmp_path / "b.json").write_text(text, encoding="utf-8")
    with pytest.raises(DocumentsError, match=f"b.json: .*{reason}"):
        texts(DocumentSettings(directory=str(tmp_path)), production=True)


def test_a_gateway_does_not_start_without_what_it_is_to_trust(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "vendgraph.toml"
    for documents in (f'directory = "{tmp_path}/nowhere"', "trusted_only = true"):
        path.write_text(config_text(sandbox, tmp_path, more=f"\n[documents]\n{documents}\n"), encoding="utf-8")
        with pytest.raises(DocumentsError, match=r"cannot be read|no document to trust"):
            create_app(load(path))
