"""The composition root: from the settings to an application that serves."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import httpx2
import strawberry
from redis.asyncio import Redis
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from connectors.base import Connector
from connectors.http import new_client
from connectors.registry import CONNECT
from connectors.shared import RedisLink, RedisShared, Shared
from connectors.unchanged import Unchanged
from domain.model import Organization
from domain.refs import Kind, Ref
from gateway import errors, graphiql
from gateway.accept import JSON
from gateway.answers import response
from gateway.auth import Authenticator
from gateway.background import Background
from gateway.browsers import Browsers
from gateway.capacity import Capacity
from gateway.exports import Exports
from gateway.graphql import Endpoint
from gateway.health import Health
from gateway.meanings import meanings
from gateway.persisted import texts
from gateway.quotas import quotas
from gateway.request_ids import RequestIds, tell_refused
from gateway.road import Road, ShortRoad
from gateway.settings import Settings
from gateway.shedding import Shedding
from gateway.streams import USUAL, Pace
from gateway.tokens import Tokens
from gateway.tracing import Tracing, tracing_of
from gateway.webhooks import Webhooks
from journal.bus import Bus, RedisBus
from journal.journal import Journal
from journal.leases import Leases, RedisLeases, StoreLeases
from journal.store import open_store, secret
from resolvers.context import Graph
from resolvers.cursors import CursorSigner
from resolvers.dispatcher import Dispatcher
from resolvers.sources import Source
from schema.root import build


def tenants(settings: Settings) -> Mapping[str, Organization]:
    return {
        organization.key: Organization(
            ref=Ref(Kind.ORGANIZATION, "", organization.key), name=organization.name, parent_ref=None
        )
        for organization in settings.organizations
    }


def connected(
    settings: Settings, client: httpx2.AsyncClient, share: Callable[[str], Shared | None] = lambda _: None
) -> Mapping[str, Connector]:
    """By account. `share(key)`: what an account has in common with other gateways.

    Raises ValueError where an account's settings cannot be meant."""
    base, unchanged = settings.server.public_url, Unchanged()
    return {
        one.key: CONNECT[one.vendor](
            replace(
                one.account(),
                shared=share(one.key),
                webhooks_url=None if base is None else f"{base}/webhooks/{one.key}",
                reach=settings.server.reach,
                unchanged=unchanged,
            ),
            client,
        )
        for one in settings.accounts
    }


def link(settings: Settings) -> RedisLink | None:
    """None where the gateway is alone."""
    url = settings.bus.url.get_secret_value()
    return None if url.startswith("memory:") else RedisLink.to(url)


def leases(store: Engine, common: RedisLink | None) -> Leases:
    """This process's: it has a name of its own among those that share the store."""
    own = StoreLeases(store, secrets.token_hex(8))
    return own if common is None else RedisLeases(common, own, secret(store, "leases", secrets.token_bytes(8)).hex())


def sources(settings: Settings, connectors: Mapping[str, Connector], journal: Journal) -> Mapping[str, Source]:
    return {
        account.key: Source(connectors[account.key], account.cache_times(), journal) for account in settings.accounts
    }


def bus(settings: Settings) -> Bus:
    """Its listening lasts as long as nothing happens, so that it has a connection without a time limit."""
    url = settings.bus.url.get_secret_value()
    return Bus() if url.startswith("memory:") else RedisBus(Redis.from_url(url))


async def no_route(_: Request, error: Exception) -> Response:
    """What no route takes, in the shape that callers of a graph read."""
    assert isinstance(error, HTTPException)
    return response(errors.of_status(error.status_code, error.detail), error.status_code, JSON, error.headers or {})


async def no_socket(socket: WebSocket) -> None:
    """Elsewhere there are no sockets."""
    tell_refused(socket.scope, 404)
    await socket.send_denial_response(response(errors.of_status(404, "Not Found"), 404, JSON, {}))


def graph_of(settings: Settings, store: Engine, connectors: Mapping[str, Connector]) -> Graph:
    journal = Journal(store, bus(settings), meanings(connectors))
    signer = CursorSigner(secret(store, "cursors", secrets.token_bytes(32)))
    dispatcher = Dispatcher(journal, answer_seconds=settings.commands.answer_seconds)
    accounts = sources(settings, connectors, journal)
    return Graph(tenants(settings), accounts, signer, journal, dispatcher, quotas(settings))


