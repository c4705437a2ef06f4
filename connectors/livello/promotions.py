"""Promo codes as Livello takes and tells them."""

from typing import Any

from connectors.acting import VendorRequest
from connectors.base import Account
from connectors.livello.client import moment
from connectors.livello.words import number_of
from connectors.parsing import Raw, iso, need, number, record, rows, text, whole
from domain.promotions import (
    CreatePromoCodes,
    DiscountType,
    PromoCode,
    PromoRule,
    PromoRuleInput,
    SetPromoEligibility,
)

TYPES = {"percentage": DiscountType.PERCENTAGE, "flat": DiscountType.FLAT}
WORDS = {meaning: word for word, meaning in TYPES.items()}
ANY_NUMBER = -1  # of things that have to be bought
Body = dict[str, Any]


def created(order: CreatePromoCodes) -> VendorRequest:
    told = order.told
    body = {
        "organizationId": number_of(order.organization, "organizationId"),
        "code": told.code,
        "quantity": told.quantity,
        "balance": told.balance,
        "enabled": told.enabled,
        "workingDurationStart": None if told.valid_from is None else moment(told.valid_from),
        "workingDurationEnd": None if told.valid_to is None else moment(told.valid_to),
        "durationEndDays": told.duration_days,
        "rules": None if told.rules is None else [_rule(rule) for rule in told.rules],
        "configId": None if told.config_id is None else number_of(told.config_id, "configId"),
    }
    return VendorRequest(operation="create-promocodes", body=_there(body))


def eligible(order: SetPromoEligibility) -> VendorRequest:
    lines = order.product_lines
    body = {
        "organizationId": number_of(order.organization, "organizationId"),
        "enabled": order.enabled,
        "productlineIds": None if lines is None else [number_of(line, "productLines") for line in lines],
        "kioskSerialNumber": order.machine,
        "configId": None if order.config_id is None else number_of(order.config_id, "configId"),
        "validTo": None if order.valid_to is None else moment(order.valid_to),
    }
    return VendorRequest(operation="set-promocode-eligibility", body=_there(body))


def _rule(rule: PromoRuleInput) -> Body:
    numbers = {
        "discountFlat": rule.flat,
        "discountPercentage": rule.percentage,
        "cappingFlat": rule.capping_flat,
        "cappingPercentage": rule.capping_percentage,
    }
    return _there(
        {
            "day": rule.day,
            "resetAmount": rule.uses,
            "type": WORDS[rule.type],
            "cappingEnabled": rule.capping,
            **{member: None if value is None else _plain(value) for member, value in numbers.items()},
            "minCart": rule.least_items,
            "description": rule.description,
        }
    )


def _plain(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)


def _there(body: Body) -> Body:
    return {member: value for member, value in body.items() if value is not None}


def promo_code(account: Account, raw: Any) -> PromoCode:
    return record(account, "promo code", raw, lambda row: _code(account, row))


def _code(account: Account, row: Raw) -> PromoCode:
    config = row.get("config")
    config = config if isinstance(config, dict) else {}
    told = config.get("rules")
    return PromoCode(
        vendor_id=text(row.get("id")),
        code=need(row.get("code")).rjust(5, "0"),
        balance=whole(row.get("balance")),
        enabled=_flag(row.get("enabled")),
        valid_from=iso(row.get("workingDurationStart")),
        valid_to=iso(row.get("workingDurationEnd")),
        organization=text(row.get("organizationId")),
        config_id=text(config.get("id")) or text(row.get("configId")),
        rules=None if told is None else [_told_rule(one) for one in rows(account, "rules", told)],
    )


def _told_rule(row: Raw) -> PromoRule:
    least = whole(row.get("minCart"))
    return PromoRule(
        day=whole(row.get("day")),
        type=TYPES.get((text(row.get("type")) or "").lower(), DiscountType.UNKNOWN),
        uses=whole(row.get("resetAmount")),
        percentage=number(row.get("discountPercentage")),
        flat=number(row.get("discountFlat")),
        capping=_flag(row.get("cappingEnabled")),
        capping_percentage=number(row.get("cappingPercentage")),
        capping_flat=number(row.get("cappingFlat")),
        least_items=None if least == ANY_NUMBER else least,
        description=text(row.get("description")),
    )


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None
