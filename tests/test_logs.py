"""Logs: one JSON object a line on standard error, from us and from every library, and no secret in any."""

import json
import subprocess
import sys
from typing import Any

import pytest

from connectors.base import Account, Secret
from connectors.login import Token
from domain.model import Vendor
from gateway.logs import serialized
from tests.processes import environment

CANARY = "canary-b94e"
START = "import logging, sys\nimport structlog\nfrom gateway import logs\n"


def logged(code: str, configure: str = "logs.configure()") -> list[dict[str, Any]]:
    """What a process of its own wrote to its log."""
    done = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", f"{START}{configure}\n{code}"],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
        check=True,
    )
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_line_is_one_object_with_time_and_level() -> None:
    (line,) = logged('structlog.get_logger().info("served", machines=3, name="Café\\nLobby")')
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "served", "level": "info", "machines": 3, "name": "Café\nLobby"}


def test_a_line_carries_what_is_bound_to_its_request() -> None:
    code = 'with structlog.contextvars.bound_contextvars(request_id="r-1"): structlog.get_logger().warning("failed")'
    (line,) = logged(code)
    assert (line["request_id"], line["level"]) == ("r-1", "warning")


def test_libraries_log_the_same_way_from_warnings_upwards() -> None:
    lines = logged(
        'logging.getLogger("httpx2").info("HTTP Request: GET https://x")\n'
        'logging.getLogger("uvicorn.error").warning("Invalid %s", "request")\n'
        'import warnings; warnings.warn("old")\n'
    )
    assert [(line["level"], line["logger"]) for line in lines] == [
        ("warning", "uvicorn.error"),
        ("warning", "py.warnings"),
    ]
    assert lines[0]["event"] == "Invalid request"


def test_a_traceback_is_part_of_its_line() -> None:
    ours, theirs = logged(
        "try: 1 / 0\n"
        'except ZeroDivisionError: structlog.get_logger().exception("ours"); logging.getLogger("x").exception("theirs")'
    )
    for line in (ours, theirs):
        assert line["level"] == "error"
        assert line["exception"].endswith("ZeroDivisionError: division by zero")


def test_a_level_holds_for_ours_and_theirs() -> None:
    code = (
        'structlog.get_logger().warning("ours"); logging.getLogger("x").warning("theirs")\n'
        'structlog.get_logger().error("our error"); logging.getLogger("x").error("their error")'
    )
    lines = logged(code, "logs.configure(logging.ERROR)")
    assert [line["event"] for line in lines] == ["our error", "their error"]


def test_what_is_expected_is_no_news() -> None:
    code = (
        "for kind in (KeyError, ValueError):\n"
        "    try: raise kind\n"
        '    except Exception: logging.getLogger("x").exception("failed")'
    )
    (line,) = logged(code, "logs.configure(expected=(KeyError,))")
    assert line["exception"].endswith("ValueError")


def test_a_log_that_cannot_be_written_does_no_harm() -> None:
    code = 'sys.stderr.close(); structlog.get_logger().error("lost"); logging.getLogger("x").error("lost")'
    assert logged(code) == []


def account() -> Account:
    return Account(
        key="acme-kiosks",
        organization="acme",
        vendor=Vendor.LIVELLO,
        name="Kiosks",
        base_url=None,
        currency=None,
        timezone=None,
        credentials={"client_secret": Secret(CANARY)},
    )


SECRETS: dict[str, Any] = {
    "a credential": Secret(CANARY),
    "an account": account(),
    "a token": Token(CANARY, None),
    "a credential in lists": [{"a": (Secret(CANARY),)}],
    "a credential as a key": {Secret(CANARY): 1},
    "a credential beside half a surrogate pair": ["\ud800", Secret(CANARY)],
    "a token beside a long number": [2**70, Token(CANARY, None)],
}


@pytest.mark.parametrize("what", SECRETS)
def test_a_secret_prints_as_stars_wherever_it_stands(what: str) -> None:
    line = serialized({"event": "x", "value": SECRETS[what]})
    assert CANARY not in line
    assert json.loads(line)["event"] == "x"


def test_settings_and_headers_print_as_stars_too() -> None:
    code = (
        "import httpx2\nfrom pydantic import SecretStr\n"
        f'headers = httpx2.Headers({{"x-api-key": "{CANARY}", "access-token": "{CANARY}"}})\n'
        f'structlog.get_logger().info("x", setting=SecretStr("{CANARY}"), headers=headers)'
    )
    (line,) = logged(code)
    assert (line["setting"], line["headers"]) == ("***", "***")


def test_a_line_may_hold_what_json_knows_not() -> None:
    odd = {"event": "x", "odd": ["\ud800", 2**70, {1: 2}, {"a"}, float("nan"), object]}
    assert json.loads(serialized(odd))["odd"][:2] == ["\ud800", 2**70]
