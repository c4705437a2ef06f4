"""A controller's config: the keys that the vendor documents, and which of them an order changes.

The names of further keys were lost with the documents, so that they cannot be sent. Of an impulse controller's keys
the documents show none: the same are taken, and the vendor refuses what it does not know."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.base import Account
from connectors.parsing import Raw, need, number, record, text
from connectors.smartvend.format import MOST, Body
from connectors.smartvend.parse import SECRETS
from domain.details import MachineConfig
from domain.errors import BadInput

TYPES = frozenset({"coffee", "impulse"})
SWITCH, NUMBER, TEXT, TIME = "true or false", "a number", "a text", "a text: HHMM, or FFFF for never"
KEYS: Mapping[str, str] = (
    dict.fromkeys(("re", "in", "hl", "bp", "qr", "2f", "vg", "vl", "da", "mv", "co", "1l", "1t", "1w"), SWITCH)
    | dict.fromkeys(("sm", "bm", "em", "cd", "qt", "2a", "2t", "vt", "vr", "ti", "tg", "fc", "sp"), NUMBER)
    | dict.fromkeys(("2c", "2r", "2l", "2p", "wf", "wn", "wp", "wt", "an", "al", "ap", "sa"), TEXT)
    | dict.fromkeys(("ha", "hp", "1a", "3a", "3p"), TEXT)
    | {"td": TIME}
)
HOURS = re.compile(r"(?:[01][0-9]|2[0-3])[0-5][0-9]|FFFF")
STARS = frozenset("*•●")  # what a secret may be shown as


@dataclass(frozen=True, slots=True)
class Held:
    id: str
    type: str
    config: Raw = field(repr=False)


def read(told: Raw) -> Held:
    """To be changed, its type has to be one that can be sent."""
    if told["type"] not in TYPES:
        raise ValueError("the type is neither coffee nor impulse")
    return Held(need(told["controllerConfigId"]), told["type"], _settings(told))


def _settings(told: Raw) -> Raw:
    config = told["config"]
    if not isinstance(config, dict):
        raise TypeError("the config is no object")
    return config


def shown(account: Account, told: Raw, at: datetime) -> MachineConfig:
    """What is no documented key may be a secret whose name was lost."""
    kind, config = record(account, "config", told, lambda row: (need(row["type"]), _settings(row)))
    settings = {key: value for key, value in config.items() if key in KEYS.keys() - SECRETS}
    return MachineConfig(kind=kind, settings=settings, observed_at=at)


def check(settings: Mapping[str, Any]) -> None:
    """Never says what a key was to be set to: it may be a secret."""
    if not settings:
        raise BadInput("no key of the config is named")
    for key, value in settings.items():
        if key not in KEYS:
            raise BadInput(f"{key[:40]} is no key of SmartVend's config that is documented")
        if not _fits(KEYS[key], value):
            raise BadInput(f"{key} has to be {KEYS[key]}")


def _fits(kind: str, value: Any) -> bool:
    if kind == SWITCH:
        return isinstance(value, bool)
    if kind == NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST
    return isinstance(value, str) and (kind == TEXT or HOURS.fullmatch(value) is not None)


def changed(held: Held, settings: Mapping[str, Any]) -> Body:
    """Of the keys only those that are not so already."""
    found = {key: value for key, value in settings.items() if not _same(key, held.config.get(key), value)}
    if not found:
        raise BadInput("the machine's config is so already: there is nothing to change")
    return {"type": held.type, "controllerConfigId": held.id, "config": found}


def shows(held: Held, settings: Mapping[str, Any]) -> bool | None:
    """None where all that can be seen is so, and some of it cannot be."""
    seen = [_same(key, held.config[key], value) for key, value in settings.items() if _told(key, held.config.get(key))]
    if not all(seen):
        return False
    return True if len(seen) == len(settings) else None


def _told(key: str, value: Any) -> bool:
    """A vendor may hide a secret."""
    hidden = key in SECRETS and isinstance(value, str) and STARS.issuperset(value)
    return value is not None and not hidden


def _same(key: str, held: Any, wanted: Any) -> bool:
    kind = KEYS[key]
    if kind == SWITCH:
        return held is wanted
    if kind != NUMBER:
        return bool(held == wanted or text(held) == wanted)
    try:
        return number(held) == number(wanted)
    except ValueError:
        return False