def lifespan(
    background: Background,
    capacity: Capacity,
    closed: Sequence[Callable[[], Awaitable[None]]],
    store: Engine,
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """`closed`: at the end, in this order, before the store."""

    @asynccontextmanager
    async def lasting(_: Starlette) -> AsyncIterator[None]:
        await background.start()
        async with capacity.lag.watched():
            yield
        for close in closed:
            await close()
        store.dispose()

    return lasting


def routes(endpoint: Endpoint, webhooks: Webhooks, health: Health) -> list[BaseRoute]:
    return [
        Route("/graphql", endpoint.serve, methods=["GET", "POST"]),
        WebSocketRoute("/graphql", endpoint.sockets),
        Route("/webhooks/{account}", webhooks.receive, methods=["POST"]),
        Route("/webhooks/{account}/{machine}/{token}", webhooks.receive, methods=["POST"]),
        Route("/healthz", health.alive),
        Route("/readyz", health.ready),
        Route("/metrics", health.metrics),
        WebSocketRoute("/{path:path}", no_socket),
    ]


def for_development(schema: strawberry.Schema) -> list[BaseRoute]:
    async def sdl(_: Request) -> Response:
        return PlainTextResponse(schema.as_str() + "\n")

    return [Route("/graphiql/{name}", graphiql.file), Route("/schema.graphql", sdl)]


def shared_over(common: RedisLink | None, store: Engine) -> Callable[[str], Shared | None]:
    """What an account has in common with other gateways, by its key."""
    sealing = secret(store, "tokens", secrets.token_bytes(32))
    return lambda key: None if common is None else RedisShared(common, key, sealing)


def authenticator_of(
    settings: Settings, graph: Graph, store: Engine, client: httpx2.AsyncClient, pace: Pace
) -> Authenticator:
    tokens = Tokens(settings.auth.jwt, graph.tenants, client)
    return Authenticator(settings.auth.keys, list(graph.tenants), store, refreshed=pace.keys, tokens=tokens)


def layers(settings: Settings, road: Road | None, capacity: Capacity, tracing: Tracing) -> list[Middleware]:
    """What a request passes, in this order."""
    return [
        *(() if road is None else (Middleware(ShortRoad, road),)),
        Middleware(RequestIds),
        Middleware(Browsers, settings.server),
        Middleware(Shedding, capacity.lag),
        *tracing.middleware,
    ]


def create_app(settings: Settings, pace: Pace = USUAL) -> Starlette:
    """Raises StoreError where the store cannot be used, DocumentsError where the trusted documents cannot be read."""
    development = settings.server.development
    documents = texts(settings.documents, production=not development)
    store = open_store(settings.store.url.get_secret_value())
    client = new_client(settings.server.reach)
    common = link(settings)
    connectors = connected(settings, client, shared_over(common, store))
    graph = graph_of(settings, store, connectors)
    background = Background(graph, graph.journal, leases(store, common), settings)
    draining = asyncio.Event()
    schema = build()
    authenticator = authenticator_of(settings, graph, store, client, pace)
    capacity, tracing = Capacity(settings.capacity), tracing_of(settings.tracing, settings.server.reach)
    tracing.follow(connectors.values())
    endpoint = Endpoint(
        schema,
        graph,
        authenticator,
        draining,
        development=development,
        pace=pace,
        limits=settings.limits,
        texts=documents,
        capacity=capacity,
        tracing=tracing,
    )
    webhooks = Webhooks(graph, graph.journal)
    health = Health(graph, store, endpoint)
    exports = Exports(graph, authenticator, draining, pace)
    road = None if settings.tracing.enabled else Road(endpoint)

    closed = [
        endpoint.streams.aclose,
        graph.dispatcher.aclose,
        background.close,
        *(source.aclose for source in graph.sources.values()),
        authenticator.aclose,
        client.aclose,
        *(() if common is None else (common.aclose,)),
        tracing.aclose,
    ]
    app = Starlette(
        routes=[
            *routes(endpoint, webhooks, health),
            *exports.routes,
            *(for_development(schema) if development else ()),
        ],
        lifespan=lifespan(background, capacity, closed, store),
        exception_handlers={HTTPException: no_route},
        middleware=layers(settings, road, capacity, tracing),
    )
    app.router.redirect_slashes = False  # a redirect is no answer to who speaks GraphQL
    app.state.draining = draining
    app.state.road = road
    app.state.trusted_proxies = settings.server.trusted_proxies
    return app
