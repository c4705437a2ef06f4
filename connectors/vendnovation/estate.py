"""Sites and machines as VendNovation makes, links and changes them. All of it is read before: sites have names that
are there once in an account, and machines are written whole, for what is left out of one may become null.

https://docs.vendnovation-services.com/vendor/v2.1/ oasm/sites/create, oasm/machines/provision, oasm/machines/update"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.http import Answer
from connectors.parsing import Raw, iso, need, number, record, rows, text, truth
from connectors.vendnovation.client import NUMBER, VendNovationClient
from connectors.vendnovation.timezones import windows
from domain.errors import BadInput, VendorConflict
from domain.refs import Kind, Ref
from domain.upkeep import CreateSite, ProvisionMachine, UpdateMachine

CREATE_SITE, PROVISION, UPDATE = "create-sites", "provision-machine", "update-machines"
NO_CONTENT = 204
LONGEST_NAME, LONGEST_PROSE = 120, 15
EARLIER = timedelta(minutes=1)  # than ours the vendor's clock may be
MEMBERS: Mapping[str, str] = {
    "name": "name",
    "asset_number": "assetId",
    "accepts_cash": "enableCashSales",
    "accepts_cards": "enableCreditSales",
    "accepts_accounts": "enableAccountSales",
    "counts_stock": "enableSlotCountTracking",
    "visible": "isVisible",
    "tax_rate": "taxPercentage",
    "own_tax_rate": "useMachineTaxRate",
    "commission": "commissionPercentage",
    "own_commission": "useMachineCommissionRate",
    "card_fee": "creditProcessingFee",
    "central_prices": "useInternetPricing",
    "sms_receipts": "offerSmsReceipts",
    "ignores_door": "ignoreDoorState",
    "update_software": "forceUpdate",
}


def check(order: CreateSite | ProvisionMachine | UpdateMachine) -> None:
    """Raises BadInput."""
    match order:
        case CreateSite():
            if order.organization is not None:
                _number(order.organization, "organizationId")
            if order.customer_account is not None:
                _number(order.customer_account, "customerAccount")
            if order.timezone is not None and windows(order.timezone) is None:
                raise BadInput("a time zone by its IANA name is expected", "input", "timezone")
        case ProvisionMachine():
            _number(order.organization, "organizationId")
            if len(order.serial_number) > LONGEST_PROSE:
                raise BadInput(f"it has {LONGEST_PROSE} characters at the most", "input", "serialNumber")
        case UpdateMachine():
            if order.told.name is not None and len(order.told.name) > LONGEST_NAME:
                raise BadInput(f"a name has {LONGEST_NAME} characters at the most", "input", "name")
            if order.group is not None:
                _number(order.group, "groupId")


def _number(native: str, field: str) -> int:
    if NUMBER.fullmatch(native) is None:
        raise BadInput("there is no such thing: its ids are whole numbers", "input", field)
    return int(native)


async def prepare(client: VendNovationClient, order: CreateSite | ProvisionMachine | UpdateMachine) -> VendorRequest:
    match order:
        case CreateSite():
            return await _site(client, order)
        case ProvisionMachine():
            asked = {
                "organizationIds": [_number(order.organization, "organizationId")],
                "machineIdentifiers": [order.serial_number],
            }
            return VendorRequest(operation=PROVISION, body={"requestFilter": asked})
        case UpdateMachine():
            return await _machine(client, order)


async def _site(client: VendNovationClient, order: CreateSite) -> VendorRequest:
    """The vendor's names of members as its sample writes them: not all begin alike."""
    owner = _only(await client.accounts(), order.customer_account, "customerAccount")
    organization = _only(await client.organizations(), order.organization, "organizationId")
    if (there := await _named(client, owner, order.name)) is not None:
        raise VendorConflict(
            "the customer account has a site of this name",
            account=client.account.key,
            vendor="vendnovation",
            sent=False,
            current={"site": there, "name": order.name},
        )
    site = {
        "AccountId": _number(owner, "customerAccount"),
        "OrgId": _number(organization, "organizationId"),
        "Name": order.name,
        "IsActive": True,
        "TimeZone": None if order.timezone is None else windows(order.timezone),
        "MaxChargePrice": None if order.largest_charge is None else _plain(order.largest_charge),
    }
    return VendorRequest(
        operation=CREATE_SITE, body={"body": [{key: one for key, one in site.items() if one is not None}]}
    )


def _only(listed: list[Any], wanted: str | None, field: str) -> str:
    """The one that is named, or the only one that there is."""
    known = [found for row in listed if isinstance(row, dict) and (found := text(row.get("id"))) is not None]
    if wanted is None and len(known) != 1:
        raise BadInput(f"there are {len(known)}: say which", "input", field)
    if wanted is not None and wanted not in known:
        raise BadInput("the vendor has no such thing", "input", field)
    return wanted or known[0]


