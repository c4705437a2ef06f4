"""Hostile requests, byte for byte as they go over the wire, and what may come back: a refusal, and never a fault.

`CANARY` stands wherever a caller might put a secret by mistake: no log may hold it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.running import ADMIN

CANARY = "c4n4ry-5ecret"
GRAPH = "/graphql"
QUERY = "{ viewer { name } }"
BODY = json.dumps({"query": QUERY}).encode()
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Hostile:
    """`raw` is a whole request; `may_answer`: whether to be answered with data is as good as a refusal."""

    name: str
    raw: bytes
    may_answer: bool = False


def request(
    method: str = "POST",
    path: str = GRAPH,
    body: bytes = b"",
    *,
    headers: Mapping[str, str | bytes] | None = None,
    media: str | None = JSON,
    key: str | None = ADMIN,
) -> bytes:
    """`headers`: None takes a usual one away; bytes go as they are."""
    told: dict[str, str | bytes] = {"Host": "gateway.test", "Connection": "close"}
    if key is not None:
        told["Authorization"] = f"Bearer {key}"
    if media is not None:
        told["Content-Type"] = media
    if method not in ("GET", "HEAD"):
        told["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1".encode()]
    for name, value in {**told, **(headers or {})}.items():
        lines.append(f"{name}: ".encode() + (value if isinstance(value, bytes) else value.encode()))
    return b"\r\n".join([*lines, b"", b""]) + body


def asks(query: str, **more: Any) -> bytes:
    return request(body=json.dumps({"query": query, **more}).encode())


def corpus() -> list[Hostile]:
    found = [*no_http(), *heads(), *paths(), *bodies(), *values(), *documents(), *floods(), *keys(), *browsers()]
    names = [one.name for one in found]
    assert len(set(names)) == len(names)
    return found


def no_http() -> Iterator[Hostile]:
    yield Hostile("garbage", b"\x00\xff\xfe\x01\x02garbage\r\n\r\n")
    yield Hostile("a TLS greeting", bytes.fromhex("1603010200010001fc0303") + b"\x00" * 64 + b"\r\n\r\n")
    yield Hostile("a version that there is not", b"POST /graphql HTTP/9.9\r\nHost: x\r\n\r\n")
    yield Hostile("another protocol", b"EHLO gateway.test\r\n\r\n")
    yield Hostile("a negative length", request(headers={"Content-Length": "-5"}, body=BODY))
    yield Hostile("a length of words", request(headers={"Content-Length": "many"}, body=BODY))
    yield Hostile("a length of forty digits", request(headers={"Content-Length": "9" * 40}, body=BODY))
    yield Hostile(
        "two lengths", request(body=BODY).replace(b"Content-Length", b"Content-Length: 3\r\nContent-Length", 1)
    )
    yield Hostile(
        "a length and chunks",
        request(headers={"Transfer-Encoding": "chunked"}, body=b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
    )
    chunked = request(headers={"Transfer-Encoding": "chunked"}).replace(b"Content-Length: 0\r\n", b"")
    yield Hostile("a chunk of no size", chunked + b"zz\r\n{}\r\n0\r\n\r\n")
    yield Hostile("a space before a colon", b"GET /graphql HTTP/1.1\r\nHost : x\r\nConnection: close\r\n\r\n")
    yield Hostile("chunks larger than any number", chunked + b"f" * 17 + b"\r\n" + BODY)
    yield Hostile("a body of chunks of a byte", chunked + b"1\r\n \r\n" * 300_000 + b"0\r\n\r\n")
    after = b"X-Injected: a\r\n" * 100_000
    yield Hostile("100000 headers after the body", chunked + b"1\r\n{\r\n0\r\n" + after + b"\r\n")
    for line in ("CONNECT a.test:443", "CONNECT /graphql", "OPTIONS *", "GET http://[::1/graphql", "GET graphql"):
        yield Hostile(f"the line {line}", f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    yield Hostile("a NUL in a header", request(headers={"X-Thing": b"a\x00b"}, body=BODY))
    yield Hostile("a bare CR in a header", request(headers={"X-Thing": b"a\rSet-Cookie: b=c"}, body=BODY))


def heads() -> Iterator[Hostile]:
    yield Hostile("a header of 200 kB", request(headers={"X-Thing": "a" * 200_000}, body=BODY))
    yield Hostile("ten thousand headers", request(headers={f"X-{at}": "a" * 8 for at in range(10_000)}, body=BODY))
    yield Hostile("an address of 100 kB", request("GET", f"{GRAPH}?query={'a' * 100_000}"))
    crlf = request(headers={"X-Request-Id": f"a\r\nX-Injected: {CANARY}"}, body=b"{")
    yield Hostile("CRLF in a header", crlf)
    yield Hostile("a request id of 10 kB", request(headers={"X-Request-Id": CANARY * 800}, body=b"{"))
    yield Hostile("a trace that is none", request(headers={"Traceparent": f"00-{CANARY}"}, body=b"{"))
    yield Hostile(
        "an upgrade to what is not spoken", request(headers={"Upgrade": "h2c", "Connection": "Upgrade, close"})
    )
    yield Hostile("an encoding that is not spoken", request(headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8b\x08"))
    yield Hostile("a forwarded address of nonsense", request(headers={"X-Forwarded-For": f"{CANARY}, ::"}, body=b"{"))


def paths() -> Iterator[Hostile]:
    for path in (
        "/graphql/",
        "//graphql",
        "/graphql/../metrics/x",
        "/graphql%00",
        "/graphql/%2e%2e/%2e%2e/etc/passwd",
        "/%ff%fe",
        "/graphql;a=b",
        f"/{CANARY}",
        "/exports/../graphql",
        "/exports/sales.xml",
        "/webhooks/nobody/%2e%2e/x",
        "/.env",
    ):
        yield Hostile(f"the path {path}", request("GET", path))
    yield Hostile("a path of letters that are no ASCII", request("GET", "/caf\u00e9"))
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND"):
        yield Hostile(f"the method {method}", request(method, GRAPH, BODY))
    yield Hostile("a webhook of nobody", request(path=f"/webhooks/{CANARY}", body=BODY))
    yield Hostile("an export of nonsense", request("GET", f"/exports/sales.csv?from={CANARY}&after=%00"))


def bodies() -> Iterator[Hostile]:
    for body in (
        b"",
        b"5",
        b"null",
        b'"x"',
        b"true",
        b"[]",
        b"{",
        b"{}",
        b"\xff\xfe{}",
        b"NaN",
        b"\x00",
        b'{"query": 1}',
    ):
        yield Hostile(f"the body {body!r}", request(body=body))
    yield Hostile("UTF-16", request(body=json.dumps({"query": QUERY}).encode("utf-16")))
    yield Hostile("letters that are none", request(body=b'{"query": "{ viewer { name } } \xc3\x28"}'))
    yield Hostile("a batch", request(body=b"[" + b",".join([BODY] * 100) + b"]"))
    yield Hostile("JSON 100000 deep", request(body=b'{"query": "{ a }", "variables": ' + b"[" * 100_000 + b"}"))
    yield Hostile("objects 10000 deep", request(body=b'{"a":' * 10_000 + b"1" + b"}" * 10_000))
    yield Hostile("a body of 2 MB", request(body=b'{"query": "' + b"a" * 2_000_000 + b'"}'))
    yield Hostile("a key twice", request(body=b'{"query": "{", "query": "}"}'))
    yield Hostile("a member for prototypes", request(body=b'{"__proto__": {"query": "{ viewer { name } }"}}'))
    yield Hostile("a constructor", request(body=b'{"constructor": {"prototype": {"query": "{ a }"}}}'))
    for media in ("text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "", "a/b" * 99):
        yield Hostile(f"the media type {media[:40]!r}", request(body=BODY, media=media))
    yield Hostile("no media type", request(body=BODY, media=None))


def values() -> Iterator[Hostile]:
    by_id = "query($id: ID!) { node(id: $id) { id } }"
    for name, value in {"NUL": "\0", "half a pair": "\ud800", "a list": ["a"], "an object": {"a": 1}}.items():
        yield Hostile(f"an id that is {name}", asks(by_id, variables={"id": value}), may_answer=True)
    long = '{"query": "query($n: Int) { machines(first: $n) { totalCount } }", "variables": {"n": %s}}'
    for name, number in {
        "5000 digits": "9" * 5_000,
        "1e400": "1e400",
        "-1e99999": "-1e99999",
        "2^63": str(2**63),
    }.items():
        yield Hostile(f"the number {name}", request(body=(long % number).encode()))
    yield Hostile(
        "a number of 5000 digits in a document", asks(f"{{ machines(first: {'9' * 5_000}) {{ totalCount }} }}")
    )
    yield Hostile("a page of minus one", asks("{ machines(first: -1) { totalCount } }"))
    yield Hostile("a page of a million", asks("{ machines(first: 1000000) { totalCount } }"))
    yield Hostile("a cursor that is forged", asks(f'{{ machines(first: 1, after: "{CANARY}") {{ totalCount }} }}'))
    by_filter = "query($f: MachineFilter) { machines(filter: $f) { totalCount } }"
    for count in (25_000, 2_000):
        members = {f"{at:x}": 1 for at in range(count)}
        yield Hostile(f"a filter of {count} unknown members", asks(by_filter, variables={"f": members}))
    vendors = {"vendors": ["X"] * 1_900}
    yield Hostile("a filter of 1900 unknown vendors", asks(by_filter, variables={"f": vendors}))
    yield Hostile("variables that are a text", asks(QUERY, variables=CANARY))
    yield Hostile("variables of prototypes", asks(by_id, variables={"__proto__": {"id": "x"}}))
    yield Hostile("an operation's name that is a list", asks(QUERY, operationName=["a"]))
    yield Hostile("an operation that there is not", asks(QUERY, operationName=CANARY))
    yield Hostile("extensions that are a list", asks(QUERY, extensions=[1]))
    yield Hostile(
        "a hash that is none", asks(QUERY, extensions={"persistedQuery": {"version": 1, "sha256Hash": "../x"}})
    )
    yield Hostile("a document by a path", request(body=b'{"documentId": "../../etc/passwd"}'))
    yield Hostile("SQL in a filter", asks('{ node(id: "x\' OR 1=1; DROP TABLE facts --") { id } }'), may_answer=True)


def documents() -> Iterator[Hostile]:
    for query in (
        "{",
        "}",
        "query",
        "{ nothing }",
        "{ viewer { } }",
        "{ viewer { name } } }",
        "type A { b: Int }",
        "\0",
        "# only",
        "{ viewer }",
    ):
        yield Hostile(f"the document {query!r}", asks(query))
    yield Hostile("a fragment in a circle", asks("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"))
    yield Hostile("a fragment of itself", asks("{ ...a } fragment a on Query { ...a }"))
    yield Hostile("a fragment that there is not", asks("{ ...nothing }"))
    yield Hostile("a subscription by POST", asks("subscription { sales { cursor } }"))
    mutation = quote('mutation { sendDeposit(input: {machineId: "x", amount: "1"}) { errors { message } } }')
    yield Hostile("a mutation by GET", request("GET", f"{GRAPH}?query={mutation}"))
    yield Hostile("a GET without a query", request("GET", f"{GRAPH}?variables=%7B"))
    yield Hostile("a GET with half a letter", request("GET", f"{GRAPH}?query=%7B%c3%28%7D"))
    yield Hostile("directives that there are not", asks("{ viewer @evil { name } }"))
    yield Hostile("events of nothing", request(body=b"{", headers={"Accept": "text/event-stream"}))


def floods() -> Iterator[Hostile]:
    bomb = "".join(f"fragment f{at} on Query {{ ...f{at + 1} ...f{at + 1} }} " for at in range(45))
    yield Hostile("a bomb of fragments", asks(f"{{ ...f0 }} {bomb} fragment f45 on Query {{ viewer {{ name }} }}"))
    yield Hostile(
        "3000 unused fragments", asks(QUERY + "".join(f" fragment f{at} on Query {{ a }}" for at in range(3000)))
    )
    yield Hostile("3000 aliases", asks("{" + " ".join(f"a{at}: viewer {{ name }}" for at in range(3000)) + "}"))
    yield Hostile("one field 3000 times", asks("{" + "viewer { name } " * 3000 + "}"))
    yield Hostile("3000 directives", asks("{ viewer { name " + "@include(if: true) " * 3000 + "} }"))
    yield Hostile("a directive 200 times", asks("{ viewer " + "@a " * 200 + "{ name } }"))
    yield Hostile("200 levels", asks("{ a " * 200 + "}" * 200))
    yield Hostile("lists 2000 deep", asks("{ node(id: " + "[" * 2000 + "]" * 2000 + ") { id } }"))
    yield Hostile("500 operations", asks(" ".join(f"query q{at} {{ viewer {{ name }} }}" for at in range(500))))
    yield Hostile(
        "500 variables", asks("query(" + " ".join(f"$v{at}: Int" for at in range(500)) + ") { viewer { name } }")
    )
    yield Hostile("a name of 100 kB", asks("{ " + "a" * 100_000 + " }"))
    yield Hostile("a comment of 100 kB", asks("#" + "a" * 100_000 + "\n{ viewer { name } }"))
    yield Hostile("100000 commas", asks("{ viewer" + "," * 100_000 + "{ name } }"))
    yield Hostile("an open text of 100 kB", asks('{ node(id: "' + "a" * 100_000))
    sales = "sales(first: 100) { nodes { machine { sales(first: 100) { nodes { id } } } } }"
    nested = f"{{ machines(first: 100) {{ nodes {{ {sales} }} }} }}"
    yield Hostile("a million sales", asks(nested))


def keys() -> Iterator[Hostile]:
    for name, key in {
        "none": None,
        "a wrong one": f"vg_{CANARY}",
        "one of 100 kB": "k" * 50_000,
        "SQL": "' OR '1'='1",
    }.items():
        yield Hostile(f"a key that is {name}", request(body=BODY, key=key))
    unsigned = "eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ."
    yield Hostile("a token without signature", request(body=BODY, key=unsigned))
    yield Hostile("another scheme", request(body=BODY, headers={"Authorization": f"Basic {CANARY}"}))
    yield Hostile("a key of odd bytes", request(body=BODY, headers={"Authorization": b"Bearer \xff\xfe"}))


def browsers() -> Iterator[Hostile]:
    yield Hostile("a page elsewhere", request(body=BODY, headers={"Origin": "https://evil.test"}))
    yield Hostile("a page of nowhere", request(body=BODY, headers={"Origin": "null"}))
    yield Hostile("an origin of nonsense", request(body=BODY, headers={"Origin": f"https://[{CANARY}"}))
    yield Hostile(
        "a form elsewhere", request("GET", f"{GRAPH}?query=%7Ba%7D", headers={"Sec-Fetch-Site": "cross-site"})
    )
    preflight = {"Origin": "https://evil.test", "Access-Control-Request-Method": "POST"}
    yield Hostile("a preflight from elsewhere", request("OPTIONS", headers=preflight))


FRAMES: Mapping[str, tuple[str | bytes, ...]] = {
    "no JSON": ("{",),
    "no object": ("5",),
    "null": ("null",),
    "bytes": (b"\x00\xff",),
    "a kind that there is not": ('{"type": "start"}',),
    "a kind for prototypes": ('{"type": "__proto__", "constructor": {}}',),
    "JSON 100000 deep": ("[" * 100_000,),
    "a number of 5000 digits": (f'{{"type": "ping", "payload": {{"a": {"9" * 5_000}}}}}',),
    "half a pair": ('{"type": "\\ud800"}',),
    "two beginnings": ('{"type": "connection_init"}', '{"type": "connection_init"}'),
    "a wrong key": (json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {CANARY}"}}),),
    "a key that is a list": ('{"type": "connection_init", "payload": {"authorization": ["a"]}}',),
    "an operation before the beginning": ('{"id": "1", "type": "subscribe", "payload": {"query": "{ a }"}}',),
    "a payload that is a list": ('{"type": "connection_init", "payload": []}',),
    "a message of 1 MB": ("a" * 1_000_000,),
}
