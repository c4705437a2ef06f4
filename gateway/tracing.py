"""Spans of operations and of requests to vendors, for who collects them. This one costs nothing and tells nobody;

`gateway.otel`, which needs the extra `otel`, is imported only where the configuration turns it on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from pydantic import Field
from starlette.middleware import Middleware

from connectors.base import Connector
from connectors.reaching import Reach
from gateway.admission import Asked
from gateway.fields import Address, Section, Text

Tell = Callable[[Sequence[Mapping[str, Any]]], None]  # the errors that an operation was answered with
LACKING = "tracing needs the extra: pip install 'vendgraph[otel]'"


class TracingError(Exception):
    """The message says what is missing."""


class TracingSettings(Section):
    """`endpoint`: of a collector that speaks OTLP over HTTP; what is not told here is told by variables OTEL_*.
    `sampled`: the share of operations, where the caller has not decided."""

    enabled: bool = False
    endpoint: Address | None = None
    service: Text | None = None
    sampled: float | None = Field(default=None, ge=0, le=1)


def silent(_: Sequence[Mapping[str, Any]]) -> None:
    pass


class Tracing:
    @property
    def middleware(self) -> Sequence[Middleware]:
        return ()

    def operation(self, asked: Asked, request_id: str) -> AbstractContextManager[Tell]:  # noqa: ARG002  others read them
        return nullcontext(silent)

    def follow(self, connectors: Iterable[Connector]) -> None:
        """Hears of every request that goes to a vendor."""

    async def aclose(self) -> None:
        """Sends what is left."""


def tracing_of(settings: TracingSettings, reach: Reach = Reach.ANYWHERE) -> Tracing:
    """`reach`: where an endpoint of the configuration may lead. Raises TracingError."""
    if not settings.enabled:
        return Tracing()
    try:
        from gateway.otel import Otel  # noqa: PLC0415  an extra, and slow to import
    except ImportError:
        raise TracingError(LACKING) from None
    return Otel(settings, reach)