async def _named(client: VendNovationClient, account: str, name: str) -> str | None:
    known = [row for row in await client.sites() if isinstance(row, dict)]
    return next(
        (text(row.get("id")) for row in known if (text(row.get("accountId")), row.get("name")) == (account, name)), None
    )


async def _machine(client: VendNovationClient, order: UpdateMachine) -> VendorRequest:
    row = await _row(client, order.machine)
    if row is None:
        raise BadInput("the vendor has no such machine", "input", "machineId")
    if order.group is not None and order.group not in {text(site.get("id")) for site in await client.sites()}:
        raise BadInput("the vendor has no such site", "input", "groupId")
    changes = _changes(order)
    if _shows(row, changes):
        raise BadInput("the machine is so already: there is nothing to change", "input")
    return VendorRequest(operation=UPDATE, body={"body": [{**row, **changes}]})


async def _row(client: VendNovationClient, native: str) -> Raw | None:
    found = await client.machines([native])
    return next((row for row in found if isinstance(row, dict) and text(row.get("id")) == native), None)


def _changes(order: UpdateMachine) -> dict[str, Any]:
    told = {member: _plain(getattr(order.told, name)) for name, member in MEMBERS.items()}
    told["siteId"] = None if order.group is None else _number(order.group, "groupId")
    return {member: value for member, value in told.items() if value is not None}


def _plain(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == int(value) else float(value)


def _shows(row: Raw, changes: Mapping[str, Any]) -> bool:
    return all(_same(row.get(member), value) for member, value in changes.items())


def _same(told: Any, sent: Any) -> bool:
    if isinstance(sent, bool):
        return truth(told) is sent
    if isinstance(sent, str):
        return text(told) == sent
    try:
        return number(told) == number(sent)
    except ValueError:
        return False


def made(client: VendNovationClient, request: VendorRequest, answer: Answer) -> Taken:
    """Raises VendorProtocolError where the answer does not tell what was done."""
    if request.operation == CREATE_SITE:
        return record(client.account, "site", answer.data, lambda row: _made_site(client, request, row))
    if request.operation == UPDATE:
        return _changed(client, request, answer.data)
    if answer.status != NO_CONTENT:
        raise client.broken(f"the answer to {request.operation} is not the empty one that is documented")
    return Taken(done=True, result={"serialNumber": request.body["requestFilter"]["machineIdentifiers"][0]})


def _changed(client: VendNovationClient, request: VendorRequest, answer: Any) -> Taken:
    sent = request.body["body"][0]
    told = [row for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []
    found = next((row for row in told if text(row.get("id")) == text(sent["id"])), None)
    writable = {member: sent[member] for member in (*MEMBERS.values(), "siteId") if sent.get(member) is not None}
    if found is None or not _shows(found, writable):
        raise client.broken(f"the answer to {request.operation} does not show what was sent")
    machine = client.account.to(Kind.MACHINE, str(sent["id"]))
    return Taken(done=True, result={"effective": "NEXT_CHECK_IN"}, subject=machine)


def _made_site(client: VendNovationClient, request: VendorRequest, answer: Any) -> Taken:
    """The answer is a list of ids, of the one."""
    (native,) = map(need, rows(client.account, "the new site", answer))
    result = {"site": native, "name": request.body["body"][0]["Name"]}
    return Taken(done=True, result=result, subject=client.account.to(Kind.PLACE, native))


async def fulfilled(
    client: VendNovationClient, order: CreateSite | ProvisionMachine | UpdateMachine
) -> Ref | bool | None:
    match order:
        case CreateSite():
            owner = _only(await client.accounts(), order.customer_account, "customerAccount")
            there = await _named(client, owner, order.name)
            return False if there is None else client.account.to(Kind.PLACE, there)
        case ProvisionMachine():
            return await _is_provisioned(client, order)
        case UpdateMachine():
            row = await _row(client, order.machine)
            return None if row is None else _shows(row, _changes(order))


async def _is_provisioned(client: VendNovationClient, order: ProvisionMachine) -> Ref | bool | None:
    found = await client.machines([order.serial_number])
    row = next((one for one in found if isinstance(one, dict) and text(one.get("prose")) == order.serial_number), None)
    if row is None:
        return None
    at = iso(row.get("provisionedAt"))
    fresh = at is not None and at >= order.asked_at - EARLIER
    return client.account.to(Kind.MACHINE, str(row["id"])) if fresh else False
