"""Organizations as Livello takes them. Words are in small letters in requests, and in capitals in answers."""

from collections.abc import Mapping
from typing import Any

from connectors.acting import VendorRequest
from connectors.livello.words import number_of
from domain.errors import BadInput
from domain.estate import (
    AddressInput,
    ContactInput,
    CreateOrganization,
    OrganizationTold,
    SupportInput,
    UpdateOrganization,
)

TYPES = frozenset({"general", "client", "manufacturer"})
CURRENCIES = frozenset({"eur", "chf", "gbp", "usd", "czk"})
PLAIN: Mapping[str, str] = {
    "name": "name",
    "slug": "slug",
    "description": "description",
    "ean_prefix": "eanPrefix",
    "privacy_policy_url": "privacyPolicyUrl",
    "terms_url": "termsAndConditionsUrl",
}
ADDRESS: Mapping[str, str] = {
    "country": "country",
    "address": "address",
    "postal_code": "postalCode",
    "city": "city",
    "state": "state",
    "country_code": "countryCode",
}
CONTACT: Mapping[str, str] = {
    "person": "contactPerson",
    "role": "role",
    "email": "email",
    "phone": "phoneNumber",
    "support_email": "supportEmail",
    "support_phone": "supportPhoneNumber",
}
SUPPORT: Mapping[str, str] = {"email": "email", "hotline": "hotline", "availability": "hotlineAvailability"}


def created(order: CreateOrganization) -> VendorRequest:
    """Raises BadInput for what the vendor needs and is not told."""
    for name in ("type", "currency", "address"):
        if getattr(order.told, name) is None:
            raise BadInput("livello needs it", "input", name)
    return VendorRequest(operation="create-organization", body=_body(order.told, order.parent))


def updated(order: UpdateOrganization) -> VendorRequest:
    number_of(order.organization, "organizationId")
    if order.parent == order.organization:
        raise BadInput("an organization is not below itself", "input", "parentId")
    body = _body(order.told, order.parent)
    return VendorRequest(operation="update-organization", path={"id": order.organization}, body=body)


def _body(told: OrganizationTold, parent: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {member: getattr(told, name) for name, member in PLAIN.items()}
    found |= {
        "type": _word(told.type, TYPES, "type"),
        "currency": _word(told.currency, CURRENCIES, "currency"),
        "address": _part(told.address, ADDRESS),
        "contact": _part(told.contact, CONTACT),
        "support": _part(told.support, SUPPORT),
        "parentOrg": None if parent is None else number_of(parent, "parentId"),
    }
    return {member: value for member, value in found.items() if value is not None}


def _word(told: str | None, known: frozenset[str], field: str) -> str | None:
    word = None if told is None else told.lower()
    if word is not None and word not in known:
        raise BadInput(f"livello knows {', '.join(sorted(known))}", "input", field)
    return word


def _part(told: AddressInput | ContactInput | SupportInput | None, words: Mapping[str, str]) -> dict[str, str] | None:
    if told is None:
        return None
    return {member: value for name, member in words.items() if (value := getattr(told, name)) is not None}
