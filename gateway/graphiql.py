"""GraphiQL, in development. The page takes a query as `q` and headers as `headers` from its address."""

from functools import cache
from importlib.resources import files
from urllib.parse import quote

import orjson
from starlette.responses import HTMLResponse


@cache
def _html() -> str:
    return (files("strawberry") / "static" / "graphiql.html").read_text(encoding="utf-8")


def page() -> HTMLResponse:
    return HTMLResponse(_html())


def address(base: str, query: str, key: str) -> str:
    """Where GraphiQL opens with a query in it and a key already entered."""
    headers = orjson.dumps({"authorization": f"Bearer {key}"}).decode()
    return f"{base}/graphql?q={quote(query)}&headers={quote(headers)}"
