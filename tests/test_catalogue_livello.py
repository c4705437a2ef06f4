"""Livello's catalogue as clients change it: what would be sent, what is refused, and what shows afterwards."""

from base64 import b64encode
from typing import Any

import pytest

from tests.catalogue import KIOSKS, Found, done, ended, give, organization, product, refusal
from tests.running import OPERATOR, STRANGER, VIEWER, Gateway, Sandbox

PICTURE = b64encode(b"\x89PNG of a bar").decode()
PACKAGING = {"shelfLifeDays": 180, "netWeight": "330", "netWeightUnit": "ml", "grossWeight": "345.5"}
LIVELLO = {"packaging": PACKAGING, "capacities": [{"surfaceSize": "100", "units": 12}]}
PRODUCT = {"name": "Cola 0.33", "manufacturer": "Fizz", "price": "1.79", "cost": "0.85"}
PACKED = {"shelfLifeDays": 180, "netWeightGrams": 330, "grossWeightGrams": 345.5, "netWeightGramsUnit": "ml"}
LEAST = {
    "name": "Cola 0.33",
    "manufacturer": "Fizz",
    "organizationId": 1,
    "pricing": {"defaultPrice": 1.79, "defaultCost": 0.85},
    "packaging": PACKED,
    "capacities": [{"surfaceSize": 100, "units": 12}],
}
EVERYTHING = {
    "description": "Sweet",
    "category": "Drinks",
    "sku": "ART-9",
    "gtin": "4006381333931",
    "currency": "EUR",
    "livello": {
        "taxRate": "2",
        "packaging": PACKAGING
        | {"packageWeight": "15.5", "unitCount": 1, "tolerancePercentage": "2.5", "description": "A can"},
        "nutrition": {"energy": "180 kJ", "saturatedFat": "0 g", "carbohydrates": "10 g", "sugars": "10 g"},
        "diet": {"glutenFree": True, "vegan": False, "allergens": "none", "ingredients": "water, sugar"},
        "images": [PICTURE],
    },
}
WHOLE = LEAST | {
    "description": "Sweet",
    "category": "Drinks",
    "articleNumber": "ART-9",
    "pricing": {"defaultPrice": 1.79, "defaultCost": 0.85, "defaultVat_id": 2},
    "packaging": PACKED
    | {
        "ean": "4006381333931",
        "description": "A can",
        "unitCount": 1,
        "packageWeightGrams": 15.5,
        "tolerancePercentage": 2.5,
    },
    "images": [{"data": PICTURE}],
    "nutrition": {"energy": "180 kJ", "fatSaturated": "0 g", "carbo": "10 g", "carboSugar": "10 g"},
    "dietaryInfo": {"glutenFree": True, "vegan": False, "allergens": "none", "ingredientsList": "water, sugar"},
}


def new(**changed: Any) -> Found:
    livello = {"organizationId": organization(1)} | LIVELLO | changed.pop("livello", {})
    return {"accountId": KIOSKS, "livello": livello} | PRODUCT | changed


def there(sandbox: Sandbox, native: str) -> Found | None:
    return next((one for one in sandbox.truth("livello")["products"] if str(one["id"]) == native), None)


# ---- what is sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "body"), [({}, LEAST), (EVERYTHING, WHOLE)], ids=["least", "everything"])
def test_a_product_is_sent_as_documented(gateway: Gateway, sandbox: Sandbox, given: Found, body: Found) -> None:
    planned = give(gateway, "createProduct", dry=True, **new(**given))["planned"]
    assert planned == [{"method": "POST", "path": "/products", "body": body}]
    assert not [one for one in sandbox.requests("livello") if one.startswith("POST") and "/products" in one]


def test_a_product_is_created_changed_and_deleted(gateway: Gateway, sandbox: Sandbox) -> None:
    """Each shows at once, though lists are kept for minutes."""
    gateway.ask("{ products(first: 1) { totalCount } }")
    made = done(gateway, "createProduct", **new(**EVERYTHING, name="Cola with all"))
    native = made["result"]["id"]
    assert made["subject"] == {"id": product(native), "__typename": "Product", "name": "Cola with all"}
    shown = gateway.ask(
        """query ($id: ID!) { product(id: $id) { name sku price { amount currency } cost { amount }
          organization { id } packaging { netWeight netWeightUnit } capacities { units } } }""",
        {"id": product(native)},
    )["product"]
    assert shown == {
        "name": "Cola with all",
        "sku": "ART-9",
        "price": {"amount": "1.79", "currency": "EUR"},
        "cost": {"amount": "0.85"},
        "organization": {"id": organization(1)},
        "packaging": {"netWeight": "330", "netWeightUnit": "ml"},
        "capacities": None,
    }
    changed = done(gateway, "updateProduct", productId=product(native), name="Cola anew", price="2.00", cost="1")
    assert changed["subject"]["name"] == "Cola anew"
    row = there(sandbox, native)
    assert row is not None
    assert (row["name"], row["price"], row["cost"], row["description"]) == ("Cola anew", "2.00", 1, "Sweet")
    assert done(gateway, "deleteProduct", productId=product(native))["subject"] is None
    assert there(sandbox, native) is None


