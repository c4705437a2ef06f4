"""SmartEPI's products as clients change them: each change against the version that was read."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.acting import ReadsBack, TakesOrders
from domain.capabilities import Capability
from domain.catalogue import (
    CreateProduct,
    DeleteProduct,
    ProductCertificateInput,
    ProductSizeInput,
    ProductTold,
    SmartEPIProductInput,
    UpdateProduct,
)
from domain.errors import NotFound, VendorConflict, VendorProtocolError, VendorUnauthorized
from domain.orders import MachineOrder, Order
from sandbox.smartepi import SmartEPI
from tests.catalogue import SAFETY, Found, done, ended, give, now_is, product, refusal, when, when_ended
from tests.ordering import Struck, but, failure, ordering
from tests.running import STRANGER, VIEWER, Gateway, Sandbox
from tests.vendors import TINY, Standing, standing

ENDS = datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)
GLOVES = ProductTold(
    name="Winter gloves",
    sku="PPE-900",
    description="Warm",
    smartepi=SmartEPIProductInput(
        sizes=(ProductSizeInput(name="M"), ProductSizeInput(name="L")),
        certificates=(ProductCertificateInput(number="CA 1", expires_at=ENDS),),
    ),
)
SENT = (
    b'{"name":"Winter gloves","code":"PPE-900","description":"Warm","sizes":[{"name":"M"},{"name":"L"}],'
    b'"certificates":[{"number":"CA 1","expiresAt":1904281689}]}'
)


OTHERS = [one for one in but(403, error=VendorUnauthorized) if (one.kind, one.status) != ("status", 409)]
REFUSING = [*OTHERS, Struck(kind="status", status=409, error=VendorConflict)]


def emulated() -> SmartEPI:
    return SmartEPI(TINY, requests=10**6, per_seconds=1)


def some(vendor: Any) -> Found:
    found: Found = vendor.truth()["products"][0]
    return found


def asked(it: Standing) -> list[str]:
    return [f"{one.method} {one.path.removeprefix('/smartepi/v1')}" for one in it.wire.asked]


# ---- over the wire ------------------------------------------------------------------------------------------------


async def test_a_product_is_made_once_its_name_is_known_to_be_new() -> None:
    async with standing("smartepi", vendor=emulated()) as it:
        order = CreateProduct(told=GLOVES)
        taken = await it.connector.send(await it.connector.prepare(order))
        assert asked(it) == ["GET /products", "POST /products"]
        assert it.wire.asked[0].query == "name=Winter+gloves&limit=100"
        assert (it.wire.asked[1].body, it.wire.asked[1].headers["content-type"]) == (SENT, "application/json")
        made = it.vendor.truth()["products"][-1]
        assert (taken.done, taken.subject.native, taken.result) == (True, made["id"], {"id": made["id"]})
        assert await it.connector.fulfilled(order) == taken.subject
        with pytest.raises(VendorConflict) as caught:
            await it.connector.prepare(CreateProduct(told=ProductTold(name="winter GLOVES")))
        assert (caught.value.sent, caught.value.subject, caught.value.current) == (False, taken.subject, made)
        (told,) = [one for one in (await it.connector.products()).items if one.name == "Winter gloves"]
        assert [size.name for size in told.sizes or ()] == ["M", "L"]
        assert [(one.number, one.expires_at) for one in told.certificates or ()] == [("CA 1", ENDS)]


async def test_a_name_that_only_begins_so_is_another() -> None:
    async with standing("smartepi", vendor=emulated()) as it:
        name = some(it.vendor)["name"]
        assert await it.connector.fulfilled(CreateProduct(told=ProductTold(name=name[:-1]))) is False
        assert await it.connector.fulfilled(CreateProduct(told=ProductTold(name=name, sku="another"))) is None


async def test_a_change_is_written_against_the_version_that_was_read() -> None:
    async with standing("smartepi", vendor=emulated()) as it:
        known = some(it.vendor)
        told = ProductTold(description="Anew", smartepi=SmartEPIProductInput(sizes=(ProductSizeInput(name="XL"),)))
        order = UpdateProduct(product=known["id"], told=told)
        assert await it.connector.fulfilled(order) is False
        request = await it.connector.prepare(order)
        await it.connector.send(request)
        sent = it.wire.asked[-1]
        assert asked(it)[-2:] == [f"GET /products/{known['id']}", f"PUT /products/{known['id']}"]
        assert sent.body == b'{"description":"Anew","sizes":[{"name":"XL"}]}'
        assert sent.headers["if-match"] == request.headers["if-match"]
        assert (sent.headers["if-match"][0], sent.headers["if-match"][-1]) == ('"', '"')
        assert await it.connector.fulfilled(order) is True
        with pytest.raises(VendorConflict) as caught:
            await it.connector.send(request)
        assert (caught.value.code.value, caught.value.current["description"]) == ("CONFLICT", "Anew")


async def test_a_product_is_deleted_against_its_version() -> None:
    async with standing("smartepi", vendor=emulated()) as it:
        order = DeleteProduct(product=some(it.vendor)["id"])
        assert await it.connector.fulfilled(order) is False
        taken = await it.connector.send(await it.connector.prepare(order))
        assert (it.wire.asked[-1].method, it.wire.asked[-1].body) == ("DELETE", b"")
        assert "if-match" in it.wire.asked[-1].headers
        assert taken.subject.native == order.product
        assert await it.connector.fulfilled(order) is True
        with pytest.raises(NotFound):
            await it.connector.prepare(order)


async def test_a_name_that_was_taken_meanwhile_is_a_conflict() -> None:
    async with standing("smartepi", vendor=emulated()) as it:
        request = await it.connector.prepare(CreateProduct(told=GLOVES))
        made = await it.connector.send(request)
        error = await failure(it.connector.send(request))
        assert isinstance(error, VendorConflict)
        assert error.code.value == "CONFLICT"
        assert (error.subject, error.current["name"]) == (made.subject, "Winter gloves")


@pytest.mark.parametrize(
    "answer",
    [JSONResponse({"data": {"id": "p"}}), JSONResponse({"data": []}, headers={"ETag": '"1"'})],
    ids=["no version", "no record"],
)
async def test_what_has_no_version_is_not_changed(answer: Response) -> None:
    async with standing("smartepi", vendor=emulated()) as it:

        async def instead(_: Request) -> Response | None:
            return answer

        it.wire.instead = instead
        order = UpdateProduct(product="p", told=ProductTold(name="N"))
        assert type(await failure(it.connector.prepare(order))) is VendorProtocolError


@pytest.mark.parametrize(
    "order",
    [CreateProduct(told=GLOVES), UpdateProduct(product="prd-1", told=ProductTold(description="Anew"))],
    ids=["create", "update"],
)
@pytest.mark.parametrize("struck", REFUSING, ids=str)
async def test_each_way_of_failing_says_whether_it_may_have_been_done(struck: Struck, order: Order) -> None:
    async with ordering("smartepi") as it:
        error = await it.struck(order, struck, "/products")
    assert (type(error), error.sent) == (struck.error, struck.sent)
    done = [one for one in it.vendor.truth()["products"] if one["name"] == GLOVES.name or one["description"] == "Anew"]
    assert len(done) == struck.done


async def test_the_roles_are_played() -> None:
    async with standing("smartepi", vendor=emulated()) as it:
        assert all(isinstance(it.connector, role) for role in (TakesOrders, ReadsBack))
        assert await it.connector.fulfilled(MachineOrder(kind=Capability.REBOOT, machine="d")) is None


# ---- over the graph -----------------------------------------------------------------------------------------------


def test_a_product_is_created_changed_and_deleted(gateway: Gateway) -> None:
    gateway.ask("{ products(first: 1) { totalCount } }")
    sizes: Found = {"sizes": [{"name": "S"}], "certificates": [{"number": "CA 7", "expiresAt": ENDS.isoformat()}]}
    made = done(gateway, "createProduct", accountId=SAFETY, name="Ear defenders", sku="PPE-77", smartepi=sizes)
    id_ = made["subject"]["id"]
    query = """query ($id: ID!) { product(id: $id) { name sku description
      sizes { vendorId name } certificates { number expiresAt } } }"""
    shown = gateway.ask(query, {"id": id_})["product"]
    (size,) = shown["sizes"]
    assert (shown["name"], shown["sku"], size["name"]) == ("Ear defenders", "PPE-77", "S")
    assert shown["certificates"] == [{"number": "CA 7", "expiresAt": "2030-05-06T07:08:09Z"}]
    change: Found = {"sizes": [{"vendorId": size["vendorId"], "name": "Small"}, {"name": "Large"}]}
    done(gateway, "updateProduct", productId=id_, description="Soft", smartepi=change)
    shown = gateway.ask(query, {"id": id_})["product"]
    assert (shown["description"], [one["name"] for one in shown["sizes"]]) == ("Soft", ["Small", "Large"])
    done(gateway, "deleteProduct", productId=id_)
    assert gateway.ask(query, {"id": id_})["product"] is None


def test_a_name_that_is_there_is_a_conflict_and_nothing_is_sent(gateway: Gateway, sandbox: Sandbox) -> None:
    name = sandbox.truth("smartepi")["products"][0]["name"]
    command = ended(gateway, "createProduct", accountId=SAFETY, name=name)
    assert (command["status"], command["errorCode"]) == ("FAILED", "CONFLICT")
    assert command["result"]["name"] == name
    assert not [one for one in sandbox.requests("smartepi") if one.startswith("POST")]


def test_a_conflict_tells_what_is_there_by_now(gateway: Gateway, sandbox: Sandbox) -> None:
    """Another writes between our reading and our writing."""
    known = sandbox.truth("smartepi")["products"][1]
    given: Found = {"productId": product(known["id"], "acme-safety"), "idempotencyKey": uuid4().hex}
    item = sandbox.vendors["smartepi"]._store.find("products", known["id"])
    original = sandbox.vendors["smartepi"]._changes.update

    def raced(*args: Any) -> Any:
        item.record |= {"description": "Theirs"}
        item.version += 1
        sandbox.vendors["smartepi"]._changes.update = original
        return original(*args)

    sandbox.vendors["smartepi"]._changes.update = raced
    command = when_ended(gateway, give(gateway, "updateProduct", description="Ours", **given)["command"])
    assert (command["status"], command["errorCode"]) == ("FAILED", "CONFLICT")
    assert command["result"]["description"] == "Theirs"


def test_a_lost_answer_is_settled_by_the_name_that_is_there_once(gateway: Gateway, sandbox: Sandbox) -> None:
    changes = sandbox.vendors["smartepi"]._changes
    original = changes.create

    def lost(*args: Any) -> Any:
        changes.create = original
        original(*args)
        raise RuntimeError

    changes.create = lost
    command = ended(gateway, "createProduct", accountId=SAFETY, name="Visor 2000")
    assert command["status"] == "UNKNOWN"
    settled = when(lambda: now_is(gateway, command["id"]), lambda found: found["status"] != "UNKNOWN")
    assert settled["status"] == "SUCCEEDED"
    assert [one["name"] for one in sandbox.truth("smartepi")["products"]].count("Visor 2000") == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"price": "1.00", "currency": "BRL"}, ["input", "price"]),
        ({"manufacturer": "M"}, ["input", "manufacturer"]),
        ({"gtin": "123"}, ["input", "gtin"]),
        ({"livello": {"images": ["aGk="]}}, ["input", "livello"]),
        ({"smartepi": {"sizes": [{}]}}, ["input", "smartepi", "sizes", "0", "name"]),
        ({"smartepi": {"sizes": [{"vendorId": "s-1", "name": "M"}]}}, ["input", "smartepi", "sizes", "0", "vendorId"]),
        ({"smartepi": {"certificates": [{}]}}, ["input", "smartepi", "certificates", "0", "number"]),
    ],
)
def test_what_the_vendor_does_not_have_is_refused(
    gateway: Gateway, sandbox: Sandbox, given: Found, field: list[str]
) -> None:
    error = refusal(gateway, "createProduct", accountId=SAFETY, **{"name": "Thing"} | given)
    assert (error["code"], error["field"]) == ("BAD_INPUT", field)
    assert sandbox.requests("smartepi") == []


def test_products_are_for_admins_of_their_own(gateway: Gateway, sandbox: Sandbox) -> None:
    id_ = product(sandbox.truth("smartepi")["products"][0]["id"], "acme-safety")
    assert refusal(gateway, "deleteProduct", by=VIEWER, productId=id_)["code"] == "FORBIDDEN"
    assert refusal(gateway, "deleteProduct", by=STRANGER, productId=id_)["code"] == "NOT_FOUND"
    coffee = product("p", "acme-coffee")
    assert refusal(gateway, "deleteProduct", productId=coffee)["code"] == "UNSUPPORTED"
