"""Reading an answer's body: as JSON, and never more or deeper than a vendor could mean."""

import re
from collections.abc import AsyncIterable
from typing import Any

import httpx2
import orjson

LARGEST_BYTES = 8 * 1024 * 1024
DEEPEST = 64
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
HEAD, TAIL = rb"u[dD][89abAB][0-9a-fA-F]{2}", rb"u[dD][c-fC-F][0-9a-fA-F]{2}"
ESCAPE = re.compile(rb"\\(?:" + HEAD + rb"\\" + TAIL + rb"|(" + HEAD + rb"|" + TAIL + rb")|.)")
NOT_MARKS = bytes(set(range(256)) - set(b'[]{}"'))


class BodyError(Exception):
    """The body is no answer; the message says why."""


async def read(response: httpx2.Response) -> bytes:
    """The body, decompressed. Raises BodyError where it is too long."""
    found = bytearray()
    async for chunk in response.aiter_bytes() if "content-encoding" in response.headers else _as_sent(response):
        found += chunk
        if len(found) > LARGEST_BYTES:
            raise too_long()
    return bytes(found)


def too_long() -> BodyError:
    return BodyError(f"is longer than {LARGEST_BYTES} bytes")


def _as_sent(response: httpx2.Response) -> AsyncIterable[bytes]:
    """Without the layers that count, decompress and cut into pieces."""
    assert isinstance(response.stream, AsyncIterable)
    return response.stream


def look_at(media: str | None, content: bytes) -> None:
    """Raises BodyError where it is not JSON by its own word."""
    if not content:
        raise BodyError("is empty")
    if media != "application/json" and not _is_json(media or ""):
        raise BodyError("is not JSON by its content type")


def _is_json(media: str) -> bool:
    media = media.partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def decoded(content: bytes) -> Any:
    """Raises BodyError where it is no JSON, or too deep."""
    try:
        data = _loads(content.removeprefix(BYTE_ORDER_MARK))
    except orjson.JSONDecodeError:
        raise BodyError("is not JSON") from None
    if _may_be_deep(content) and depth(data) > DEEPEST:
        raise BodyError(f"is nested deeper than {DEEPEST}")
    return data


def _loads(content: bytes) -> Any:
    """JavaScript cuts texts within characters, and writes down the half that is left: no name must cost a list."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        mended = ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], content)
        if mended == content:
            raise
        return orjson.loads(mended)


def _may_be_deep(content: bytes) -> bool:
    """A look at the marks of valid JSON alone: innermost pairs vanish, one or two levels at a time.

    Of a text without brackets only its two quotes are left, and they vanish; a text with brackets leaves a
    quote over, and what is left over asks for the slow look. So there are false alarms, but no deep body passes."""
    if b"\\" in content:
        content = content.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = content.translate(None, NOT_MARKS).replace(b'""', b"")
    for _ in range(DEEPEST // 2):
        if not marks:
            return False
        marks = marks.replace(b"[]", b"").replace(b"{}", b"")
    return bool(marks)


def depth(data: Any) -> int:
    depth, level = 0, [data]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [item for outer in level for item in (outer.values() if isinstance(outer, dict) else outer)]
    return depth
