"""Alive, able to serve, and how it goes, for whoever watches."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from connectors.breaker import Reason
from domain.commands import OPEN, CommandStatus
from domain.model import AccountStatus
from domain.times import utc_now
from gateway.graphql import Endpoint
from journal.commands import open_counts
from journal.reports import Counts
from journal.tables import api_keys
from resolvers.context import Graph
from resolvers.sources import ACTS

LABELS = ("account", "vendor")
OUTCOMES = ("accepted", "duplicates", "rejected", "quarantined")
PATIENCE = 2.0  # seconds that the store may take


class Accounts(Collector):
    """What the accounts count themselves, read when it is asked for."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "vendgraph_vendor_requests", "Requests sent to vendors.", labels=(*LABELS, "outcome")
        )
        status = GaugeMetricFamily(
            "vendgraph_account_status", "1 for the status that an account has.", labels=(*LABELS, "status")
        )
        left = GaugeMetricFamily(
            "vendgraph_vendor_budget_remaining", "Requests left in the tightest budget.", labels=LABELS
        )
        drift = CounterMetricFamily(
            "vendgraph_vendor_drift",
            "Differences between vendors' answers and what they are taken to be.",
            labels=(*LABELS, "operation", "kind"),
        )
        for source in self._graph.sources.values():
            labels = (source.key, source.vendor.value)
            for (operation, kind), count in list(source.account.drifts.counts.items()):
                drift.add_metric((*labels, operation, kind.value), count)
            for outcome, count in source.connector.guard.outcomes.items():
                requests.add_metric((*labels, outcome), count)
            for one in AccountStatus:
                status.add_metric((*labels, one.value), float(source.status is one))
            if source.rate_limit is not None:
                left.add_metric(labels, source.rate_limit.remaining)
        yield from (requests, status, left, drift, self._latency(), self._breakers())

    def _latency(self) -> Metric:
        found = HistogramMetricFamily(
            "vendgraph_vendor_request_seconds", "How long requests to vendors took.", labels=LABELS
        )
        for source in self._graph.sources.values():
            latency = source.connector.guard.latency
            found.add_metric((source.key, source.vendor.value), list(latency.buckets()), latency.sum)
        return found

    def _breakers(self) -> Metric:
        found = GaugeMetricFamily(
            "vendgraph_vendor_breaker_open", "1 for why an account is left alone.", labels=(*LABELS, "reason")
        )
        for source in self._graph.sources.values():
            for reason in Reason:
                open_ = source.connector.guard.left_alone is reason
                found.add_metric((source.key, source.vendor.value, reason.value), float(open_))
        return found


class Caches(Collector):
    """What was taken from the caches, and how old the lists in them are."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def collect(self) -> Iterable[Metric]:
        reads = CounterMetricFamily("vendgraph_cache_reads", "Reads of caches.", labels=(*LABELS, "outcome"))
        ages = GaugeMetricFamily(
            "vendgraph_list_age_seconds", "How long ago a list was read from its vendor.", labels=(*LABELS, "list")
        )
        again = CounterMetricFamily(
            "vendgraph_vendor_unchanged", "Answers that told the same as one before.", labels=LABELS
        )
        now = utc_now()
        for source in self._graph.sources.values():
            labels, counts = (source.key, source.vendor.value), source.cache_counts
            reads.add_metric((*labels, "hit"), counts.hits)
            reads.add_metric((*labels, "miss"), counts.misses)
            for name, told_at in source.told_at.items():
                ages.add_metric((*labels, name), max(0.0, (now - told_at).total_seconds()))
            again.add_metric(labels, source.account.unchanged.found[source.key])
        yield from (reads, ages, again)


class Recorded(Collector):
    """What the store tells of webhooks, commands and the journal, as read last; nothing where it could not be read."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._metrics: Sequence[Metric] = ()

    def collect(self) -> Iterable[Metric]:
        return self._metrics

    async def read(self) -> None:
        journal = self._graph.journal
        seen = journal.tail.head  # before the end is read, so that what comes in between counts as unread
        try:
            async with asyncio.timeout(PATIENCE):
                counts, end, commands = await asyncio.gather(
                    journal.counts(), journal.head(), asyncio.to_thread(open_counts, journal.engine)
                )
        except (SQLAlchemyError, TimeoutError):
            self._metrics = ()
        else:
            self._metrics = (self._webhooks(counts), self._commands(commands), *_journal(end, end - seen))

    def _webhooks(self, counts: Mapping[str, Counts]) -> Metric:
        found = CounterMetricFamily("vendgraph_webhooks", "Deliveries of webhooks.", labels=(*LABELS, "outcome"))
        for source in self._graph.sources.values():
            if source.hooked:
                counted = counts.get(source.key, Counts())
                for outcome in OUTCOMES:
                    found.add_metric((source.key, source.vendor.value, outcome), getattr(counted, outcome))
        return found

    def _commands(self, counts: Mapping[tuple[str, CommandStatus], int]) -> Metric:
        """Of accounts that take any; those that have come to an end are no state to watch."""
        found = GaugeMetricFamily("vendgraph_commands", "Commands that are not at an end.", labels=(*LABELS, "status"))
        for source in self._graph.sources.values():
            for status in CommandStatus if ACTS & source.connector.capabilities else ():
                if status in OPEN:
                    labels = (source.key, source.vendor.value, status.value)
                    found.add_metric(labels, counts.get((source.key, status), 0))
        return found


