"""The emulated Livello refuses what its documents do not tell."""

from typing import Any

import httpx2
import pytest

from sandbox.app import create_app
from sandbox.livello import Livello
from tests.vendors import TINY

BASE = "/livello/api/v1"
PRODUCT: dict[str, Any] = {
    "name": "Bar",
    "manufacturer": "Oat",
    "organizationId": 1,
    "pricing": {"defaultPrice": 1.1, "defaultCost": 0.5},
    "packaging": {"shelfLifeDays": 9, "netWeightGrams": 1, "grossWeightGrams": 1, "netWeightGramsUnit": "g"},
    "capacities": [{"surfaceSize": 100, "units": 3}],
}
MARKET: dict[str, Any] = {
    "name": "M",
    "type": "client",
    "currency": "eur",
    "address": {"country": "Germany"},
    "parentOrg": 1,
}
RULE: dict[str, Any] = {"day": 0, "resetAmount": 1, "type": "flat", "cappingEnabled": False}
CODES: dict[str, Any] = {"organizationId": 1}


def less(whole: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key != name}


WRONG = [
    *(("POST", "/products", less(PRODUCT, name)) for name in PRODUCT),
    ("POST", "/products", PRODUCT | {"price": 1}),
    ("POST", "/products", PRODUCT | {"name": None}),
    ("POST", "/products", PRODUCT | {"organizationId": "1"}),
    ("POST", "/products", PRODUCT | {"organizationId": 99}),
    ("POST", "/products", PRODUCT | {"capacities": []}),
    ("POST", "/products", PRODUCT | {"pricing": {"defaultPrice": 1}}),
    ("POST", "/products", PRODUCT | {"pricing": {"defaultPrice": "1", "defaultCost": 1}}),
    ("POST", "/products", PRODUCT | {"pricing": {"defaultPrice": 1, "defaultCost": 1, "defaultVat_id": 9}}),
    ("POST", "/products", PRODUCT | {"packaging": less(PRODUCT["packaging"], "grossWeightGrams")}),
    ("POST", "/products", PRODUCT | {"images": [{"data": "no base64!"}]}),
    ("POST", "/products", PRODUCT | {"dietaryInfo": {"vegan": "yes"}}),
    ("PATCH", "/products/10", {"pricing": {"defaultPrice": 1}}),
    ("PATCH", "/products/10", {"id": 10}),
    *(("POST", "/organizations", less(MARKET, name)) for name in MARKET),
    ("POST", "/organizations", MARKET | {"type": "CLIENT"}),
    ("POST", "/organizations", MARKET | {"currency": "EUR"}),
    ("PATCH", "/organizations/2", {"parentOrg": None}),
    ("POST", "/promocodes", {}),
    ("POST", "/promocodes", CODES | {"code": "1234"}),
    ("POST", "/promocodes", CODES | {"quantity": 101}),
    ("POST", "/promocodes", CODES | {"durationEndDays": 3, "workingDurationEnd": "2031-01-01T00:00:00Z"}),
    ("POST", "/promocodes", CODES | {"rules": [RULE], "configId": 1}),
    ("POST", "/promocodes", CODES | {"configId": 77}),
    ("POST", "/promocodes", CODES | {"rules": [RULE | {"day": 7}]}),
    ("POST", "/promocodes", CODES | {"rules": [less(RULE, "resetAmount")]}),
    ("POST", "/promocodes/eligibility", {"organizationId": 1}),
    ("POST", "/promocodes/eligibility", {"organizationId": 1, "enabled": True, "kioskSerialNumber": "LIV-9999"}),
]


@pytest.fixture
async def asks() -> Any:
    vendor = Livello(TINY, hourly=10**6, logins=10**6)
    headers = {"authorization": f"Bearer {vendor.gate.hand_out()}"}
    transport = httpx2.ASGITransport(app=create_app(vendors=[vendor]))
    async with httpx2.AsyncClient(transport=transport, base_url="http://vendor.test", headers=headers) as client:
        yield client


@pytest.mark.parametrize(("method", "path", "body"), WRONG)
async def test_what_no_document_tells_is_refused(asks: Any, method: str, path: str, body: Any) -> None:
    answer = await asks.request(method, BASE + path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_what_is_right_is_taken(asks: Any) -> None:
    made = await asks.post(BASE + "/products", json=PRODUCT)
    assert (made.status_code, made.json()["price"], made.json()["netPrice"]) == (201, "1.10", "0.92")
    path = f"{BASE}/products/{made.json()['id']}"
    assert (await asks.patch(path, json={"name": "Rod"})).json()["name"] == "Rod"
    assert [(await asks.delete(path)).status_code for _ in range(2)] == [204, 404]
    found = await asks.post(BASE + "/organizations", json=MARKET)
    assert (found.status_code, found.json()["type"], found.json()["currency"]) == (201, "CLIENT", "EUR")
    codes = await asks.post(BASE + "/promocodes", json=CODES | {"rules": [RULE], "quantity": 2})
    assert (codes.json()["configCreated"], len(codes.json()["promocodes"])) == (True, 2)
    again = await asks.post(BASE + "/promocodes", json=CODES | {"code": codes.json()["promocodes"][0]["code"]})
    assert again.json()["success"] is False
    assert (await asks.get(f"{BASE}/promocodes/abcde")).status_code == 404
    assert (await asks.get(f"{BASE}/organizations/99/vat")).status_code == 404
