"""What goes before a body over the wire: where a request goes, and its headers. Most are the same again and again, and
to take an address apart costs as much as to send it."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode

import httpx2

from connectors.operations import filled
from connectors.pooling import Origin
from connectors.reaching import PORTS

URLS = 4_096  # that are remembered
UNSENDABLE = re.compile(rb"[\r\n\0]")
WITH_BODY = ("POST", "PUT", "PATCH")

Texts = tuple[tuple[str, str], ...]


class Aim(NamedTuple):
    """`address`: without `params`; `begins`: the first lines of a request that goes there."""

    method: str
    address: str
    params: Texts
    origin: Origin
    begins: bytes

    @property
    def url(self) -> httpx2.URL:
        return httpx2.URL(self.address, params=self.params) if self.params else httpx2.URL(self.address)


@lru_cache(maxsize=URLS)
def aimed(method: str, base: str, path: str, values: Texts, params: Texts) -> Aim:
    """Raises ValueError for a value that would make it another path."""
    address = base + filled(path, dict(values))
    place = _place(address)
    target = place.target.partition(b"?")[0] + b"?" + urlencode(params).encode("ascii") if params else place.target
    begins = b"%s %s HTTP/1.1\r\nhost: %s\r\n" % (method.encode("ascii"), target, place.host)
    return Aim(method, address, params, place.origin, begins)


class _Place(NamedTuple):
    origin: Origin
    target: bytes
    host: bytes


@lru_cache(maxsize=URLS)
def _place(address: str) -> _Place:
    """Parameters change more often, with the time for one."""
    url = httpx2.URL(address)
    origin = Origin(url.scheme, url.raw_host.decode("ascii"), url.port or PORTS.get(url.scheme, 0))
    return _Place(origin, url.raw_path, url.netloc)


def lines(headers: Mapping[str, str]) -> bytes:
    """Raises httpx2.LocalProtocolError where they cannot be sent."""
    found = [f"{name}: {value}".encode("ascii") for name, value in headers.items()]
    if any(UNSENDABLE.search(line) for line in found):
        raise httpx2.LocalProtocolError("cannot be sent")
    return b"".join(line + b"\r\n" for line in found)


def written(aim: Aim, headers: bytes, content: bytes | None) -> bytes:
    """`headers`: as `lines` writes them."""
    if content is None and aim.method not in WITH_BODY:
        return aim.begins + headers + b"\r\n"
    content = content or b""
    return b"%scontent-length: %d\r\n%s\r\n%s" % (aim.begins, len(content), headers, content)
