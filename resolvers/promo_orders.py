"""Orders of promo codes, from what callers ask for: what excludes each other is refused here."""

import re
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from domain import promotions as asked
from domain.errors import BadInput, NotFound
from domain.orders import Order
from domain.promotions import CreatePromoCodes, DiscountType, PromoCodesTold, SetPromoEligibility
from domain.refs import Kind, Ref
from resolvers.given import LONGEST_PROSE, counted, few, measured, to_come, worded
from resolvers.ways import Asking, Way, of, short

CODE = re.compile(r"[0-9]{5}")
MOST_CODES = 100
LAST_DAY = 6
LONGEST_DAYS = 36_500
MANY = 1000


async def _create(_: Asking, given: asked.CreatePromoCodesInput) -> Order:
    _exclude(given)
    if given.code is not None and not CODE.fullmatch(given.code):
        raise BadInput("a code has five digits", "input", "code")
    if given.code is not None and given.quantity not in (None, 1):
        raise BadInput("there is one code of a name", "input", "quantity")
    counted(given.quantity, "quantity", least=1, most=MOST_CODES)
    counted(given.balance, "balance")
    counted(given.duration_days, "durationDays", least=1, most=LONGEST_DAYS)
    to_come(given.valid_to, given.valid_from, "validTo")
    if given.config_id is not None:
        short(given.config_id, "configId")
    few(given.rules, LAST_DAY + 1, "rules")
    for at, rule in enumerate(given.rules or ()):
        _check_rule(rule, "rules", str(at))
    if len({rule.day for rule in given.rules or ()}) < len(given.rules or ()):
        raise BadInput("a day is there twice", "input", "rules")
    told = PromoCodesTold(**{one.name: getattr(given, one.name) for one in fields(PromoCodesTold)})
    return CreatePromoCodes(organization=_native(given.organization_id), told=told)


def _exclude(given: asked.CreatePromoCodesInput) -> None:
    if given.valid_to is not None and given.duration_days is not None:
        raise BadInput("validTo and durationDays exclude each other", "input", "durationDays")
    if given.rules is not None and given.config_id is not None:
        raise BadInput("rules and configId exclude each other", "input", "configId")


def _check_rule(rule: asked.PromoRuleInput, *place: str) -> None:
    counted(rule.day, *place, "day", most=LAST_DAY)
    counted(rule.uses, *place, "uses")
    counted(rule.least_items, *place, "leastItems", least=1)
    measured(rule.percentage, *place, "percentage", most=Decimal(100))
    measured(rule.capping_percentage, *place, "cappingPercentage", most=Decimal(100))
    measured(rule.flat, *place, "flat")
    measured(rule.capping_flat, *place, "cappingFlat")
    worded(rule.description, LONGEST_PROSE, *place, "description")
    if rule.type is DiscountType.UNKNOWN:
        raise BadInput("PERCENTAGE or FLAT is expected", "input", *place, "type")
    wanted, other = ("percentage", "flat") if rule.type is DiscountType.PERCENTAGE else ("flat", "percentage")
    if getattr(rule, wanted) is None or getattr(rule, other) is not None:
        raise BadInput(f"a discount of this type has `{wanted}`, and no `{other}`", "input", *place, wanted)
    caps = [one for one in (rule.capping_flat, rule.capping_percentage) if one is not None]
    if len(caps) > 1 or rule.capping is not bool(caps):
        raise BadInput("with `capping` there is one limit, and without it none", "input", *place, "capping")


async def _eligibility(asking: Asking, given: asked.SetPromoEligibilityInput) -> Order:
    if (given.product_lines is None) == (given.machine_id is None):
        raise BadInput("exactly one of productLines and machineId is expected", "input")
    few(given.product_lines, MANY, "productLines")
    for line in given.product_lines or ():
        short(line, "productLines")
    if given.config_id is not None:
        short(given.config_id, "configId")
    to_come(given.valid_to, None, "validTo")
    return SetPromoEligibility(
        organization=_native(given.organization_id),
        enabled=given.enabled,
        product_lines=given.product_lines,
        machine=await _serial(asking, given.machine_id),
        config_id=given.config_id,
        valid_to=given.valid_to,
    )


async def _serial(asking: Asking, id_: str | None) -> str | None:
    ref = None if id_ is None else Ref.parse(id_)
    if id_ is None:
        return None
    mine = ref is not None and ref[:2] == (Kind.MACHINE, asking.source.key)
    machine = await asking.context.loaders.machines.find(ref) if mine else None
    if machine is None:
        raise NotFound("there is no such machine in this account")
    return machine.serial_number or machine.vendor_id


def _native(id_: str) -> str:
    ref = Ref.parse(id_)
    assert ref is not None  # it was found by it
    return ref.native


ORGANIZATION = of(Kind.ORGANIZATION, "organization_id")
WAYS: Mapping[type[Any], Way] = {
    asked.CreatePromoCodesInput: Way("organization", ORGANIZATION, _create),
    asked.SetPromoEligibilityInput: Way("organization", ORGANIZATION, _eligibility),
}
