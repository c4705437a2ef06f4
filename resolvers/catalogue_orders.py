"""Orders of the catalogue, from what callers ask for."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from domain import catalogue as asked
from domain.catalogue import CreateProduct, DeleteProduct, ProductTold, UpdateProduct
from domain.errors import BadInput
from domain.money import Money
from domain.orders import Order
from domain.refs import Kind, Ref
from resolvers.given import LONGEST_PROSE, counted, few, measured, native, worded
from resolvers.sources import Source
from resolvers.ways import LONGEST_TEXT, Asking, Way, money, of

LARGEST_IMAGES = 180 * 1024  # characters of base64 in all: what a request may hold, less the rest of it
MANY = 100
IMAGES = 8
NAMES = ("name", "manufacturer", "category", "sku", "gtin")


def _told(source: Source, given: asked.ProductGiven) -> ProductTold:
    for name in NAMES:
        worded(getattr(given, name), LONGEST_TEXT, name)
    worded(given.description, LONGEST_PROSE, "description")
    _check_sizes(given.smartepi)
    livello = given.livello
    _check_livello(livello)
    return ProductTold(
        **{name: getattr(given, name) for name in NAMES},
        description=given.description,
        price=_money(source, given, "price"),
        cost=_money(source, given, "cost"),
        organization=_of_livello(source, livello, "organization_id", Kind.ORGANIZATION, "organization"),
        images_of=_of_livello(source, livello, "copy_images_from", Kind.PRODUCT, "product"),
        livello=None if livello is None else replace(livello, organization_id=None, copy_images_from=None),
        smartepi=given.smartepi,
    )


def _money(source: Source, given: asked.ProductGiven, name: str) -> Money | None:
    amount: Decimal | None = getattr(given, name)
    return None if amount is None else money(source, amount, given.currency, name, least=Decimal())


FIELDS = {"organization_id": "organizationId", "copy_images_from": "copyImagesFrom"}


def _of_livello(
    source: Source, given: asked.LivelloProductInput | None, name: str, kind: Kind, what: str
) -> str | None:
    found: str | None = None if given is None else getattr(given, name)
    return native(source, found, kind, what, "livello", FIELDS[name])


def _check_livello(given: asked.LivelloProductInput | None) -> None:
    if given is None:
        return
    if given.images and given.copy_images_from is not None:
        raise BadInput("images are either given or copied", "input", "livello", "copyImagesFrom")
    _check_images(given)
    _check_packaging(given.packaging)
    few(given.capacities, MANY, "livello", "capacities")
    for at, one in enumerate(given.capacities or ()):
        measured(one.surface_size, "livello", "capacities", str(at), "surfaceSize")
        counted(one.units, "livello", "capacities", str(at), "units")
    for name, part in (("nutrition", given.nutrition), ("diet", given.diet)):
        _check_words(part, name)


def _check_words(part: object, name: str) -> None:
    texts = {} if part is None else {key: getattr(part, key) for key in type(part).__dataclass_fields__}  # type: ignore[attr-defined]
    for text in (one for one in texts.values() if isinstance(one, str)):
        worded(text, LONGEST_PROSE, "livello", name)


def _check_packaging(given: asked.ProductPackagingInput | None) -> None:
    if given is None:
        return
    place = ("livello", "packaging")
    counted(given.shelf_life_days, *place, "shelfLifeDays")
    counted(given.unit_count, *place, "unitCount")
    worded(given.net_weight_unit, LONGEST_TEXT, *place, "netWeightUnit")
    worded(given.description, LONGEST_PROSE, *place, "description")
    measured(given.net_weight, *place, "netWeight")
    measured(given.gross_weight, *place, "grossWeight")
    measured(given.package_weight, *place, "packageWeight")
    measured(given.tolerance_percentage, *place, "tolerancePercentage", most=Decimal(100))


def _check_images(given: asked.LivelloProductInput) -> None:
    few(given.images, IMAGES, "livello", "images")
    if sum(map(len, given.images or ())) > LARGEST_IMAGES:
        raise BadInput(f"images may hold {LARGEST_IMAGES} characters in all", "input", "livello", "images")
    for at, image in enumerate(given.images or ()):
        try:
            empty = not b64decode(image, validate=True)
        except ValueError:
            empty = True
        if empty:
            raise BadInput("a picture in base64 is expected", "input", "livello", "images", str(at))


def _check_sizes(given: asked.SmartEPIProductInput | None) -> None:
    if given is None:
        return
    few(given.sizes, MANY, "smartepi", "sizes")
    few(given.certificates, MANY, "smartepi", "certificates")
    for at, size in enumerate(given.sizes or ()):
        worded(size.name, LONGEST_TEXT, "smartepi", "sizes", str(at), "name", needed=size.vendor_id is None)
    for at, one in enumerate(given.certificates or ()):
        worded(one.number, LONGEST_TEXT, "smartepi", "certificates", str(at), "number", needed=one.vendor_id is None)


async def _create(asking: Asking, given: asked.CreateProductInput) -> Order:
    if given.name is None:
        raise BadInput("a product has a name", "input", "name")
    return CreateProduct(told=_told(asking.source, given))


async def _update(asking: Asking, given: asked.UpdateProductInput) -> Order:
    told = _told(asking.source, given)
    if told == ProductTold():
        raise BadInput("nothing is to change", "input")
    return UpdateProduct(product=_product(given.product_id), told=told)


async def _delete(_: Asking, given: asked.DeleteProductInput) -> Order:
    return DeleteProduct(product=_product(given.product_id))


def _product(id_: str) -> str:
    ref = Ref.parse(id_)
    assert ref is not None  # it was found by it
    return ref.native


ACCOUNT, PRODUCT = of(Kind.ACCOUNT, "account_id"), of(Kind.PRODUCT, "product_id")
WAYS: Mapping[type[Any], Way] = {
    asked.CreateProductInput: Way("account", ACCOUNT, _create),
    asked.UpdateProductInput: Way("product", PRODUCT, _update),
    asked.DeleteProductInput: Way("product", PRODUCT, _delete),
}
