"""Signs in at every account, to see whether the configuration is right before anyone depends on it."""

import asyncio
from collections.abc import Mapping

import structlog

from connectors.base import Connector
from connectors.http import new_client
from domain.errors import ErrorCode, VendorError
from gateway.app import connected
from gateway.settings import Settings

log = structlog.get_logger()

LONGEST_SECONDS = 30.0


async def sign_in(settings: Settings) -> Mapping[str, str | None]:
    """What kept us from signing in, in one line, or None, by the account's key."""
    client = new_client(settings.server.reach)
    try:
        found = connected(settings, client)
        failures = await asyncio.gather(*(_failure(connector) for connector in found.values()))
    finally:
        await client.aclose()
    return dict(zip(found, failures, strict=True))


async def _failure(connector: Connector) -> str | None:
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
