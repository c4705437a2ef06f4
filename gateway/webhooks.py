"""Webhooks: verified on the raw bytes, recorded durably, and only then acknowledged. Nothing is published from here."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from connectors.registry import DELIVERED
from connectors.reporting import BindsAddresses, Delivery, Forged, SendsWebhooks
from connectors.reporting import Illegible as IllegibleBody
from domain.errors import BadInput, NotFound, Unauthenticated, VendgraphError, VendorError
from domain.facts import FactKind, Origin
from domain.times import utc_now
from gateway import errors
from journal.appending import Illegible, Report
from journal.journal import Journal
from journal.writer import JournalUnavailable
from resolvers.context import Graph

log = structlog.get_logger()

LARGEST_BODY = 1024 * 1024
LARGE_BODY = 64 * 1024  # bytes: verifying more than that is done beside the event loop
UNKEPT_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
AGAIN_SECONDS = "5"
LONGEST_REASON = 300
REFUSALS: Mapping[int, type[VendgraphError]] = {
    400: BadInput,
    401: Unauthenticated,
    404: NotFound,
    413: BadInput,
    503: VendgraphError,
}


class TooLarge(Exception):
    pass


class Webhooks:
    def __init__(self, graph: Graph, journal: Journal, now: Callable[[], datetime] = utc_now) -> None:
        self._graph = graph
        self._journal = journal
        self._now = now

    async def receive(self, request: Request) -> Response:
        """200 for what is recorded, or was before; anything else asks the vendor to come again, or not at all."""
        account = request.path_params["account"]
        connector = self._receiver(account, request.path_params.get("machine"))
        if connector is None:
            return _answer(404, "there is no such webhook")
        try:
            delivery = await self._delivery(request)
            signed = await _verified(connector, delivery)
            await self._check_binding(account, connector, signed, delivery)
            await self._record(account, connector, signed, delivery)
        except TooLarge:
            self._journal.reject(account)
            return _answer(413, f"a delivery may hold {LARGEST_BODY} bytes")
        except IllegibleBody as illegible:
            self._journal.reject(account)
            return _answer(400, str(illegible))
        except Forged as forged:
            self._journal.reject(account)
            log.warning("webhook refused", account=account, reason=str(forged))
            return _answer(401, "this delivery is not signed as it should be")
        except JournalUnavailable:
            return _answer(503, "it could not be recorded: send it again", {"retry-after": AGAIN_SECONDS})
        return _answer(200, "recorded")

    def _receiver(self, account: str, machine: str | None) -> SendsWebhooks | None:
        source = self._graph.sources.get(account)
        if source is None or source.account.webhook is None or not isinstance(source.connector, SendsWebhooks):
            return None
        return source.connector if source.connector.by_machine is (machine is not None) else None

    async def _delivery(self, request: Request) -> Delivery:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise TooLarge
        except ClientDisconnect:
            raise IllegibleBody("the body ended early") from None
        return Delivery(
            headers=dict(request.headers),
            body=bytes(body),
            received_at=self._now(),
            machine=request.path_params.get("machine"),
            token=request.path_params.get("token"),
        )

    async def _check_binding(self, account: str, connector: SendsWebhooks, signed: object, delivery: Delivery) -> None:
        """Raises Forged where the address is another machine's by now, and JournalUnavailable where that is unknown."""
        binding = connector.binding(signed, delivery) if isinstance(connector, BindsAddresses) else None
        if binding is None:
            return
        some, own = binding
        try:
            known = await self._journal.known(account, FactKind.STATE, binding)
        except SQLAlchemyError as error:
            raise JournalUnavailable from error
        if some in known and own not in known:
            raise Forged("its address is another machine's")

    def _compare(self, account: str, signed: object) -> None:
        of = self._graph.sources[account].account
        of.compare(DELIVERED[of.vendor](signed), signed)

    async def _record(self, account: str, connector: SendsWebhooks, signed: object, delivery: Delivery) -> None:
        """What is genuine is kept whatever it says: our failing to read it is no reason to have it sent again."""
        self._compare(account, signed)
        try:
            facts = connector.facts(signed, delivery)
            report = Report(
                account=account,
                facts=facts,
                origin=Origin.WEBHOOK,
                received_at=delivery.received_at,
                raw=delivery.body,
                delivered=True,
            )
            await self._journal.append(report)
        except JournalUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it is ours to look at, not the vendor's to repeat
            log.warning("webhook quarantined", account=account, kind=type(error).__name__)
            await self._journal.append(_illegible(account, delivery, signed, error))


async def _verified(connector: SendsWebhooks, delivery: Delivery) -> object:
    if len(delivery.body) < LARGE_BODY:
        return connector.verify(delivery)
    return await asyncio.to_thread(connector.verify, delivery)


def _illegible(account: str, delivery: Delivery, signed: object, error: Exception) -> Illegible:
    headers = {name: value for name, value in delivery.headers.items() if name not in UNKEPT_HEADERS}
    told = "\0".join((account, delivery.machine or "")).encode() + b"\0" + delivery.body
    return Illegible(
        key=sha256(told).hexdigest(),
        account=account,
        machine=delivery.machine,
        received_at=delivery.received_at,
        headers=orjson.dumps(headers),
        body=delivery.body,
        signed=json.dumps(signed).encode(),
        reason=_reason(error),
    )


def _reason(error: Exception) -> str:
    """As text that any database takes: the vendor's words in it may be anything."""
    words = f"{type(error).__name__}: {error.message}" if isinstance(error, VendorError) else type(error).__name__
    return words[:LONGEST_REASON].encode(errors="replace").decode().replace("\0", "")


def _answer(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    refused = REFUSALS.get(status)
    return JSONResponse({"message": message} if refused is None else errors.refusal(refused(message)), status, headers)
