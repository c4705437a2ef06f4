"""What values of the configuration may look like; each says what would be right."""

import re
from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_network
from typing import Annotated

import httpx2
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from gateway.faults import fault


class Section(BaseModel):
    """A table of the configuration. What goes wrong in one never shows its values: some are secrets."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


def _like(pattern: str, expected: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise fault(f"{expected} is expected")
        return text

    return AfterValidator(check)


def _address(text: str) -> str:
    """Without a trailing slash, so that paths can be appended."""
    try:
        url = httpx2.URL(text)
        good = url.scheme in ("http", "https") and bool(url.host) and not url.userinfo and (url.port or 1) <= 65_535
    except httpx2.InvalidURL:
        good = False
    if not good or re.search(r"[\s?#]", text):
        raise fault('an address such as "https://api.example.com/v1" is expected, without a query or credentials')
    return text.rstrip("/")


def host_of(url: str) -> str:
    return httpx2.URL(url).host


def _origin(text: str) -> str:
    """As browsers send it."""
    address = _address(text)
    if httpx2.URL(address).raw_path not in (b"", b"/"):
        raise fault('an origin such as "https://app.example.com" is expected, without a path')
    return address.lower()


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise fault('an address or a network, such as "10.0.0.0/8", is expected') from None
    return text


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise fault("a time with an offset is expected, such as 2027-01-31T12:00:00Z")
    return moment


def _not_empty(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise fault("is empty")
    return secret


Text = Annotated[str, _like(r"(?s).*\S.*", "a text that is not empty")]
Key = Annotated[str, _like(r"[a-z0-9-]{1,64}", "a name of a to z, 0 to 9 and hyphens, 64 at most,")]
Address = Annotated[str, AfterValidator(_address)]
Origin = Annotated[str, AfterValidator(_origin)]
Network = Annotated[str, AfterValidator(_network)]
Moment = Annotated[datetime, AfterValidator(_aware)]
Currency = Annotated[str, _like(r"[A-Z]{3}", 'an ISO 4217 code, such as "EUR",')]
Sha256 = Annotated[
    str,
    _like(r"[0-9a-fA-F]{64}", "the SHA-256 of the key's UTF-8 text, in 64 hex digits,"),
    AfterValidator(str.lower),
]
Credential = Annotated[SecretStr, AfterValidator(_not_empty)]
Secrets = Annotated[  # the second one is for a rotation: both are good
    tuple[Credential, ...],
    BeforeValidator(lambda given: [given] if isinstance(given, str) else given),
    Field(min_length=1, max_length=2),
]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


def unique(values: list[str], key: str, *at: str) -> None:
    """`values`: what stands under `key` in each member of a list."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise fault("it is there twice, and has to be unique", *at, index, key)


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
