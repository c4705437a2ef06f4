"""Deliveries change, a member at a time: it is told which, and they are read or kept, never refused by a fault."""

import json
import re
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from connectors.drift import Drifts
from connectors.registry import CHECKS, CONNECT, DELIVERED
from domain.errors import VendorProtocolError
from domain.model import Vendor
from sandbox.drifting import drifted
from tests.deliveries import WEBHOOKS, account, delivery, sample
from tests.shaped import SHAPES, Change, changes, members, places
from tests.shaped import at as value_at

SAMPLES = [
    f"{vendor.value}/{path.stem}" for vendor in DELIVERED for path in sorted((WEBHOOKS / vendor.value).glob("*.json"))
]
NAMES_THE_KIND = frozenset({"type"})


def signed_of(name: str) -> Any:
    """The documents have a comma too many in one of them."""
    return json.loads(re.sub(rb",(\s*[}\]])", rb"\1", sample(name)))


def compared(vendor: Vendor, signed: Any) -> tuple[str, set[tuple[str, str, str]]]:
    """Under which name it was compared, and how it differs."""
    owner = replace(account(vendor), drifts=Drifts(CHECKS[vendor]))
    owner.compare(DELIVERED[vendor](signed), signed)
    return DELIVERED[vendor](signed), {(one.operation, one.path, one.kind.value) for one in owner.drifts.seen}


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_delivery_as_the_documents_show_it_does_not_drift(name: str) -> None:
    operation, differs = compared(Vendor(name.partition("/")[0]), signed_of(name))
    assert (operation.startswith("webhook"), differs) == (True, set())


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_member_of_a_delivery_that_changes_is_told(name: str) -> None:
    vendor, signed = Vendor(name.partition("/")[0]), signed_of(name)
    operation = DELIVERED[vendor](signed)
    async with httpx2.AsyncClient(trust_env=False) as client:
        connector: Any = CONNECT[vendor](account(vendor), client)
        for member in members(SHAPES[vendor.value][operation]):
            for place in [*places(signed, member.path)][:1]:
                for change in changes(member, value_at(signed, place)):
                    odd = _changed(signed, place, change)
                    _is_read_or_kept(connector, odd)
                    if member.path not in NAMES_THE_KIND:
                        kinds = [] if change.kind is None else [change.kind.value]
                        assert compared(vendor, odd) == (operation, {(operation, member.path, one) for one in kinds})


def _changed(signed: Any, place: str, change: Change) -> Any:
    sets, drops = ({}, [place]) if change.dropped else ({place: change.value}, [])
    return drifted(deepcopy(signed), sets, drops)


def _is_read_or_kept(connector: Any, signed: Any) -> None:
    with suppress(VendorProtocolError):  # then it is kept as it came
        connector.facts(signed, delivery(b"", machine="0d9f3c5a-6c1e-4f0b-9a57-21b7c4f8e6d2"))
