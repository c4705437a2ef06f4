"""The vendor over which all are asked, Livello's lists as finished bytes: `python -m bench.peers.upstream PORT`.

It checks nothing and speaks no more HTTP than its callers do, so that it costs little beside what it measures. Below
`/_bench` it tells how much was asked (`requests`), forgets it (`reset`), and is made slow (`latency/MILLISECONDS`)."""

import asyncio
import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qs

import orjson
import uvloop

from bench.peers import fleet

ROOT = "/api/v1"
LARGEST = 100
SECONDS = len("2026-03-01T09:30:00")
END = b"\r\n\r\n"
LENGTH = b"content-length:"
HEADERS = ("Content-Type: application/json", "Cache-Control: max-age=3600")  # the latter for caches of HTTP
TOKEN = {
    "access_token": "bench",
    "token_type": "Bearer",
    "expires_in": 86_400,
    "scope": "kiosks:read inventory:read products:read transactions:read organizations:read",
}


def _answer(body: Any, status: str = "200 OK") -> bytes:
    content = orjson.dumps(body)
    lines = (f"HTTP/1.1 {status}", *HEADERS, f"Content-Length: {len(content)}", "", "")
    return "\r\n".join(lines).encode() + content


def _page(rows: list[fleet.Row]) -> bytes:
    return _answer({"total": len(rows), "data": rows})


NOWHERE = _answer({"title": "Not Found", "status": 404}, "404 Not Found")


class Vendor:
    """Answers by path; what was asked is counted by the operation's kind."""

    def __init__(self, now: datetime) -> None:
        kiosks, products = fleet.kiosks(now), fleet.products(now)
        self.latency = 0.0  # seconds
        self.asked: Counter[str] = Counter()
        self._sales = list(fleet.transactions(now))
        self._created = [sale["created"][:SECONDS] for sale in reversed(self._sales)]
        self._pages: dict[tuple[str, int, int, int, int], bytes] = {}
        self._fixed = {
            f"{ROOT}/auth/token": _answer(TOKEN),
            f"{ROOT}/kiosks": _page(kiosks),
            f"{ROOT}/products": _page(products),
            f"{ROOT}/organizations": _page(fleet.organizations()),
            **{f"{ROOT}/kiosks/{row['serialNumber']}": _answer(row) for row in kiosks},
            **{f"{ROOT}/products/{row['id']}": _answer(row) for row in products},
            **{
                f"{ROOT}/kiosks/{fleet.serial(at)}/inventory": _answer(fleet.inventory(at)) for at in range(len(kiosks))
            },
        }

    def answer(self, target: str) -> bytes:
        path, _, query = target.partition("?")
        self.asked[path[len(ROOT) + 1 :].partition("/")[0]] += 1
        if path == f"{ROOT}/transactions":
            return self._transactions(parse_qs(query))
        return self._fixed.get(path, NOWHERE)

    def _transactions(self, query: Mapping[str, list[str]]) -> bytes:
        """Both ends of the range are inclusive; a page is made once."""

        def told(name: str, otherwise: str) -> str:
            return query.get(name, [otherwise])[0]

        serials = told("kioskSerialNumbers", "")
        begin = bisect_left(self._created, told("startDate", "")[:SECONDS])
        end = bisect_right(self._created, told("endDate", "9")[:SECONDS])
        skip, limit = int(told("skip", "0")), min(LARGEST, int(told("limit", "25")))
        key = (serials, begin, end, skip, limit)
        if key not in self._pages:
            self._pages[key] = self._made(*key)
        return self._pages[key]

    def _made(self, serials: str, begin: int, end: int, skip: int, limit: int) -> bytes:
        wanted = frozenset(serials.split(",")) if serials else None
        newest = self._sales[len(self._sales) - end : len(self._sales) - begin]
        found = [sale for sale in newest if wanted is None or sale["kiosk"]["serialNumber"] in wanted]
        return _answer({"total": len(found), "membercardList": [], "data": found[skip : skip + limit]})

    def control(self, target: str) -> bytes:
        match target.split("/")[2:]:
            case ["requests"]:
                return _answer(self.asked)
            case ["reset"]:
                self.asked.clear()
                return _answer({})
            case ["latency", milliseconds]:
                self.latency = float(milliseconds) / 1000
                return _answer({})
        return NOWHERE


class Connection(asyncio.Protocol):
    """One request after the other; a body is skipped, for the only one is a login's."""

    transport: asyncio.Transport

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its ancestry

    def data_received(self, data: bytes) -> None:
        data = self._unread + data
        while (ends := data.find(END)) >= 0:
            after = ends + len(END) + (_length(data[:ends]) if data.startswith(b"POST") else 0)
            if len(data) < after:
                break
            self._take(data[: data.index(b"\r\n")].split(b" ")[1].decode())
            data = data[after:]
        self._unread = data

    def _take(self, target: str) -> None:
        if target.startswith("/_bench"):
            self.transport.write(self._vendor.control(target))
        elif self._vendor.latency:
            asyncio.get_running_loop().call_later(self._vendor.latency, self._send, self._vendor.answer(target))
        else:
            self.transport.write(self._vendor.answer(target))

    def _send(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


def _length(head: bytes) -> int:
    head = head.lower()
    at = head.find(LENGTH)
    return 0 if at < 0 else int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0])


async def serve(port: int) -> None:
    vendor = Vendor(datetime.now(UTC))
    server = await asyncio.get_running_loop().create_server(lambda: Connection(vendor), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
