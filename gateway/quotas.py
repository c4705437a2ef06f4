"""The configuration's limits on commands, by the name of the key and by organization."""

from collections.abc import Callable, Sequence

from gateway.limited import QuotaSettings
from gateway.settings import Settings
from journal.quotas import Quota


def quotas(settings: Settings) -> Callable[[str, str], Sequence[Quota]]:
    """What a key of this name, and an organization, may ask for. Keys that share a name share its limits: while one
    takes over from another, one of them may leave them out."""
    of_keys = {key.name: _quota(key.limits, key.name) for key in settings.auth.keys if key.limits != QuotaSettings()}
    of_issuers = {issuer.name: issuer.limits for issuer in settings.auth.jwt}
    of_organizations = {one.key: _quota(one.limits, None) for one in settings.organizations}

    def find(name: str, organization: str) -> Sequence[Quota]:
        issuer, by_token, _ = name.partition(":")
        own = _quota(of_issuers[issuer], name) if by_token and issuer in of_issuers else of_keys.get(name)
        found = (own, of_organizations.get(organization))
        return [quota for quota in found if quota is not None]

    return find


def _quota(limits: QuotaSettings, name: str | None) -> Quota | None:
    if limits == QuotaSettings():
        return None
    return Quota(requested_by=name, **limits.model_dump())
