"""Changes of Livello's catalogue, organizations and promo codes: what is sent, what is answered, and what shows it."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from connectors.acting import Taken, VendorRequest
from connectors.base import Account
from connectors.http import Answer
from connectors.livello import catalogue, estate, promotions
from connectors.livello.client import ORGANIZATIONS, PRICES, PRODUCTS, PROMO_READ, PROMO_WRITE, LivelloClient
from connectors.livello.parse import native_id
from connectors.livello.words import number_of
from connectors.parsing import number, rows, text
from domain.catalogue import CreateProduct, DeleteProduct, ProductTold, UpdateProduct
from domain.errors import BadInput, Conflict
from domain.estate import CreateOrganization, UpdateOrganization
from domain.orders import Order
from domain.promotions import CreatePromoCodes, SetPromoEligibility
from domain.refs import Kind

SHOWN: Mapping[str, str] = {**catalogue.PLAIN, "price": "price", "cost": "cost"}  # what a product's answer tells of it


def request(account: Account, order: Order) -> VendorRequest:
    """Pure. Raises BadInput, or Unsupported, where there is no such request."""
    form = FORMS.get(type(order))
    if form is None:
        raise BadInput("nothing of the kind can be ordered of Livello")
    return form(account, order)


FORMS: Mapping[type[Order], Callable[[Account, Any], VendorRequest]] = {
    CreateProduct: catalogue.created,
    UpdateProduct: catalogue.updated,
    DeleteProduct: lambda _, order: VendorRequest(operation="delete-product", path={"id": order.product}),
    CreateOrganization: lambda _, order: estate.created(order),
    UpdateOrganization: lambda _, order: estate.updated(order),
    CreatePromoCodes: lambda _, order: promotions.created(order),
    SetPromoEligibility: lambda _, order: promotions.eligible(order),
}


NEEDS: Mapping[str, str | None] = {
    "create-product": PRICES,
    "update-product": PRICES,
    "delete-product": PRICES,
    "create-organization": None,  # the documents name no scope for it
    "update-organization": None,
    "create-promocodes": PROMO_WRITE,
    "set-promocode-eligibility": PROMO_WRITE,
}


async def prepare(client: LivelloClient, order: Order) -> VendorRequest:
    """A code of one's own is looked for first, where it may be: one that is there by then can only be that one."""
    wanted = request(client.account, order)
    scope = NEEDS[wanted.operation]
    await (client.login.token() if scope is None else client.need(scope))
    if isinstance(order, CreatePromoCodes) and await _code_there(client, order) is not None:
        raise Conflict("there is a promo code of this name already")
    return wanted


async def _code_there(client: LivelloClient, order: CreatePromoCodes) -> Any:
    """The code of one's own, where it is there; None also where it may not be looked for."""
    if order.told.code is None or client.lacks(PROMO_READ):
        return None
    return await client.found("get-promocode", PROMO_READ, code=order.told.code)


async def fulfilled(client: LivelloClient, order: Order) -> bool | None:
    """None where nothing is certain: two products may be alike, and so may two organizations."""
    match order:
        case DeleteProduct():
            return await _gone(client, order)
        case UpdateProduct():
            return _shows(await client.found("get-product", PRODUCTS, id=order.product), order.told)
        case UpdateOrganization():
            sent = estate.updated(order).body
            return _shows_organization(
                await client.found("get-organization", ORGANIZATIONS, id=order.organization), sent
            )
        case CreatePromoCodes() if order.told.code is not None and not client.lacks(PROMO_READ):
            found = await _code_there(client, order)
            return isinstance(found, dict) and text(found.get("organizationId")) == order.organization
    return None


async def _gone(client: LivelloClient, order: DeleteProduct) -> bool | None:
    """By the whole list: that one record is not to be had may mean anything."""
    found = await client.products()
    natives = {native_id(row) for row in found.rows if isinstance(row, dict)}
    if order.product in natives:
        return False
    return True if len(natives) >= found.total else None


