"""The composition root: from the settings to an application that serves."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.http import new_client
from connectors.registry import CONNECT
from domain.model import Organization
from domain.refs import Kind, Ref
from gateway import errors
from gateway.accept import JSON
from gateway.answers import response
from gateway.auth import Authenticator
from gateway.graphql import Endpoint
from gateway.health import Health
from gateway.settings import Settings
from journal.store import open_store, secret
from resolvers.context import Graph
from resolvers.cursors import CursorSigner
from resolvers.sources import Source
from schema.root import build


def tenants(settings: Settings) -> Mapping[str, Organization]:
    return {
        organization.key: Organization(
            ref=Ref(Kind.ORGANIZATION, "", organization.key), name=organization.name, parent_ref=None
        )
        for organization in settings.organizations
    }


def sources(settings: Settings, client: httpx2.AsyncClient) -> Mapping[str, Source]:
    return {
        account.key: Source(CONNECT[account.vendor](account.account(), client), account.cache_times())
        for account in settings.accounts
    }


async def no_route(_: Request, error: Exception) -> Response:
    """What no route takes, in the shape that callers of a graph read."""
    assert isinstance(error, HTTPException)
    return response(errors.of_status(error.status_code, error.detail), error.status_code, JSON, error.headers or {})


def create_app(settings: Settings) -> Starlette:
    """Raises StoreError where the store cannot be used."""
    store = open_store(settings.store.url.get_secret_value())
    client = new_client()
    signer = CursorSigner(secret(store, "cursors", secrets.token_bytes(32)))
    graph = Graph(tenants(settings), sources(settings, client), signer)
    development = settings.server.environment == "development"
    schema = build(introspection=development)
    authenticator = Authenticator(settings.auth.keys, list(graph.tenants), store)
    endpoint = Endpoint(schema, graph, authenticator, development=development)
    health = Health(graph, store)

    async def sdl(_: Request) -> Response:
        return PlainTextResponse(schema.as_str() + "\n")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        for source in graph.sources.values():
            await source.aclose()
        await client.aclose()
        await authenticator.aclose()
        store.dispose()

    routes = [
        Route("/graphql", endpoint.serve, methods=["GET", "POST"]),
        Route("/healthz", health.alive),
        Route("/readyz", health.ready),
        Route("/metrics", health.metrics),
    ]
    if development:
        routes.append(Route("/schema.graphql", sdl))
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: no_route})
