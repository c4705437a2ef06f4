"""What is personal, and who may know it: those who work with machines, not those who only look at figures.

What is kept back is null, and `unavailable` says so; what the caches, the journal and other callers hold is whole."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domain.capabilities import UnavailableField, UnavailableReason
from domain.model import Role
from resolvers.context import Context, Info

# Members of vendors' records that tell of a person, in letters alone: a record of a thing may name its keeper.
PERSONAL = frozenset(
    {
        "accountinformation",
        "accountnumber",
        "author",
        "badge",
        "badgeid",
        "cardnumber",
        "contact",
        "contactperson",
        "createdby",
        "customer",
        "customerid",
        "email",
        "employee",
        "employeeid",
        "employeename",
        "externaluseridentifier",
        "firstname",
        "fullname",
        "lastname",
        "membercard",
        "membercardid",
        "membercards",
        "mobile",
        "nameonaccount",
        "phone",
        "phonenumber",
        "support",
        "supportemail",
        "supportphonenumber",
        "updatedby",
        "user",
        "userid",
        "username",
        "users",
    }
)


def permitted(context: Context) -> bool:
    """Whether the caller may know who it is."""
    return context.viewer.role is not Role.VIEWER


def private(name: str) -> Callable[..., Any]:
    """The resolver of something that only those may know who may know people."""

    def read(root: object, info: Info) -> Any:
        return getattr(root, name) if permitted(info.context) else None

    read.__name__ = name
    return read


def kept_back(*fields: str) -> Callable[..., Sequence[UnavailableField]]:
    """The resolver of `unavailable` where nothing else is null for a reason: the graph's names of what is private."""
    withheld = [UnavailableField(field=field, reason=UnavailableReason.NOT_PERMITTED) for field in fields]

    def read(root: object, info: Info) -> Sequence[UnavailableField]:
        return () if permitted(info.context) else withheld

    read.__name__ = "unavailable"
    return read


def of_thing(root: Any, info: Info) -> Any:
    """The vendor's record of a thing, less whom it names."""
    return root.vendor_data if permitted(info.context) else impersonal(root.vendor_data)


def impersonal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: impersonal(item) for key, item in value.items() if not _is_personal(key)}
    return [impersonal(item) for item in value] if isinstance(value, list | tuple) else value


def _is_personal(key: object) -> bool:
    return isinstance(key, str) and "".join(filter(str.isalpha, key)).casefold() in PERSONAL
