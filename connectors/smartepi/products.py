"""Products as SmartEPI takes them: read with their version, changed, and written against it; a name is there once.

https://developers.dev.console.smartepi.com.br/api-reference/update-product"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.http import Answer
from connectors.parsing import text, unix
from connectors.smartepi.client import PRODUCT, SmartEPIClient
from domain.catalogue import (
    CreateProduct,
    DeleteProduct,
    ProductCertificateInput,
    ProductSizeInput,
    ProductTold,
    SmartEPIProductInput,
    UpdateProduct,
)
from domain.details import ProductCertificate, ProductSize
from domain.errors import BadInput, NotFound, VendorConflict, VendorError
from domain.orders import Order
from domain.refs import Kind, Ref

Body = dict[str, Any]
PLAIN: Mapping[str, str] = {"name": "name", "sku": "code", "description": "description"}
TAKEN = "there is a product of this name already"
FOREIGN = ("manufacturer", "category", "gtin", "price", "cost")
NOTHING = SmartEPIProductInput()
ORDERED = (CreateProduct, UpdateProduct, DeleteProduct)


def request(order: Order) -> VendorRequest:
    """But for the version. Raises BadInput where there is no such request."""
    match order:
        case CreateProduct():
            _new(order.told.smartepi or NOTHING)
            return VendorRequest(operation="create-product", body=_body(order.told))
        case UpdateProduct():
            return VendorRequest(operation="update-product", path={"id": order.product}, body=_body(order.told))
        case DeleteProduct():
            return VendorRequest(operation="delete-product", path={"id": order.product})
    raise BadInput("nothing of the kind can be ordered of SmartEPI")


def _body(told: ProductTold) -> Body:
    for name in FOREIGN:
        if getattr(told, name) is not None:
            raise BadInput("smartepi's products have nothing of the kind", "input", name)
    if told.livello is not None:
        raise BadInput("this account is none of Livello's", "input", "livello")
    more = told.smartepi or NOTHING
    body = {member: value for name, member in PLAIN.items() if (value := getattr(told, name)) is not None}
    if more.sizes is not None:
        body["sizes"] = [_there({"id": one.vendor_id, "name": one.name}) for one in more.sizes]
    if more.certificates is not None:
        body["certificates"] = [_certificate(one) for one in more.certificates]
    return body


def _certificate(one: ProductCertificateInput) -> Body:
    ends = None if one.expires_at is None else int(one.expires_at.timestamp())
    return _there({"id": one.vendor_id, "number": one.number, "expiresAt": ends})


def _there(body: Body) -> Body:
    return {member: value for member, value in body.items() if value is not None}


def _new(given: SmartEPIProductInput) -> None:
    """What is only made now has nothing yet that could be changed."""
    parts: Mapping[str, Sequence[ProductSizeInput | ProductCertificateInput] | None] = {
        "sizes": given.sizes,
        "certificates": given.certificates,
    }
    for name, found in parts.items():
        for at, one in enumerate(found or ()):
            if one.vendor_id is not None:
                raise BadInput("a new product has none yet", "input", "smartepi", name, str(at), "vendorId")


async def prepare(client: SmartEPIClient, order: Order) -> VendorRequest:
    """A new product's name is looked for first: one that is there by then can only be that one."""
    wanted = request(order)
    if isinstance(order, CreateProduct):
        known = await _named(client, order.told.name or "")
        if known is not None:
            raise _told(client, known, VendorConflict(TAKEN, account=client.account.key, vendor="smartepi", sent=False))
        return wanted
    found = await client.one(PRODUCT, wanted.path["id"])
    if found is None:
        raise NotFound("there is no such product")
    _, etag = found
    if not etag:
        raise client.broken("smartepi tells no version of the product")
    return replace(wanted, headers={"if-match": etag})


async def send(client: SmartEPIClient, request: VendorRequest) -> Taken:
    """Raises VendorConflict, with the product as it is by now, where another has changed it since it was read, or with
    the one that has the name by now."""
    try:
        answer = await client.act(request)
    except VendorConflict as conflict:
        await _look(client, request, conflict)
        raise
    native = _native(client, request, answer)
    return Taken(done=True, result={"id": native}, subject=client.account.to(Kind.PRODUCT, native))


