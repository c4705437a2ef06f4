"""Whether a vendor takes an account's credentials: asked when somebody wants to know, and kept for a while."""

from domain.access import SignIn
from domain.errors import VendorError, VendorUnauthorized
from domain.times import utc_now
from resolvers.context import Info
from resolvers.merge import failure
from resolvers.sources import Source


async def sign_in(root: Source, info: Info) -> SignIn:
    try:
        cached = await root.detail(("sign-in", ""), lambda: _ask(root), info.context.patience(root.seconds))
    except VendorError as error:  # it did not answer in time
        return _failed(error)
    found: SignIn = cached.value
    return found


async def _ask(source: Source) -> SignIn:
    """A refusal is an answer, and kept like any other."""
    try:
        await source.connector.sign_in()
    except VendorError as error:
        return _failed(error)
    return SignIn(accepted=True, asked_at=utc_now(), error=None)


def _failed(error: VendorError) -> SignIn:
    refused = isinstance(error, VendorUnauthorized)
    return SignIn(accepted=False if refused else None, asked_at=utc_now(), error=failure(error))
