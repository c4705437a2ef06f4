"""A kiosk's own settings, and its owner: "Get kiosk detail by serial number"."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.base import Account
from connectors.livello.estate import CONTACT, SUPPORT
from connectors.livello.parse import SECRETS
from connectors.parsing import Raw, money, record, text, whole, without
from domain.terminals import ContactPerson, CustomerSupport, MachineOwner, MachineTerminal

PERSONAL = frozenset({"contact"})
CALLED = {"person": "name"}
APART = frozenset({"inventory"})  # slots tell it


def terminal(account: Account, found: Any, at: datetime) -> MachineTerminal:
    return record(account, "kiosk", found, lambda row: _terminal(account, row, at))


def _terminal(account: Account, row: Raw, at: datetime) -> MachineTerminal:
    settings, owner = _part(row.get("controller")), _owner(row.get("ownerOrganization"))
    currency = account.currency if owner is None or owner.currency is None else owner.currency
    return MachineTerminal(
        language=text(settings.get("tabletLang")),
        font=text(settings.get("tabletFont")),
        payment_type=text(settings.get("paymentType")),
        preauthorized=money(settings.get("preAuth"), currency),
        minimum_age=whole(settings.get("minimumAge")),
        owner=owner,
        observed_at=at,
        vendor_data=without(row, SECRETS | PERSONAL | APART),
    )


def _owner(told: Any) -> MachineOwner | None:
    if not isinstance(told, dict):
        return None
    support, contact = _named(told.get("support"), SUPPORT), _named(told.get("contact"), CONTACT)
    return MachineOwner(
        vendor_id=text(told.get("_id")),
        name=text(told.get("name")),
        currency=text(told.get("currency")),
        support=CustomerSupport(**support) if support else None,
        contact=ContactPerson(**{CALLED.get(name, name): one for name, one in contact.items()}) if contact else None,
    )


def _named(told: Any, words: Mapping[str, str]) -> dict[str, str]:
    part = _part(told)
    return {name: found for name, member in words.items() if (found := text(part.get(member))) is not None}


def _part(told: Any) -> Raw:
    return told if isinstance(told, dict) else {}
