"""Orders of organizations, fleets and machines, from what callers ask for."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any
from uuid import uuid4

from domain import estate as asked
from domain.capabilities import UnavailableReason
from domain.errors import BadInput, Unsupported
from domain.estate import CreateFleet, CreateMachine, CreateOrganization, OrganizationTold, UpdateOrganization
from domain.orders import Order
from domain.refs import Kind, Ref
from resolvers.given import LONGEST_PROSE, counted, native, worded
from resolvers.ways import Asking, Way, of, short

COLDEST, HOTTEST = Decimal(-60), Decimal(100)
LONGEST_BEAT = 86_400
NESTED = ("address", "contact", "support")
NO_ADDRESS = (
    "a machine that is made tells by webhook what becomes of it: that takes `server.public_url`, and the account's "
    "`webhook`, in the configuration"
)


def _told(given: asked.OrganizationTold) -> OrganizationTold:
    told = OrganizationTold(**{one.name: getattr(given, one.name) for one in fields(OrganizationTold)})
    for name in (one.name for one in fields(OrganizationTold) if one.name not in NESTED):
        worded(getattr(told, name), LONGEST_PROSE, name)
    for name in NESTED:
        part = getattr(told, name)
        for one in () if part is None else fields(part):
            worded(getattr(part, one.name), LONGEST_PROSE, name)
    return told


async def _create(asking: Asking, given: asked.CreateOrganizationInput) -> Order:
    if given.name is None:
        raise BadInput("an organization has a name", "input", "name")
    parent = native(asking.source, given.parent_id, Kind.ORGANIZATION, "organization", "parentId")
    return CreateOrganization(told=_told(given), parent=parent)


async def _update(asking: Asking, given: asked.UpdateOrganizationInput) -> Order:
    told = _told(given)
    parent = native(asking.source, given.parent_id, Kind.ORGANIZATION, "organization", "parentId")
    if told == OrganizationTold() and parent is None:
        raise BadInput("nothing is to change", "input")
    ref = Ref.parse(given.organization_id)
    assert ref is not None  # it was found by it
    return UpdateOrganization(organization=ref.native, told=told, parent=parent)


async def _fleet(_: Asking, given: asked.CreateFleetInput) -> Order:
    worded(given.name, LONGEST_PROSE, "name", needed=True)
    return CreateFleet(name=given.name)


async def _machine(asking: Asking, given: asked.CreateMachineInput) -> Order:
    account = asking.source.account
    if account.webhooks_url is None or account.webhook is None:
        raise Unsupported(NO_ADDRESS, UnavailableReason.NOT_PERMITTED)
    least, most = given.least_celsius, given.most_celsius
    for name, celsius in (("leastCelsius", least), ("mostCelsius", most)):
        if celsius is not None and not (celsius.is_finite() and COLDEST <= celsius <= HOTTEST):
            raise BadInput(f"from {COLDEST} to {HOTTEST} are expected", "input", name)
    if least is not None and most is not None and most <= least:
        raise BadInput("it must be warmer than leastCelsius", "input", "mostCelsius")
    counted(given.heartbeat_seconds, "heartbeatSeconds", least=1, most=LONGEST_BEAT)
    if given.kiosk_url is not None and not given.kiosk_url.startswith("https://"):
        raise BadInput("an address that begins with https:// is expected", "input", "kioskUrl")
    return CreateMachine(
        group=short(given.group_id, "groupId"),
        place=uuid4().hex,
        least_celsius=least,
        most_celsius=most,
        heartbeat_seconds=given.heartbeat_seconds,
        kiosk_url=given.kiosk_url,
    )


ACCOUNT, ORGANIZATION = of(Kind.ACCOUNT, "account_id"), of(Kind.ORGANIZATION, "organization_id")
WAYS: Mapping[type[Any], Way] = {
    asked.CreateOrganizationInput: Way("account", ACCOUNT, _create),
    asked.UpdateOrganizationInput: Way("organization", ORGANIZATION, _update),
    asked.CreateFleetInput: Way("account", ACCOUNT, _fleet),
    asked.CreateMachineInput: Way("account", ACCOUNT, _machine),
}
