"""The configuration file: TOML, checked in full before anything starts. Every fault names file, key and reason."""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from connectors.reaching import Reach, literal, may_reach
from domain.model import Role
from gateway import faults
from gateway.accounts import AccountSettings
from gateway.capacity import CapacitySettings
from gateway.faults import Place, fault
from gateway.fields import Address, Key, Moment, Network, Origin, Section, Sha256, Text, host_of, listed, unique
from gateway.issuers import JwtSettings
from gateway.limited import QuotaSettings
from gateway.limits import LimitSettings
from gateway.persisted import DocumentSettings
from gateway.tracing import TracingSettings

PRIVATE = "it is an address of a private network: server.allow_private_addresses = true allows that"
VARIABLE = re.compile(r"\$\{([^}]*)\}")


class SettingsError(Exception):
    """One fault a line, each with the file, the key and the reason."""


class Server(Section):
    host: Text = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    public_url: Address | None = None
    environment: Literal["production", "development"] = "production"
    allowed_origins: list[Origin] = Field(default=[])
    trusted_proxies: list[Network] = Field(default=[])
    allow_private_addresses: bool = False

    @property
    def development(self) -> bool:
        return self.environment == "development"

    @property
    def reach(self) -> Reach:
        """A gateway that only this machine can ask may be set up over what runs on this machine."""
        if self.allow_private_addresses or self.development:
            return Reach.ANYWHERE
        address = literal(self.host)
        return Reach.LOCAL if address is not None and address.is_loopback else Reach.PUBLIC


class Store(Section):
    """`retention_days`: how long the journal keeps what was told. That it was told is known for ever."""

    url: SecretStr = SecretStr("sqlite:///vendgraph.db")
    retention_days: int = Field(default=400, ge=1, le=36_500)

    @field_validator("url")
    @classmethod
    def _known(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        if not re.match(r"sqlite:///[^?]|postgresql://", text) or ":memory:" in text:
            raise fault('"sqlite:///FILE" or "postgresql://USER:PASSWORD@HOST/DATABASE" is expected')
        if text.count("@") > 1:
            raise fault("an @ in the user or password is written %40")
        return url


class Bus(Section):
    url: SecretStr = SecretStr("memory://")

    @field_validator("url")
    @classmethod
    def _known(cls, url: SecretStr) -> SecretStr:
        if not re.match(r"memory://$|rediss?://.", url.get_secret_value()):
            raise fault('"memory://" or "redis://HOST:PORT" is expected')
        return url


class CommandSettings(Section):
    """In seconds. `answer_seconds`: how long a mutation waits for what becomes of its command. `settle_seconds`: how
    long a sale that proves one is left to see whether another fits it as well."""

    answer_seconds: float = Field(default=2.0, ge=0, le=60)
    settle_seconds: float = Field(default=3.0, ge=0, le=3600)


class OrganizationSettings(Section):
    key: Key
    name: Text
    limits: QuotaSettings = QuotaSettings()


class KeySettings(Section):
    name: Text
    sha256: Sha256
    role: Role
    organizations: list[str] = Field(min_length=1)
    limits: QuotaSettings = QuotaSettings()
    expires: Moment | None = None
    introspection: bool = False


class Auth(Section):
    """`jwt`: one table, or several, each an issuer of tokens."""

    keys: list[KeySettings] = Field(default=[])
    jwt: list[JwtSettings] = Field(default=[])

    @field_validator("jwt", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        return [given] if isinstance(given, dict) else given


class Settings(Section):
    server: Server = Server()
    store: Store = Store()
    bus: Bus = Bus()
    organizations: list[OrganizationSettings] = Field(min_length=1)
    auth: Auth = Auth()
    commands: CommandSettings = CommandSettings()
    limits: LimitSettings = LimitSettings()
    capacity: CapacitySettings = CapacitySettings()
    documents: DocumentSettings = DocumentSettings()
    tracing: TracingSettings = TracingSettings()
    accounts: list[AccountSettings] = Field(default=[])

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known = [organization.key for organization in self.organizations]
        unique(known, "key", "organizations")
        unique([account.key for account in self.accounts], "key", "accounts")
        unique([key.sha256 for key in self.auth.keys], "sha256", "auth", "keys")
        for at, account in enumerate(self.accounts):
            if account.organization not in known:
                raise _no_organization([account.organization], known, "accounts", at, "organization")
        for at, key in enumerate(self.auth.keys):
            if unknown := set(key.organizations) - {*known, "*"}:
                raise _no_organization(unknown, [*known, "*"], "auth", "keys", at, "organizations")
        unique([issuer.issuer for issuer in self.auth.jwt], "issuer", "auth", "jwt")
        unique([issuer.name for issuer in self.auth.jwt], "name", "auth", "jwt")
        for at, issuer in enumerate(self.auth.jwt):
            if unknown := issuer.named - {*known, "*"}:
                raise _no_organization(unknown, [*known, "*"], "auth", "jwt", at, "organizations")
        return self

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        """What is written as an address; names are looked up by `vendgraph check`, and when they are connected to."""
        for url, *at in self.addresses():
            if not may_reach(host_of(url), self.server.reach):
                raise fault(PRIVATE, *at)
        return self

    def addresses(self) -> Iterator[tuple[str, *tuple[str | int, ...]]]:
        """Each that is told here, and where it stands. The store and the bus are one's own."""
        told: list[tuple[str | None, *tuple[str | int, ...]]] = [
            (self.server.public_url, "server", "public_url"),
            *((one.base_url, "accounts", at, "base_url") for at, one in enumerate(self.accounts)),
            *((one.jwks_url, "auth", "jwt", at, "jwks_url") for at, one in enumerate(self.auth.jwt)),
            (self.tracing.endpoint, "tracing", "endpoint"),
        ]
        for url, *at in told:
            if url is not None:
                yield url, *at


def _no_organization(unknown: Iterable[str], known: Iterable[str], *at: str | int) -> Exception:
    return fault(f"there is no organization {listed(unknown)}: there are {listed(known)}", *at)


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Raises SettingsError, with every fault that was found."""
    raw = _parsed(path)
    missing: list[str] = []
    filled = _filled(raw, environment, (), lambda place, why: missing.append(f"{faults.where(place, raw)}: {why}"))
    if missing:
        raise _wrong(path, missing)
    try:
        return Settings.model_validate(filled)
    except ValidationError as error:
        raise _wrong(path, faults.told(error, Settings, filled)) from None


def _wrong(path: Path, found: Iterable[str]) -> SettingsError:
    return SettingsError("\n".join(f"{path}: {one}" for one in found))


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: is not TOML: {error}") from None


def _filled(value: Any, environment: Mapping[str, str], place: Place, tell: Callable[[Place, str], None]) -> Any:
    """The value with its variables replaced; what cannot be replaced is told."""
    if isinstance(value, dict):
        return {key: _filled(item, environment, (*place, key), tell) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, environment, (*place, index), tell) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    for name in VARIABLE.findall(value):
        if name not in environment:
            tell(place, f"the environment has no variable {name}")
        elif not environment[name].isprintable():
            tell(place, f"the environment's {name} holds what is no printable text")
    return VARIABLE.sub(lambda variable: environment.get(variable[1], ""), value)
