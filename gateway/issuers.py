"""Who issues tokens, by the configuration: whose, for whom, and what their claims mean here."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from domain.model import Role
from gateway.fields import Address, Key, Section, Text
from gateway.limited import QuotaSettings

Algorithm = Literal["RS256", "ES256", "EdDSA"]
ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")
OneOrMore = BeforeValidator(lambda given: [given] if isinstance(given, str) else given)
RANK = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)


class JwtSettings(Section):
    """A claim is named by its path: `realm_access.roles`, or, where there is one of that very name, by that.

    `roles` and `organizations`: what a value of the claim means; where one is left out, the values are our words."""

    name: Key = "jwt"
    issuer: Text
    audience: Annotated[list[Text], OneOrMore, Field(min_length=1)]
    jwks_url: Address
    algorithms: list[Algorithm] = Field(default=[*ALGORITHMS], min_length=1)
    leeway_seconds: float = Field(default=60.0, ge=0, le=300)
    name_claim: Text = "sub"
    role_claim: Text = "role"
    roles: dict[str, Role] = Field(default={})
    organizations_claim: Text = "organizations"
    organizations: dict[str, Annotated[list[str], OneOrMore]] = Field(default={})
    introspection: bool = False
    limits: QuotaSettings = QuotaSettings()

    @property
    def named(self) -> set[str]:
        """Organizations that stand in it."""
        return {key for keys in self.organizations.values() for key in keys}

    def role(self, claims: Mapping[str, Any]) -> Role | None:
        """The highest that the token gives; None where it gives none."""
        meaning = self.roles or {role.value: role for role in Role}
        found = {meaning[value] for value in _texts(claims, self.role_claim) if value in meaning}
        return max(found, key=RANK.index, default=None)

    def organization_keys(self, claims: Mapping[str, Any]) -> frozenset[str]:
        """An asterisk only where the configuration says so: a token that says it is of an organization of that name."""
        told = _texts(claims, self.organizations_claim)
        if not self.organizations:
            return frozenset(told) - {"*"}
        return frozenset(key for value in told for key in self.organizations.get(value, ()))


def _texts(claims: Mapping[str, Any], path: str) -> list[str]:
    """A claim of one text is a list of it, and so is none."""
    found = _at(claims, path)
    told: Iterable[Any] = found if isinstance(found, list) else [found]
    return [value for value in told if isinstance(value, str)]


def _at(claims: Any, path: str) -> Any:
    if isinstance(claims, Mapping) and path not in claims:
        first, _, rest = path.partition(".")
        return _at(claims.get(first), rest) if rest else None
    return claims[path] if isinstance(claims, Mapping) else None
