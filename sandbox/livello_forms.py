"""What Livello's requests may hold: each member by its name, with what is wrong with a value; any other is refused."""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox.livello_gate import Problem

Check = Callable[[str, Any], None]
Form = Mapping[str, Check]


def fill(form: Form, body: Any, *needed: str, at: str = "") -> None:
    """Raises Problem, 400, in the words of such services. A null counts as a value."""
    if not isinstance(body, dict):
        raise Problem(400, f"{at.rstrip('.') or 'the body'} must be an object")
    for name in body:
        if name not in form:
            raise Problem(400, f"property {at}{name} should not exist")
    for name in needed:
        if name not in body:
            raise Problem(400, f"{at}{name} should not be empty")
    for name, value in body.items():
        form[name](at + name, value)


def text(at: str, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise Problem(400, f"{at} must be a string")


def flag(at: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise Problem(400, f"{at} must be a boolean value")


def numeric(least: float = 0, most: float | None = None) -> Check:
    def check(at: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
            raise Problem(400, f"{at} must be a number from {least}")
        if most is not None and value > most:
            raise Problem(400, f"{at} must not be greater than {most}")

    return check


def one_of(*words: str) -> Check:
    def check(at: str, value: Any) -> None:
        if value not in words:
            raise Problem(400, f"{at} must be one of the following values: {', '.join(words)}")

    return check


def like(pattern: str) -> Check:
    def check(at: str, value: Any) -> None:
        text(at, value)
        if not re.fullmatch(pattern, value):
            raise Problem(400, f"{at} must match {pattern}")

    return check


def moment(at: str, value: Any) -> None:
    try:
        datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Problem(400, f"{at} must be a valid ISO 8601 date string") from None


def base64(at: str, value: Any) -> None:
    text(at, value)
    try:
        b64decode(value, validate=True)
    except ValueError:
        raise Problem(400, f"{at} must be base64 encoded") from None


def part(form: Form, *needed: str) -> Check:
    return lambda at, value: fill(form, value, *needed, at=f"{at}.")


def several(check: Check, least: int = 0) -> Check:
    def each(at: str, value: Any) -> None:
        if not isinstance(value, list) or len(value) < least:
            raise Problem(400, f"{at} must contain at least {least} elements")
        for index, item in enumerate(value):
            check(f"{at}.{index}", item)

    return each
