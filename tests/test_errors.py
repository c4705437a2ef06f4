"""Errors as callers see them: each with a code, ours with what helps, and everything unexpected masked."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import strawberry
from structlog.testing import capture_logs

from domain.errors import (
    BadInput,
    ErrorCode,
    Forbidden,
    NotFound,
    Unauthenticated,
    Unsupported,
    VendgraphError,
    VendorError,
    VendorForbidden,
    VendorProtocolError,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorUnavailable,
)
from gateway import errors
from schema import root
from schema.root import QuietSchema

CANARY = "canary-20f7"
OURS = [BadInput, Unauthenticated, Forbidden, NotFound, Unsupported]
VENDORS = [
    VendorUnavailable,
    VendorRateLimited,
    VendorRejected,
    VendorUnauthorized,
    VendorForbidden,
    VendorProtocolError,
]

Told = list[dict[str, Any]]


async def told(raised: Callable[[], Any], query: str = "{ one }", *, suggestions: bool = True) -> tuple[Told, Told]:
    """The errors of a query over fields that do as `raised` does, and what was logged of them."""

    @strawberry.type
    class Query:
        @strawberry.field
        def one(self, first: int = 1) -> int | None:  # noqa: ARG002  it is the graph that reads it
            found: int | None = raised()
            return found

        @strawberry.field
        def many(self) -> list[int | None]:
            return [2**40, 2**41, 1]

    result = await QuietSchema(Query).execute(query)
    with capture_logs() as logged:
        found = errors.formatted(result.errors or [], "r-1", suggestions=suggestions)
    return found, [dict(line) for line in logged]


def raising(error: BaseException) -> Callable[[], Any]:
    def raised() -> Any:
        raise error

    return raised


@pytest.mark.parametrize("kind", OURS)
async def test_our_errors_carry_their_code_and_their_words(kind: type[VendgraphError]) -> None:
    ((error,), logged) = await told(raising(kind("no such thing")))
    assert error == {
        "message": "no such thing",
        "extensions": {"code": kind.code.value},
        "locations": [{"line": 1, "column": 3}],
        "path": ["one"],
    }
    assert logged == []


@pytest.mark.parametrize("kind", VENDORS)
async def test_vendor_errors_say_whose_they_are(kind: type[VendorError]) -> None:
    ((error,), logged) = await told(raising(kind("it failed", account="acme-kiosks", vendor="livello")))
    assert error["extensions"] == {"code": kind.code.value, "account": "acme-kiosks", "vendor": "LIVELLO"}
    assert logged == []


@pytest.mark.parametrize(("wait", "seconds"), [(0.0, 1), (0.2, 1), (17.4, 17), (300.0, 300)])
async def test_a_vendor_error_says_how_long_to_wait_in_whole_seconds(wait: float, seconds: int) -> None:
    waits = VendorRateLimited("later", account="a", vendor="livello", retry_after=wait)
    ((error,), _) = await told(raising(waits))
    assert error["extensions"]["retryAfterSeconds"] == seconds


async def test_an_unexpected_error_is_masked_and_logged_once_under_the_requests_id() -> None:
    (found, (line,)) = await told(raising(RuntimeError(CANARY)), "{ a: one b: one c: one }")
    assert [error["path"] for error in found] == [["a"], ["b"], ["c"]]
    for error in found:
        assert error["extensions"] == {"code": "INTERNAL", "requestId": "r-1"}
        assert error["message"] == errors.MASKED
    assert CANARY not in json.dumps(found)
    assert (line["event"], line["log_level"], line["request_id"], line["times"]) == ("unexpected", "error", "r-1", 3)
    assert str(line["exc_info"]) == CANARY


async def test_each_kind_of_unexpected_error_is_logged() -> None:
    kinds = iter([RuntimeError("a"), KeyError("b"), RuntimeError("c")])

    def raised() -> None:
        raise next(kinds)

    _, logged = await told(raised, "{ a: one b: one c: one }")
    assert [(type(line["exc_info"]), line["times"]) for line in logged] == [(RuntimeError, 2), (KeyError, 1)]


async def test_a_value_of_ours_that_does_not_fit_is_not_the_callers_fault() -> None:
    (found, (line,)) = await told(lambda: None, "{ many }")
    assert [(error["extensions"]["code"], error["path"]) for error in found] == [
        ("INTERNAL", ["many", 0]),
        ("INTERNAL", ["many", 1]),
    ]
    assert line["times"] == 2


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nothing }",
        "{ viewer }",
        "{ viewer { name { first } } }",
        '{ machines(first: "x") { totalCount } }',
        "{ machines(first: 9999999999) { totalCount } }",
        f"{{ machines(first: {'9' * 5000}) {{ totalCount }} }}",
        '{ sales(filter: {from: "yesterday"}) { totalCount } }',
        "query($x: ID!) { machine(id: $x) { name } }",
        "mutation { viewer { name } }",
        "{ ...f } fragment f on Query { ...f }",
        "{ viewer" + " { viewer" * 400 + " }" * 401,
    ],
)
async def test_what_is_wrong_with_the_document_is_the_callers_fault(query: str) -> None:
    result = await root.build().execute(query)
    found = errors.formatted(result.errors or [], "r-1", suggestions=True)
    assert {error["extensions"]["code"] for error in found} == {"BAD_INPUT"}


async def test_names_are_suggested_only_where_that_is_wanted() -> None:
    wrong = "{ one(frst: 1) onee ...f } fragment f on Querry { one }"
    (open_, _) = await told(lambda: None, wrong)
    (closed, _) = await told(lambda: None, wrong, suggestions=False)
    assert sum("Did you mean" in error["message"] for error in open_) == 3
    assert not any("Did you mean" in error["message"] for error in closed)
    assert [error["message"].split(".")[0] for error in closed] == [error["message"].split(".")[0] for error in open_]


async def test_what_follows_a_suggestion_stays() -> None:
    result = await root.build().execute("{ machines(filter: {vendor: [LIVELLO]}) { totalCount } }")
    (error,) = errors.formatted(result.errors or [], "r-1", suggestions=False)
    assert "unknown field 'vendor'. Found: { vendor: [LIVELLO] }" in error["message"]


async def test_a_long_document_is_not_repeated_in_its_errors() -> None:
    (found, _) = await told(lambda: None, "{ %s }" % ("x" * 10_000))
    assert len(found[0]["message"]) == errors.LONGEST


async def test_every_code_is_one_of_the_graphs() -> None:
    shown = root.build().as_str()
    for code in ErrorCode:
        assert f"  {code.value}\n" in shown


async def test_what_no_route_takes_is_answered_in_the_same_shape() -> None:
    assert errors.of_status(404, "Not Found") == {
        "errors": [{"message": "Not Found", "extensions": {"code": "NOT_FOUND"}}]
    }
    assert errors.of_status(405, "Method Not Allowed")["errors"][0]["extensions"] == {"code": "BAD_INPUT"}
