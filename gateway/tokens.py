"""Who is calling by a token of an issuer that the configuration trusts: a signed JWT, RFC 7519 and RFC 8725.

Nothing that a token says of itself decides how it is verified: where its keys are, and for which algorithm each is
good, is known beforehand."""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx2
import jwt
from jwt.exceptions import PyJWTError

from domain.errors import Unauthenticated
from gateway.issuers import JwtSettings
from gateway.jwks import KeySet
from resolvers.context import Viewer

LONGEST = 8 * 1024  # characters
LONGEST_NAME = 255
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})  # of tokens that let somebody in
REQUIRED = ("exp", "iss", "aud")
FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

WRONG_TOKEN = "this token is not valid"  # noqa: S105  what is said of one
EXPIRED = "this token has expired"
NO_ROLE = "this token gives no role here"
NO_ORGANIZATION = "this token names no organization that is known here"


class Tokens:
    """`organizations`: the keys of all that there are."""

    def __init__(
        self,
        issuers: Iterable[JwtSettings],
        organizations: Iterable[str],
        client: httpx2.AsyncClient,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuers = {one.issuer: (one, KeySet(one.jwks_url, client, clock)) for one in issuers}
        self._organizations = frozenset(organizations)

    def reads(self, text: str) -> bool:
        """Whether it may be a token rather than a key."""
        return bool(self._issuers) and FORM.fullmatch(text) is not None

    async def viewer(self, text: str) -> Viewer:
        """Raises Unauthenticated."""
        if len(text) > LONGEST:
            raise Unauthenticated(WRONG_TOKEN)
        try:
            settings, claims = await self._verified(text)
        except jwt.ExpiredSignatureError:
            raise Unauthenticated(EXPIRED) from None
        except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise Unauthenticated(WRONG_TOKEN) from None
        return self._viewer(settings, claims)

    async def aclose(self) -> None:
        for _, keys in self._issuers.values():
            await keys.aclose()

    async def _verified(self, text: str) -> tuple[JwtSettings, Mapping[str, Any]]:
        header = jwt.get_unverified_header(text)
        issuer = jwt.decode(text, options={"verify_signature": False}).get("iss")
        settings, keys = self._issuers.get(issuer, (None, None)) if isinstance(issuer, str) else (None, None)
        if settings is None or keys is None:
            raise Unauthenticated(WRONG_TOKEN)
        algorithm = _algorithm(header, settings)
        key = await keys.find(algorithm, header.get("kid"))
        if key is None:
            raise Unauthenticated(WRONG_TOKEN)
        claims = jwt.decode(
            text,
            key,
            algorithms=[algorithm],
            audience=settings.audience,
            issuer=settings.issuer,
            leeway=settings.leeway_seconds,
            options={"require": [*REQUIRED]},
        )
        return settings, claims

    def _viewer(self, settings: JwtSettings, claims: Mapping[str, Any]) -> Viewer:
        name = claims.get(settings.name_claim)
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
            raise Unauthenticated(WRONG_TOKEN)
        role = settings.role(claims)
        if role is None:
            raise Unauthenticated(NO_ROLE)
        named = settings.organization_keys(claims)
        seen = self._organizations if "*" in named else named & self._organizations
        if not seen:
            raise Unauthenticated(NO_ORGANIZATION)
        return Viewer(
            name=f"{settings.name}:{name}", role=role, organizations=seen, introspection=settings.introspection
        )


def _algorithm(header: Mapping[str, Any], settings: JwtSettings) -> str:
    """Raises Unauthenticated. Extensions that a token insists on are none that are known here."""
    algorithm, kind = header.get("alg"), header.get("typ")
    known = algorithm in settings.algorithms and "crit" not in header and header.get("b64", True) is True
    if not known or (kind is not None and (not isinstance(kind, str) or kind.lower() not in TYPES)):
        raise Unauthenticated(WRONG_TOKEN)
    assert isinstance(algorithm, str)
    return algorithm