def _native(client: SmartEPIClient, request: VendorRequest, answer: Answer) -> str:
    """Of what was made or changed the answer tells; of what is deleted it need not."""
    if request.operation == "delete-product" and answer.data is None:
        return request.path["id"]
    told = text(client.data(answer).get("id"))
    if told is None:
        raise client.broken(f"the answer to {request.operation} does not tell of which product it is")
    return told


async def _look(client: SmartEPIClient, request: VendorRequest, conflict: VendorConflict) -> None:
    """What is there by now; it may be gone, and that there is a conflict is known all the same."""
    native = request.path.get("id")
    with suppress(VendorError):
        if native is None:
            _told(client, await _named(client, request.body["name"]) or {}, conflict)
            return
        conflict.subject = client.account.to(Kind.PRODUCT, native)
        found = await client.one(PRODUCT, native)
        conflict.current = None if found is None else found[0]


def _told(client: SmartEPIClient, known: Mapping[str, Any], conflict: VendorConflict) -> VendorConflict:
    """With the product that stands against it, where there is one."""
    native = text(known.get("id"))
    if native is not None:
        conflict.subject, conflict.current = client.account.to(Kind.PRODUCT, native), known
    return conflict


async def fulfilled(client: SmartEPIClient, order: Order) -> Ref | bool | None:
    """By a name that is there once, and by all that was told: then it is the one that was made."""
    match order:
        case CreateProduct():
            found = await _named(client, order.told.name or "")
            return False if found is None else _made(client, found, order.told)
        case UpdateProduct():
            known = await client.one(PRODUCT, order.product)
            return None if known is None else _shows(known[0], order.told)
        case DeleteProduct():
            return await client.one(PRODUCT, order.product) is None
    return None


def _made(client: SmartEPIClient, found: Mapping[str, Any], told: ProductTold) -> Ref | None:
    native = text(found.get("id"))
    return client.account.to(Kind.PRODUCT, native) if native is not None and _shows(found, told) else None


def _shows(row: Mapping[str, Any], told: ProductTold) -> bool:
    sent = _body(told)
    plain = all(text(row.get(member)) == sent[member] for member in PLAIN.values() if member in sent)
    return plain and all(_holds(row.get(part), sent[part]) for part in ("sizes", "certificates") if part in sent)


def _holds(shown: Any, sent: list[Body]) -> bool:
    """Each of what was sent is in what is shown; ids of new ones the vendor makes."""
    known = [one for one in shown if isinstance(one, dict)] if isinstance(shown, list) else []
    return all(any(all(one.get(key) == value for key, value in each.items()) for one in known) for each in sent)


async def _named(client: SmartEPIClient, name: str) -> Mapping[str, Any] | None:
    """The filter finds what begins so, in any case: the name itself is looked for in that."""
    found = await client.all(PRODUCT, {"name": name})
    named = (one for one in found if isinstance(one, dict))
    return next((one for one in named if (text(one.get("name")) or "").casefold() == name.casefold()), None)


def sizes(row: Mapping[str, Any]) -> Sequence[ProductSize] | None:
    told = row.get("sizes")
    if not isinstance(told, list):
        return None
    named = ((text(one.get("id")), text(one.get("name"))) for one in told if isinstance(one, dict))
    return [ProductSize(vendor_id=native, name=name) for native, name in named if name is not None]


def certificates(row: Mapping[str, Any]) -> Sequence[ProductCertificate] | None:
    told = row.get("certificates")
    if not isinstance(told, list):
        return None
    return [
        ProductCertificate(
            vendor_id=text(one.get("id")),
            number=number,
            expires_at=None if one.get("expiresAt") is None else unix(one["expiresAt"]),
        )
        for one in told
        if isinstance(one, dict) and (number := text(one.get("number"))) is not None
    ]
