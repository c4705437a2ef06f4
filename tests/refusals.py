"""One operation over each transport, for what is refused over all of them alike."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from tests.following import Socket
from tests.running import ADMIN, Gateway

Payload = dict[str, Any]
Answer = dict[str, Any]


async def by_post(gateway: Gateway, payload: Payload, key: str = ADMIN) -> Answer:
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.post(f"{gateway.base}/graphql", json=payload, headers=_headers(key))
    found: Answer = answer.json()
    return found


async def by_get(gateway: Gateway, payload: Payload, key: str = ADMIN) -> Answer:
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.get(f"{gateway.base}/graphql", params=parameters(payload), headers=_headers(key))
    found: Answer = answer.json()
    return found


async def by_events(gateway: Gateway, payload: Payload, key: str = ADMIN) -> Answer:
    headers = {**_headers(key), "accept": "text/event-stream"}
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.post(f"{gateway.base}/graphql", json=payload, headers=headers)
    (data,) = (line for line in answer.text.splitlines() if line.startswith("data: "))
    found: Answer = json.loads(data.removeprefix("data: "))
    return found


async def by_socket(gateway: Gateway, payload: Payload, key: str = ADMIN) -> Answer:
    async with Socket(gateway, key) as socket:
        await socket.say({"id": "1", "type": "subscribe", "payload": payload})
        message = await socket.hear()
    found: Answer = {"errors": message["payload"]} if message["type"] == "error" else message["payload"]
    return found


TRANSPORTS: dict[str, Callable[..., Awaitable[Answer]]] = {
    "POST": by_post,
    "GET": by_get,
    "events": by_events,
    "socket": by_socket,
}


def parameters(payload: Payload) -> dict[str, str]:
    """As they stand in an address."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in payload.items()}


def codes(answer: Answer) -> set[str]:
    return {error["extensions"]["code"] for error in answer.get("errors", ())}


def _headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}