def _shows(row: Any, told: ProductTold) -> bool | None:
    """What no answer tells of a product leaves it open whether that was changed, too."""
    if not isinstance(row, dict):
        return None
    sent = {name: value for name in SHOWN if (value := getattr(told, name)) is not None}
    if any(not _same(row.get(SHOWN[name]), value) for name, value in sent.items()):
        return False
    unseen = (told.livello, told.gtin, told.images_of, told.organization)
    return True if sent and all(one is None for one in unseen) else None


def _same(shown: Any, sent: Any) -> bool:
    amount: Decimal | None = getattr(sent, "amount", None)
    return text(shown) == sent if amount is None else number(shown) == amount


def _shows_organization(row: Any, sent: Mapping[str, Any]) -> bool | None:
    if not isinstance(row, dict):
        return None
    plain = {name: value for name, value in sent.items() if name in ("name", "slug", "description")}
    words = {name: value for name, value in sent.items() if name in ("type", "currency")}
    if any(text(row.get(name)) != value for name, value in plain.items()):
        return False
    if any((text(row.get(name)) or "").lower() != value for name, value in words.items()):
        return False
    return True if len(plain) + len(words) == len(sent) else None


def _made(kind: Kind) -> Callable[[LivelloClient, VendorRequest, Answer], Taken]:
    def read(client: LivelloClient, request: VendorRequest, answer: Answer) -> Taken:
        native = native_id(answer.data) if isinstance(answer.data, dict) else None
        native = native or request.path.get("id")
        if native is None or not _done(answer):
            raise client.broken(f"the answer to {request.operation} does not tell what was made")
        return Taken(done=True, result={"id": native}, subject=client.account.to(kind, native))

    return read


def _deleted(client: LivelloClient, request: VendorRequest, answer: Answer) -> Taken:
    """What is answered is not documented: that it went well is."""
    if isinstance(answer.data, dict) and answer.data.get("success") is False:
        raise client.broken(f"the answer to {request.operation} says that it was not done")
    native = request.path["id"]
    return Taken(done=True, result={"id": native}, subject=client.account.to(Kind.PRODUCT, native))


def _done(answer: Answer) -> bool:
    if answer.data is None:
        return answer.status in (201, 204)
    return isinstance(answer.data, dict) and answer.data.get("success") is not False


def _promo_codes(client: LivelloClient, request: VendorRequest, answer: Answer) -> Taken:
    row = _succeeded(client, request, answer)
    made = rows(client.account, request.operation, row.get("promocodes"))
    codes = [promotions.promo_code(client.account, one).code for one in made]
    return Taken(done=True, result={"codes": codes, "configCreated": row.get("configCreated") is True})


def _eligible(client: LivelloClient, request: VendorRequest, answer: Answer) -> Taken:
    affected = _succeeded(client, request, answer).get("affectedCount")
    return Taken(done=True, result={"affected": affected if isinstance(affected, int) else None})


def _succeeded(client: LivelloClient, request: VendorRequest, answer: Answer) -> Mapping[str, Any]:
    row = answer.data if isinstance(answer.data, dict) else {}
    if row.get("success") is False:
        raise client.refused(text(row.get("errorMessage")) or request.operation)
    if row.get("success") is not True:
        raise client.broken(f"the answer to {request.operation} does not say that it was done")
    return row


READ: Mapping[str, Callable[[LivelloClient, VendorRequest, Answer], Taken]] = {
    "create-product": _made(Kind.PRODUCT),
    "update-product": _made(Kind.PRODUCT),
    "delete-product": _deleted,
    "create-organization": _made(Kind.ORGANIZATION),
    "update-organization": _made(Kind.ORGANIZATION),
    "create-promocodes": _promo_codes,
    "set-promocode-eligibility": _eligible,
}


def check(account: Account, order: Order) -> None:
    """As `request`, and that what is changed can be named in a path."""
    wanted = request(account, order)
    if isinstance(order, UpdateProduct | DeleteProduct):
        number_of(wanted.path["id"], "productId")
