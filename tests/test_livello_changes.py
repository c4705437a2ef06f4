"""Changes ordered of Livello, over the wire: what each way of failing means, and what reading back can prove."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.acting import TakesOrders
from connectors.reading import ReadsProductLines, ReadsPromoCodes, ReadsTaxRates
from domain.capabilities import Capability, UnavailableReason
from domain.catalogue import (
    CreateProduct,
    DeleteProduct,
    LivelloProductInput,
    ProductCapacityInput,
    ProductDietInput,
    ProductNutritionInput,
    ProductPackagingInput,
    ProductTold,
    UpdateProduct,
)
from domain.errors import BadInput, VendorForbidden, VendorProtocolError, VendorRejected
from domain.estate import AddressInput, CreateOrganization, OrganizationTold, UpdateOrganization
from domain.money import Money
from domain.orders import MachineOrder, Order
from domain.promotions import CreatePromoCodes, PromoCodesTold, SetPromoEligibility
from sandbox.livello import SCOPES, Livello
from tests.ordering import STRUCK, Struck, failure, ordering
from tests.vendors import TINY, Standing, standing

LIVELLO = LivelloProductInput(
    packaging=ProductPackagingInput(
        shelf_life_days=9, net_weight=Decimal("0.5"), net_weight_unit="g", gross_weight=Decimal("1.0")
    ),
    capacities=(ProductCapacityInput(surface_size=Decimal(100), units=3),),
)
PRODUCT = ProductTold(
    name="Bar",
    manufacturer="Oat",
    price=Money(Decimal("1.10"), "EUR"),
    cost=Money(Decimal("0.5"), "EUR"),
    organization="1",
    livello=LIVELLO,
)
MARKET = OrganizationTold(name="Market", type="client", currency="eur", address=AddressInput(country="Germany"))
CREATE, UPDATE = CreateProduct(told=PRODUCT), UpdateProduct(product="10", told=ProductTold(name="Bar"))
DELETE = DeleteProduct(product="10")
FOUND, RENAME = (
    CreateOrganization(told=MARKET, parent="1"),
    UpdateOrganization(organization="2", told=OrganizationTold(name="North"), parent=None),
)
CODES = CreatePromoCodes(organization="1", told=PromoCodesTold(code="00042"))
ELIGIBLE = SetPromoEligibility(
    organization="1", enabled=True, product_lines=("1",), machine=None, config_id=None, valid_to=None
)
SENT: dict[str, tuple[Order, bytes]] = {
    "POST /products": (
        CREATE,
        (
            b'{"name":"Bar","manufacturer":"Oat","organizationId":1,"pricing":{"defaultPrice":1.1,"defaultCost":0.5},'
            b'"packaging":{"shelfLifeDays":9,"netWeightGrams":0.5,"grossWeightGrams":1,"netWeightGramsUnit":"g"},'
            b'"capacities":[{"surfaceSize":100,"units":3}]}'
        ),
    ),
    "PATCH /products/10": (UPDATE, b'{"name":"Bar"}'),
    "DELETE /products/10": (DELETE, b""),
    "POST /organizations": (
        FOUND,
        b'{"name":"Market","type":"client","currency":"eur","address":{"country":"Germany"},"parentOrg":1}',
    ),
    "PATCH /organizations/2": (RENAME, b'{"name":"North"}'),
    "POST /promocodes": (CODES, b'{"organizationId":1,"code":"00042"}'),
    "POST /promocodes/eligibility": (ELIGIBLE, b'{"organizationId":1,"enabled":true,"productlineIds":[1]}'),
}
OF_A_BODY = ("empty", "truncate", "trickle")  # faults of what has one, which the answer to a deletion has not


def emulated(**how: Any) -> Livello:
    return Livello(TINY, hourly=10**6, logins=10**6, **how)


def tells(*answers: Any) -> Any:
    """Whoever asks for anything but a token gets the next of these, and the last for ever."""
    left = list(answers)

    async def instead(request: Request) -> Response | None:
        if request.url.path.endswith("/auth/token"):
            return None
        told = left.pop(0) if len(left) > 1 else left[0]
        return told if isinstance(told, Response) else JSONResponse(told)

    return instead


# ---- what reaches the vendor --------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", SENT)
async def test_what_is_sent_is_what_the_documents_say(asked: str) -> None:
    order, body = SENT[asked]
    async with standing("livello", vendor=emulated()) as it:
        taken = await it.connector.send(await it.connector.prepare(order))
        sent = it.wire.asked[-1]
        assert (f"{sent.method} {sent.path.removeprefix('/livello/api/v1')}", sent.body) == (asked, body)
        assert taken.done


@pytest.mark.parametrize(
    ("asked", "struck"),
    [(asked, one) for asked in SENT for one in STRUCK if asked[:6] != "DELETE" or one.kind not in OF_A_BODY],
    ids=str,
)
async def test_each_way_of_failing_says_whether_it_may_have_been_done(asked: str, struck: Struck) -> None:
    order, _ = SENT[asked]
    async with ordering("livello") as it:
        error = await it.struck(order, struck, asked.partition(" ")[2])
    assert (type(error), error.sent) == (struck.error, struck.sent)


async def test_the_roles_are_played() -> None:
    async with standing("livello", vendor=emulated()) as it:
        roles = (TakesOrders, ReadsTaxRates, ReadsProductLines, ReadsPromoCodes)
        assert all(isinstance(it.connector, role) for role in roles)


@pytest.mark.parametrize(
    ("scope", "order"), [("products:write", CREATE), ("products:write", DELETE), ("promocodes:write", CODES)]
)
async def test_what_the_scope_does_not_cover_costs_nothing(scope: str, order: Order) -> None:
    vendor = emulated(scopes=" ".join(one for one in SCOPES.split() if one != scope))
    async with standing("livello", vendor=vendor) as it:
        error = await failure(it.connector.prepare(order))
        assert (type(error), error.sent) == (VendorForbidden, False)
        assert it.connector.refusal(order.kind) is UnavailableReason.NOT_PERMITTED
        assert [one.path for one in it.wire.asked] == ["/livello/api/v1/auth/token"]


@pytest.mark.parametrize(
    ("members", "diet", "nutrition"),
    [({}, "dietaryInfo", "nutrition"), ({"diet": "eaters", "nutrition": "contents"}, "eaters", "contents")],
)
async def test_a_name_that_the_documents_lost_is_its_types_or_the_accounts(
    members: dict[str, str], diet: str, nutrition: str
) -> None:
    parts = LivelloProductInput(diet=ProductDietInput(vegan=True), nutrition=ProductNutritionInput(salt="1 g"))
    order = UpdateProduct(product="10", told=ProductTold(livello=parts))
    async with standing("livello", vendor=emulated(), members=members) as it:
        it.connector.check(order)
        assert (await it.connector.prepare(order)).body == {diet: {"vegan": True}, nutrition: {"salt": "1 g"}}


async def test_a_product_that_fits_on_no_scale_costs_nothing() -> None:
    """The documents want one capacity at least."""
    told = replace(PRODUCT, livello=replace(LIVELLO, capacities=[]))
    async with standing("livello", vendor=emulated()) as it:
        with pytest.raises(BadInput) as refused:
            it.connector.check(CreateProduct(told=told))
        assert refused.value.field == ("input", "livello", "capacities")


async def test_what_no_order_is_is_refused() -> None:
    async with standing("livello", vendor=emulated()) as it:
        with pytest.raises(BadInput):
            it.connector.check(MachineOrder(kind=Capability.REBOOT, machine="LIV-0001"))
        with pytest.raises(BadInput, match="numbers"):
            it.connector.check(DeleteProduct(product="../10"))
        with pytest.raises(BadInput, match="below itself"):
            it.connector.check(UpdateOrganization(organization="2", told=OrganizationTold(), parent="2"))


# ---- what the answers say -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "answer", "error"),
    [
        (CREATE, {}, VendorProtocolError),
        (CREATE, {"id": 7, "success": False}, VendorProtocolError),
        (UPDATE, [], VendorProtocolError),
        (DELETE, {"success": False}, VendorProtocolError),
        (CODES, {"success": False, "errorMessage": "no"}, VendorRejected),
        (CODES, {"promocodes": []}, VendorProtocolError),
        (CODES, {"success": True}, VendorProtocolError),
        (CODES, {"success": True, "promocodes": [{}]}, VendorProtocolError),
        (ELIGIBLE, {"success": "yes"}, VendorProtocolError),
    ],
)
async def test_an_answer_that_does_not_say_that_it_was_done(order: Order, answer: Any, error: type) -> None:
    async with standing("livello", vendor=emulated()) as it:
        request = await it.connector.prepare(order)
        it.wire.instead = tells(answer)
        assert type(await failure(it.connector.send(request))) is error


async def test_rates_and_lines_are_read_however_they_are_told() -> None:
    async with standing("livello", vendor=emulated()) as it:
        it.wire.instead = tells([{"id": "1", "value": "7.70"}, {"id": 2}])
        (rate,) = await it.connector.tax_rates("1")
        assert (rate.vendor_id, rate.name, rate.rate, rate.country) == ("1", "1", Decimal("7.70"), None)
        it.wire.instead = tells([{"_id": 4, "name": "Tea", "images": [{"url": "https://v.example/tea.png"}]}])
        (line,) = await it.connector.product_lines("1")
        assert (line.vendor_id, line.name, line.image_url) == ("4", "Tea", "https://v.example/tea.png")
        it.wire.instead = tells({})
        assert type(await failure(it.connector.tax_rates("1"))) is VendorProtocolError


async def test_a_code_is_read_however_it_is_told() -> None:
    rule = {"day": "1", "type": "PERCENTAGE", "minCart": -1, "discountPercentage": "12.5"}
    async with standing("livello", vendor=emulated()) as it:
        it.wire.instead = tells({"code": 42, "config": {"rules": [rule, {"type": "gift"}]}})
        code = await it.connector.promo_code("00042")
        assert (code.code, code.balance, code.enabled) == ("00042", None, None)
        assert [(one.type.value, one.percentage, one.least_items) for one in code.rules] == [
            ("PERCENTAGE", Decimal("12.5"), None),
            ("UNKNOWN", None, None),
        ]
        it.wire.instead = None
        assert await it.connector.promo_code("99999") is None


# ---- reading back -------------------------------------------------------------------------------------------------


async def read_back(it: Standing, order: Order, *answers: Any) -> bool | None:
    it.wire.instead = tells(*answers)
    found: bool | None = await it.connector.fulfilled(order)
    return found


async def test_what_only_one_can_be_is_read_back() -> None:
    async with standing("livello", vendor=emulated()) as it:
        for order in (UPDATE, DELETE, RENAME, CODES):
            assert await it.connector.fulfilled(order) is False
            await it.connector.send(await it.connector.prepare(order))
            if order is UPDATE:
                assert await it.connector.fulfilled(order) is True
        assert [await it.connector.fulfilled(order) for order in (DELETE, RENAME, CODES)] == [True, True, True]


async def test_what_may_be_there_twice_is_not_read_back() -> None:
    async with standing("livello", vendor=emulated()) as it:
        await it.connector.send(await it.connector.prepare(CREATE))
        made = CreatePromoCodes(organization="1", told=PromoCodesTold(quantity=2))
        before = len(it.wire.asked)
        for order in (CREATE, FOUND, made, ELIGIBLE):
            assert await it.connector.fulfilled(order) is None
        assert len(it.wire.asked) == before


async def test_what_the_vendor_does_not_show_is_not_proven() -> None:
    async with standing("livello", vendor=emulated()) as it:
        shown = {"name": "Bar", "price": "1.1", "cost": 0.50}
        priced = ProductTold(name="Bar", price=Money(Decimal("1.10"), "EUR"), cost=Money(Decimal("0.5"), "EUR"))
        assert await read_back(it, UpdateProduct(product="10", told=priced), shown) is True
        assert await read_back(it, UpdateProduct(product="10", told=priced), shown | {"price": "1.2"}) is False
        packed = ProductTold(name="Bar", livello=LIVELLO)
        assert await read_back(it, UpdateProduct(product="10", told=packed), shown) is None
        assert await read_back(it, UpdateProduct(product="10", told=packed), shown | {"name": "Rod"}) is False
        assert await read_back(it, UPDATE, JSONResponse({}, 404)) is None
        moved = UpdateOrganization(organization="2", told=OrganizationTold(name="North"), parent="3")
        assert await read_back(it, moved, {"id": 2, "name": "North"}) is None
        assert await read_back(it, RENAME, {"id": 2, "name": "South"}) is False
        assert await read_back(it, CODES, {"code": "00042", "organizationId": 2}) is False
        assert await read_back(it, DELETE, {"total": 9, "data": [{"id": 11}]}) is None
