"""What the mutations do: a command is recorded and sent, or refused with the reason; never anything between."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError

from domain.asked import Asked, ResolveCommandInput
from domain.capabilities import Capability
from domain.commands import Command, CommandPayload, CommandStatus, PlannedRequest, Progress, UserError
from domain.errors import BadInput, Conflict, ErrorCode, NotFound, Unsupported, VendgraphError
from domain.facts import Origin
from domain.orders import Order
from domain.refs import Kind, Ref
from domain.times import utc_now
from journal import commands
from journal.audit import Deed
from journal.intents import Intent, begun
from journal.writer import JournalUnavailable
from resolvers import orders
from resolvers.commands import find
from resolvers.context import Context, Info
from resolvers.orders import Meant
from resolvers.sources import Source

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

log = structlog.get_logger()

LONGEST_REASON = 1000
NOT_RECORDED = "it could not be recorded, so that nothing was sent: try again with the same idempotencyKey"


def asks(kind: Capability, given: type[Asked]) -> Callable[..., Any]:
    """The resolver of the mutation that asks for this."""

    async def ask(
        root: object,
        info: Info,
        input: Asked,  # noqa: A002  the graph's name for it
        acknowledge_unknown: str | None = None,
        dry_run: bool | None = None,
    ) -> CommandPayload:
        context = info.context
        try:
            if dry_run:
                return await dry(context, kind, input)
            command = await _asked(context, kind, input, acknowledge_unknown)
            context.graph.sources[command.ref.account].done(command)
            secret = context.graph.dispatcher.secrets.take(command.ref.native)
            return CommandPayload(command=command, init_key=None if secret is None else secret.reveal())
        except VendgraphError as error:
            if not dry_run:
                await keep_refusal(context, kind, input, error)
            return CommandPayload(errors=[told(error)])
        except (JournalUnavailable, SQLAlchemyError):
            return CommandPayload(errors=[UserError(code=ErrorCode.INTERNAL, message=NOT_RECORDED)])

    ask.__annotations__["input"] = given
    return ask


def told(error: VendgraphError) -> UserError:
    return UserError(
        code=error.code,
        message=error.message,
        field=list(error.field) or None if isinstance(error, BadInput) else None,
        reason=error.reason if isinstance(error, Unsupported) else None,
    )


async def _asked(context: Context, kind: Capability, given: Asked, acknowledged: str | None) -> Command:
    """Raises VendgraphError, JournalUnavailable, SQLAlchemyError."""
    dispatcher = context.graph.dispatcher
    by = dispatcher.answers_by
    orders.permit(context, kind)
    orders.check_key(given)
    source, _ = orders.source_of(context, given)
    fingerprint = fingerprint_of(kind, given)
    known = await asyncio.to_thread(
        commands.by_key, context.graph.journal.engine, source.organization_key, given.idempotency_key
    )
    if known is not None:
        command, print_ = known
        if print_ != fingerprint:
            raise Conflict(f"this idempotencyKey was used before, for something else: command {command.id}")
        return await dispatcher.again(source, command, by)
    found = await orders.meant(context, kind, given)
    return await dispatcher.place(source, intent_of(context, found, given, fingerprint, acknowledged), by)


def intent_of(context: Context, found: Meant, given: Asked, fingerprint: str, acknowledged: str | None) -> Intent:
    source, dispatcher = found.source, context.graph.dispatcher
    return Intent(
        command=_begun(context, found, given),
        vendor=source.vendor,
        organization=source.organization_key,
        order=found.order,
        amount=found.amount,
        fingerprint=fingerprint,
        actor=context.actor,
        owner=dispatcher.owner,
        until=dispatcher.until,
        acknowledged=acknowledged,
        quotas=context.graph.quotas(context.viewer.name, source.organization_key),
    )


def _begun(context: Context, found: Meant, given: Asked) -> Command:
    ref = Ref(Kind.COMMAND, found.source.key, uuid4().hex)
    machine, key = None if found.machine is None else found.machine.ref, given.idempotency_key
    return begun(ref, found.order.kind, machine, context.viewer.name, key, utc_now())


async def dry(context: Context, kind: Capability, given: Asked) -> CommandPayload:
    """What would be sent. The vendor is only read; the command that comes with it is kept nowhere."""
    orders.permit(context, kind)
    orders.check_key(given)
    found = await orders.meant(context, kind, given)
    return CommandPayload(command=_begun(context, found, given), planned=[await shown(found.source, found.order)])


async def shown(source: Source, order: Order) -> PlannedRequest:
    """The request that an order would become. Raises VendgraphError."""
    connector: Any = source.connector
    method, path, body = connector.shown(await connector.prepare(order))
    return PlannedRequest(method=method, path=path, body=body)


def fingerprint_of(kind: Capability, given: Asked) -> str:
    """Of what is asked, and of whom: not of the key that it is asked with. 1.5 and 1.50 are the same.

    Raises BadInput for what cannot be written down."""
    values = asdict(cast("DataclassInstance", given))
    del values["idempotency_key"]
    try:
        written = orjson.dumps([kind.value, values], default=_plain, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        raise BadInput("a number is beyond 64 bits, or something is nested too deeply", "input") from None
    return sha256(written).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError


async def keep_refusal(context: Context, kind: Capability, given: Asked, error: VendgraphError) -> None:
    """In the audit log of the organization that was meant."""
    ref = orders.target_of(given)
    key = given.idempotency_key[: orders.LONGEST_KEY]
    if ref is not None:
        details = {"kind": kind.value, "idempotencyKey": key, "why": error.message}
        about = {"machine": ref.text} if ref.kind is Kind.MACHINE else {}
        await _keep(context, ref.account, "command refused", error, details, **about)


async def _keep_refused_resolution(context: Context, given: ResolveCommandInput, error: VendgraphError) -> None:
    ref = Ref.parse(given.command_id)
    if ref is not None and ref.kind is Kind.COMMAND:
        details = {"outcome": given.outcome.value, "why": error.message}
        await _keep(context, ref.account, "resolution refused", error, details, command=ref.text)


async def _keep(
    context: Context, account: str, action: str, error: VendgraphError, details: Mapping[str, str], **about: str
) -> None:
    """A store that fails refuses all the more."""
    source = context.source(account)
    if source is None:
        return
    outcome, organization = error.code.value, source.organization_key
    deed = Deed(organization=organization, action=action, outcome=outcome, details=details, **about)
    actor, at = context.actor, utc_now()
    try:
        await context.graph.journal.change(lambda ledger: ledger.refuse(deed, actor, at))
    except JournalUnavailable:
        log.warning("a refusal was not kept", account=source.key)


async def resolve(
    root: object,
    info: Info,
    input: ResolveCommandInput,  # noqa: A002  the graph's name for it
) -> CommandPayload:
    context = info.context
    try:
        return CommandPayload(command=await _resolved(context, input))
    except VendgraphError as error:
        await _keep_refused_resolution(context, input, error)
        return CommandPayload(errors=[told(error)])
    except (JournalUnavailable, SQLAlchemyError):
        message = "it could not be recorded: try again"
        return CommandPayload(errors=[UserError(code=ErrorCode.INTERNAL, message=message)])


async def _resolved(context: Context, given: ResolveCommandInput) -> Command:
    """A person's word, with their reason."""
    ref = Ref.parse(given.command_id)
    command = None if ref is None or ref.kind is not Kind.COMMAND else await find(context, ref)
    if command is None:
        raise NotFound("there is no such command")
    orders.permit(context, command.kind)
    reason = given.reason.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise BadInput(f"a reason of 1 to {LONGEST_REASON} characters is expected", "input", "reason")
    if command.status is not CommandStatus.UNKNOWN:
        raise Conflict(f"this command is {command.status.value}: only one that is UNKNOWN can be resolved")
    note = f"{context.viewer.name}: {reason}"
    status = CommandStatus(given.outcome.value)
    progress = Progress(status=status, note=note, error=note if status is CommandStatus.FAILED else None)
    native, actor, at = command.ref.native, context.actor, utc_now()
    return await context.graph.journal.change(
        lambda ledger: ledger.settle(native, progress, at, origin=Origin.COMMAND, actor=actor, reason=reason)
    )
