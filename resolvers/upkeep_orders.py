"""Orders of events, sites and machines as they stand, from what callers ask for."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from domain import upkeep as asked
from domain.backoffice import CreateServiceSession, CreateServiceSessionInput
from domain.capabilities import Capability
from domain.commands import Command, CommandStatus
from domain.errors import BadInput, Conflict, NotFound
from domain.model import EventState, MachineGroup
from domain.orders import Order
from domain.refs import Kind, Ref
from domain.times import utc_now
from domain.upkeep import CreateSite, MachineTold, ProvisionMachine, ResolveEvent, UpdateMachine, told_of
from resolvers import events
from resolvers.context import Info
from resolvers.given import LONGEST_PROSE, measured, native, worded
from resolvers.ways import LONGEST_TEXT, Asking, Way, of

HUNDRED = Decimal(100)
SKEW = timedelta(minutes=1)  # that a caller's clock may run ahead of ours


async def _resolve(asking: Asking, given: asked.ResolveEventInput) -> Order:
    worded(given.message, LONGEST_PROSE, "message")
    ref = Ref.parse(given.event_id)
    found = None if ref is None else await events.find(asking.context, ref)
    if found is None:
        raise NotFound("there is no such event")
    if found.state is EventState.RESOLVED:
        raise Conflict("this event is over already")
    return ResolveEvent(event=found.ref.native, message=given.message)


async def _site(asking: Asking, given: asked.CreateSiteInput) -> Order:
    worded(given.name, LONGEST_TEXT, "name", needed=True)
    worded(given.customer_account, LONGEST_TEXT, "customerAccount")
    worded(given.timezone, LONGEST_TEXT, "timezone")
    measured(given.largest_charge, "largestCharge")
    return CreateSite(
        organization=native(asking.source, given.organization_id, Kind.ORGANIZATION, "organization", "organizationId"),
        customer_account=given.customer_account,
        name=given.name,
        timezone=given.timezone,
        largest_charge=given.largest_charge,
    )


async def _provision(_: Asking, given: asked.ProvisionMachineInput) -> Order:
    worded(given.serial_number, LONGEST_TEXT, "serialNumber", needed=True)
    ref = Ref.parse(given.organization_id)
    assert ref is not None  # it was found by it
    return ProvisionMachine(organization=ref.native, serial_number=given.serial_number, asked_at=utc_now())


async def _machine(asking: Asking, given: asked.UpdateMachineInput) -> Order:
    told = told_of(given)
    group = native(asking.source, given.group_id, Kind.PLACE, "group", "groupId")
    if told == MachineTold() and group is None:
        raise BadInput("nothing is to change", "input")
    worded(told.name, LONGEST_TEXT, "name")
    worded(told.asset_number, LONGEST_TEXT, "assetNumber")
    measured(told.tax_rate, "taxRate", most=HUNDRED)
    measured(told.commission, "commission", most=HUNDRED)
    measured(told.card_fee, "cardFee")
    return UpdateMachine(machine=asking.native, group=group, told=told)


async def site(root: Command, info: Info) -> MachineGroup | None:
    """The site that it made, as it is by now."""
    ref = root.subject_ref
    if ref is None or root.kind is not Capability.CREATE_SITE or root.status is not CommandStatus.SUCCEEDED:
        return None
    found = await info.context.loaders.places.find(ref)
    return None if found is None else found.group


async def _session(asking: Asking, given: CreateServiceSessionInput) -> Order:
    worded(given.reason, LONGEST_TEXT, "reason", needed=True)
    started = given.started_at or utc_now()
    started = started.replace(microsecond=started.microsecond // 1000 * 1000)
    if started > utc_now() + SKEW:
        raise BadInput("it cannot begin later than now", "input", "startedAt")
    if given.ended_at is not None and given.ended_at < started:
        raise BadInput("it ends before it begins", "input", "endedAt")
    return CreateServiceSession(machine=asking.native, reason=given.reason, started_at=started, ended_at=given.ended_at)


WAYS: Mapping[type[Any], Way] = {
    asked.ResolveEventInput: Way("event", of(Kind.EVENT, "event_id"), _resolve),
    asked.CreateSiteInput: Way("account", of(Kind.ACCOUNT, "account_id"), _site),
    asked.ProvisionMachineInput: Way("organization", of(Kind.ORGANIZATION, "organization_id"), _provision),
    asked.UpdateMachineInput: Way("machine", of(Kind.MACHINE, "machine_id"), _machine),
    CreateServiceSessionInput: Way("machine", of(Kind.MACHINE, "machine_id"), _session),
}
