"""Exports as clients read them."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import httpx2

from tests.running import CLIENT, Gateway

Row = dict[str, Any]


def get(gateway: Gateway, name: str, given: Mapping[str, Any] | None = None, **request: Any) -> httpx2.Response:
    """`name`: such as "sales.csv"."""
    headers = {"authorization": f"Bearer {request.pop('key', gateway.key)}"}
    method = request.pop("method", "GET")
    return CLIENT.request(method, f"{gateway.base}/exports/{name}", params=dict(given or {}), headers=headers)


def ndjson(gateway: Gateway, given: Mapping[str, Any] | None = None, **request: Any) -> tuple[list[Row], Row]:
    """The sales, and what is said at the end."""
    answer = get(gateway, "sales.ndjson", given, **request)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    *sales, end = map(json.loads, answer.text.splitlines())
    told: Row = end["export"]
    return sales, told


def table(gateway: Gateway, given: Mapping[str, Any] | None = None, **request: Any) -> Sequence[Mapping[str, str]]:
    answer = get(gateway, "sales.csv", given, **request)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    return list(csv.DictReader(StringIO(answer.text, newline="")))


def failed(answer: httpx2.Response) -> tuple[int, str]:
    """The status, and the one error's code."""
    (error,) = answer.json()["errors"]
    assert error["message"]
    return answer.status_code, error["extensions"]["code"]
