"""A client that follows a subscription over server-sent events."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import orjson

DATA = "data: "


@asynccontextmanager
async def following(base: str, key: str, subscription: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The results from when this is entered on. Raises httpx2.HTTPError where it is refused, or breaks off."""
    headers = {"authorization": f"Bearer {key}", "accept": "text/event-stream"}
    async with (
        httpx2.AsyncClient(timeout=None, trust_env=False) as client,
        client.stream("POST", f"{base}/graphql", json={"query": subscription}, headers=headers) as response,
    ):
        response.raise_for_status()
        yield _results(response)


async def _results(response: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in response.aiter_lines():
        if line.startswith(DATA):
            yield orjson.loads(line.removeprefix(DATA))