def _journal(end: int, unread: int) -> Iterable[Metric]:
    yield GaugeMetricFamily("vendgraph_journal_head", "The number of the journal's newest entry.", end)
    yield GaugeMetricFamily("vendgraph_journal_unread", "Newest entries that this process has not read yet.", unread)


class Live(Collector):
    """How many follow, and how much of the work for them is shared: executions against messages."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def collect(self) -> Iterable[Metric]:
        subscriptions = self._endpoint.subscriptions
        yield GaugeMetricFamily("vendgraph_sockets", "WebSockets that are open.", self._endpoint.sockets.open)
        yield GaugeMetricFamily("vendgraph_subscribers", "Subscriptions that go on.", subscriptions.subscribers)
        yield CounterMetricFamily(
            "vendgraph_subscription_executions", "Messages that were executed and encoded.", subscriptions.executed
        )
        yield CounterMetricFamily(
            "vendgraph_subscription_messages", "Messages that were told to a subscriber.", subscriptions.told
        )
        yield from self._answers()
        yield from self._pressure()

    def _answers(self) -> Iterable[Metric]:
        execution = self._endpoint.execution
        queries = CounterMetricFamily("vendgraph_queries", "Queries, by what answered them.", labels=("by",))
        told = {"kept": execution.kept.hits, "compiled": execution.compiled, "graphql-core": execution.left}
        for by, count in told.items():
            queries.add_metric((by,), count)
        yield queries
        yield GaugeMetricFamily("vendgraph_kept_bytes", "Bytes of answers that are kept.", execution.kept.size)
        pieces = CounterMetricFamily(
            "vendgraph_pieces", "Pieces that answers were joined of, or made for.", labels=("was",)
        )
        for was, count in {"kept": execution.pieces.hits, "made": execution.pieces.misses}.items():
            pieces.add_metric((was,), count)
        yield pieces
        yield GaugeMetricFamily("vendgraph_pieces_bytes", "Bytes of pieces that are kept.", execution.pieces.size)
        yield CounterMetricFamily(
            "vendgraph_short_road", "Requests that were answered on the short road.", self._endpoint.short
        )
        yield CounterMetricFamily(
            "vendgraph_made_anew", "Requests of the short road whose answers were not kept.", self._endpoint.made
        )
        yield CounterMetricFamily(
            "vendgraph_unread", "Requests of the short road that were known as they came.", self._endpoint.unread
        )

    def _pressure(self) -> Iterable[Metric]:
        capacity = self._endpoint.capacity
        yield GaugeMetricFamily(
            "vendgraph_operations",
            "Operations that are under way, subscriptions among them.",
            len(capacity.operations_of),
        )
        lag = capacity.lag
        yield GaugeMetricFamily(
            "vendgraph_event_loop_lag_seconds",
            "How late the event loop was at worst, of the last ten seconds.",
            lag.worst,
        )
        yield GaugeMetricFamily("vendgraph_shedding", "1 while callers are turned away.", float(lag.shedding))
        yield CounterMetricFamily("vendgraph_shed_requests", "Requests that were turned away.", lag.shed)


class Health:
    def __init__(self, graph: Graph, store: Engine, endpoint: Endpoint) -> None:
        self._store = store
        self._registry = CollectorRegistry()
        self._registry.register(Accounts(graph))
        self._registry.register(Caches(graph))
        self._recorded = Recorded(graph)
        self._registry.register(self._recorded)
        self._registry.register(Live(endpoint))

    async def alive(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def ready(self, _: Request) -> Response:
        try:
            await asyncio.wait_for(asyncio.to_thread(self._ask), timeout=PATIENCE)
        except (SQLAlchemyError, TimeoutError):
            return PlainTextResponse("the store does not answer", 503)
        return PlainTextResponse("ok")

    async def metrics(self, _: Request) -> Response:
        await self._recorded.read()
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def _ask(self) -> None:
        with self._store.connect() as connection:
            connection.execute(select(api_keys.c.id).limit(1))
