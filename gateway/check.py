"""Looks up every address, and signs in at every account, to see whether the configuration is right before anyone
depends on it."""

import asyncio
from collections.abc import Mapping

import structlog

from connectors.base import Connector
from connectors.http import new_client
from connectors.reaching import Private, Unresolved, reachable_at
from domain.errors import ErrorCode, VendorError
from gateway.app import connected
from gateway.faults import where
from gateway.settings import PRIVATE, Settings

log = structlog.get_logger()

LONGEST_SECONDS = 30.0


async def addresses(settings: Settings) -> Mapping[str, str]:
    """What is wrong with those that are not an account's own, by where they stand."""
    told = [(url, at) for url, *at in settings.addresses() if at[0] != "accounts"]
    found = await asyncio.gather(*(_wrong(url, settings, others=at[0] == "server") for url, at in told))
    raw = settings.model_dump()
    return {where(tuple(at), raw): wrong for (_, at), wrong in zip(told, found, strict=True) if wrong is not None}


async def _wrong(url: str, settings: Settings, *, others: bool = False) -> str | None:
    """`others`: it is they who connect to it, so that it need not be known here."""
    try:
        await reachable_at(url, settings.server.reach)
    except Private:
        return PRIVATE
    except Unresolved as error:
        return None if others else str(error)
    return None


async def sign_in(settings: Settings) -> Mapping[str, str | None]:
    """What kept us from signing in, in one line, or None, by the account's key."""
    client = new_client(settings.server.reach)
    try:
        found = connected(settings, client)
        failures = await asyncio.gather(*(_failure(connector, settings) for connector in found.values()))
    finally:
        await client.aclose()
    return dict(zip(found, failures, strict=True))


async def _failure(connector: Connector, settings: Settings) -> str | None:
    base = connector.account.base_url
    wrong = None if base is None else await _wrong(base, settings)
    if wrong is not None:
        return f"base_url: {wrong}"
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            await connector.sign_in()
    except VendorError as error:
        return f"{error.code.value}: {_line(error.message)}"
    except TimeoutError:
        return f"{ErrorCode.VENDOR_UNAVAILABLE.value}: no answer within {LONGEST_SECONDS:g} s"
    except Exception as error:
        log.exception("unexpected", account=connector.account.key)
        return f"{ErrorCode.INTERNAL.value}: {type(error).__name__}"
    return None


def _line(words: str) -> str:
    """Vendors' words may hold anything, and go to a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in words)