def test_a_change_sends_what_changes_and_no_more(gateway: Gateway) -> None:
    given: Found = {"productId": product(10), "description": "Bitter", "livello": {"copyImagesFrom": product(11)}}
    (planned,) = give(gateway, "updateProduct", dry=True, **given)["planned"]
    body = {"description": "Bitter", "copyImagesFromMetaId": 11}
    assert planned == {"method": "PATCH", "path": "/products/10", "body": body}
    (planned,) = give(gateway, "deleteProduct", dry=True, productId=product(10))["planned"]
    assert planned == {"method": "DELETE", "path": "/products/10", "body": None}


# ---- what is refused ----------------------------------------------------------------------------------------------

LARGE = b64encode(bytes(140_000)).decode()
WRONG: list[tuple[Found, list[str]]] = [
    ({"manufacturer": None}, ["input", "manufacturer"]),
    ({"price": None}, ["input", "price"]),
    ({"cost": None}, ["input", "cost"]),
    ({"price": "1.795"}, ["input", "price"]),
    ({"price": "-1"}, ["input", "price"]),
    ({"currency": "USD"}, ["input", "currency"]),
    ({"name": " "}, ["input", "name"]),
    ({"name": "x" * 256}, ["input", "name"]),
    ({"smartepi": {"sizes": [{"name": "M"}]}}, ["input", "smartepi"]),
    ({"livello": {"organizationId": None}}, ["input", "livello", "organizationId"]),
    ({"livello": {"organizationId": organization(1, "acme-other")}}, ["input", "livello", "organizationId"]),
    ({"livello": {"organizationId": product(1)}}, ["input", "livello", "organizationId"]),
    ({"livello": {"packaging": None}}, ["input", "livello", "packaging"]),
    ({"livello": {"capacities": None}}, ["input", "livello", "capacities"]),
    ({"livello": {"capacities": []}}, ["input", "livello", "capacities"]),
    ({"livello": {"packaging": PACKAGING | {"grossWeight": "-1"}}}, ["input", "livello", "packaging", "grossWeight"]),
    ({"livello": {"packaging": PACKAGING | {"shelfLifeDays": -1}}}, ["input", "livello", "packaging", "shelfLifeDays"]),
    ({"livello": {"taxRate": "standard"}}, ["input", "livello", "taxRate"]),
    ({"livello": {"images": ["not base64!"]}}, ["input", "livello", "images", "0"]),
    ({"livello": {"images": [PICTURE, ""]}}, ["input", "livello", "images", "1"]),
    ({"livello": {"images": [LARGE]}}, ["input", "livello", "images"]),
    ({"livello": {"images": [PICTURE] * 9}}, ["input", "livello", "images"]),
    ({"livello": {"images": [PICTURE], "copyImagesFrom": product(10)}}, ["input", "livello", "copyImagesFrom"]),
    ({"livello": {"diet": {"allergens": ""}}}, ["input", "livello", "diet"]),
]


@pytest.mark.parametrize(
    ("given", "field"), WRONG, ids=lambda value: ".".join(value) if isinstance(value, list) else ""
)
def test_what_cannot_be_is_refused_without_a_request(
    gateway: Gateway, sandbox: Sandbox, given: Found, field: list[str]
) -> None:
    error = refusal(gateway, "createProduct", **new(**given))
    assert (error["code"], error["field"]) == ("BAD_INPUT", field), error
    assert sandbox.requests("livello") == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, ["input"]),
        ({"price": "1.00"}, ["input", "cost"]),
        ({"gtin": "4006381333931"}, ["input", "gtin"]),
        ({"livello": {"taxRate": "1"}}, ["input", "price"]),
    ],
)
def test_a_change_tells_the_whole_of_a_part(gateway: Gateway, given: Found, field: list[str]) -> None:
    error = refusal(gateway, "updateProduct", productId=product(10), **given)
    assert (error["code"], error["field"]) == ("BAD_INPUT", field)


def test_the_catalogue_is_for_admins_and_for_its_own(gateway: Gateway, sandbox: Sandbox) -> None:
    for by in (VIEWER, OPERATOR):
        assert refusal(gateway, "createProduct", by=by, **new())["code"] == "FORBIDDEN"
        assert refusal(gateway, "deleteProduct", by=by, productId=product(10))["code"] == "FORBIDDEN"
    assert refusal(gateway, "createProduct", by=STRANGER, **new())["code"] == "NOT_FOUND"
    assert refusal(gateway, "updateProduct", by=STRANGER, productId=product(10), name="Mine")["code"] == "NOT_FOUND"
    assert sandbox.requests("livello") == []


def test_what_the_vendor_refuses_has_failed(gateway: Gateway) -> None:
    command = ended(gateway, "updateProduct", productId=product(99_999), name="Nobody")
    assert (command["status"], command["errorCode"]) == ("FAILED", "VENDOR_REJECTED")
    command = ended(gateway, "createProduct", **new(livello={"organizationId": organization(77)}))
    assert (command["status"], "organization 77" in command["error"]) == ("FAILED", True)


def test_a_lost_answer_leaves_it_open(gateway: Gateway, sandbox: Sandbox) -> None:
    """Two products may be alike, so that no list can tell whether this one was made."""
    sandbox.break_("livello", "truncate", operation="/products", times=1)
    command = ended(gateway, "createProduct", **new(name="Lost Cola"))
    assert command["status"] == "UNKNOWN"
    assert [one for one in sandbox.truth("livello")["products"] if one["name"] == "Lost Cola"]
    error = refusal(gateway, "createProduct", **new(name="Lost Cola"))
    assert error["code"] == "CONFLICT"
