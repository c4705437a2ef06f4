"""How Livello's catalogue and organizations are changed, and what hangs on an organization.

The documents have lost the names of two members of a product: here they are `nutrition` and `dietaryInfo`."""

from typing import Any

from starlette.requests import Request

from sandbox.livello_fleet import Fleet, Row, iso
from sandbox.livello_forms import base64, fill, flag, numeric, one_of, part, several, text
from sandbox.livello_gate import Problem
from sandbox.world import World

ZERO = numeric(0)
MEASURES = ("shelfLifeDays", "netWeightGrams", "grossWeightGrams", "unitCount", "packageWeightGrams")
NUTRIENTS = ("energy", "fat", "fatSaturated", "carbo", "carboSugar", "fiber", "protein", "salt")
PRICING = {"defaultPrice": ZERO, "defaultCost": ZERO, "defaultVat_id": ZERO}
PACKAGING = {
    **dict.fromkeys((*MEASURES, "tolerancePercentage"), ZERO),
    **dict.fromkeys(("netWeightGramsUnit", "ean", "description"), text),
}
PRODUCT = {
    **dict.fromkeys(("name", "manufacturer", "description", "category", "articleNumber"), text),
    **dict.fromkeys(("organizationId", "copyImagesFromMetaId"), ZERO),
    "pricing": part(PRICING, "defaultPrice", "defaultCost"),
    "packaging": part(PACKAGING, "shelfLifeDays", "netWeightGrams", "grossWeightGrams", "netWeightGramsUnit"),
    "capacities": several(part({"surfaceSize": ZERO, "units": ZERO}, "surfaceSize", "units"), 1),
    "nutrition": part(dict.fromkeys(NUTRIENTS, text)),
    "dietaryInfo": part(
        {"glutenFree": flag, "vegetarian": flag, "vegan": flag, "allergens": text, "ingredientsList": text}
    ),
    "images": several(part({"data": base64}, "data")),
}
NEEDED = ("name", "manufacturer", "organizationId", "pricing", "packaging", "capacities")
ADDRESS = ("country", "address", "postalCode", "city", "state", "countryCode")
CONTACT = ("contactPerson", "role", "email", "phoneNumber", "supportEmail", "supportPhoneNumber")
ORGANIZATION = {
    **dict.fromkeys(("name", "slug", "description", "eanPrefix", "privacyPolicyUrl", "termsAndConditionsUrl"), text),
    "type": one_of("general", "client", "manufacturer"),
    "currency": one_of("eur", "chf", "gbp", "usd", "czk"),
    "address": part(dict.fromkeys(ADDRESS, text), "country"),
    "contact": part(dict.fromkeys(CONTACT, text)),
    "support": part(dict.fromkeys(("email", "hotline", "hotlineAvailability"), text)),
    "parentOrg": ZERO,
}
RATES = ((1, "Standard", 19), (2, "Reduced", 7))
COPIED = ("name", "manufacturer", "description", "category", "articleNumber")


class Catalogue:
    def __init__(self, world: World, fleet: Fleet) -> None:
        self._world, self._fleet = world, fleet

    def create_product(self, _: Request, body: Row) -> Row:
        fill(PRODUCT, body, *NEEDED)
        now = iso(self._world.now())
        native = max((one["id"] for one in self._fleet.products), default=0) + 1
        blank = dict.fromkeys(("description", "category", "articleNumber"))
        made = {"id": native, **blank, **self._product(body), "updatedAt": now, "createdAt": now, "images": []}
        self._fleet.products.append(made)
        return made

    def update_product(self, request: Request, body: Row) -> Row:
        fill(PRODUCT, body)
        row = _one(self._fleet.products, request, "Product")
        row |= self._product(body) | {"updatedAt": iso(self._world.now())}
        return row

    def delete_product(self, request: Request) -> None:
        self._fleet.products.remove(_one(self._fleet.products, request, "Product"))

    def create_organization(self, _: Request, body: Row) -> Row:
        """Nobody here is a superadmin, so that a parent is needed."""
        fill(ORGANIZATION, body, "name", "type", "currency", "address", "parentOrg")
        native = max(one["id"] for one in self._fleet.organizations) + 1
        made = {"id": native, "slug": None, **self._organization(body)}
        self._fleet.organizations.append(made)
        return made

    def update_organization(self, request: Request, body: Row) -> Row:
        fill(ORGANIZATION, body)
        row = _one(self._fleet.organizations, request, "Organization")
        row |= self._organization(body)
        return row

    def rates(self, request: Request) -> list[Row]:
        _one(self._fleet.organizations, request, "Organization")
        return [{"id": native, "name": name, "value": value, "countryCode": "DE"} for native, name, value in RATES]

    def lines(self, request: Request) -> list[Row]:
        organization = _one(self._fleet.organizations, request, "Organization")
        serials = [serial for serial, one in self._fleet.kiosks.items() if one["orgId"] == str(organization["id"])]
        cells = (cell["productLineData"] for serial in serials for cell in self._fleet.cells[serial])
        return [{"_id": str(line["id"]), "name": line["name"], "images": []} for line in cells if line is not None]

    def owner(self, native: Any) -> Row:
        found = next((one for one in self._fleet.organizations if one["id"] == native), None)
        if found is None:
            raise Problem(400, f"organization {native} does not exist")
        return found

    def _product(self, body: Row) -> Row:
        shown: Row = {name: body[name] for name in COPIED if name in body}
        if "organizationId" in body:
            owner = self.owner(body["organizationId"])
            names = {"organizationId": "id", "organizationName": "name", "organizationCurrency": "currency"}
            shown |= {name: owner[member] for name, member in names.items()}
        if "pricing" in body:
            shown |= _priced(body["pricing"])
        if "packaging" in body:
            packaging = body["packaging"]
            shown |= {"weight": packaging["netWeightGrams"], "weightUnit": packaging["netWeightGramsUnit"]}
        source = body.get("copyImagesFromMetaId")
        if source is not None and source not in [one["id"] for one in self._fleet.products]:
            raise Problem(400, f"product {source} does not exist")
        return shown

    def _organization(self, body: Row) -> Row:
        plain = ("name", "slug", "description", "address", "parentOrg")
        if "parentOrg" in body:
            self.owner(body["parentOrg"])
        words = {name: body[name].upper() for name in ("type", "currency") if name in body}
        return {name: body[name] for name in plain if name in body} | words


def _priced(pricing: Row) -> Row:
    rate = next((value for native, _, value in RATES if native == pricing.get("defaultVat_id", 1)), None)
    if rate is None:
        raise Problem(400, "pricing.defaultVat_id does not exist")
    price = pricing["defaultPrice"]
    net = price * 100 / (100 + rate)
    return {"price": f"{price:.2f}", "netPrice": f"{net:.2f}", "cost": pricing["defaultCost"]}


def _one(rows: list[Row], request: Request, what: str) -> Row:
    found = next((row for row in rows if str(row["id"]) == request.path_params["id"]), None)
    if found is None:
        raise Problem(404, f"{what} not found")
    return found
