"""What is not taken on: refused with the reason, and without one request to a vendor."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from domain.refs import Kind, Ref
from tests.commanding import ACTS, Found, fleet, give, of_vendor, post, refusal, sent, valid
from tests.running import OPERATOR, STRANGER, VIEWER, Gateway, Sandbox, running_gateway, running_sandbox
from tests import telling

NOTHING_KEPT = "machines = 0\nslots = 0\nproducts = 0\nstate = 0\nsales = 0"
VENDORS = ("smartvend", "livello", "vendnovation", "smartepi", "eatmachine")
OF_ADMINS = {"setPrice", "updatePlanogram", "updateConfig"}
WITH_AMOUNTS = ("sendDeposit", "sendRemotePayment", "setPrice")
NO_AMOUNTS = ("1.005", "-1", "-0.01", "1e99", "1e-99", "10000000", "0.001", "1.0000000000000000000000000000000000001")
NO_DECIMALS = (
    *("NaN", "sNaN", "Infinity", "-Infinity", "", "one", "1e999999999", "1e-999999999", "0e999999999", "-1e101"),
    *(1.5, 1e300, True, None, [], {}),
)


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """With controllers that are offline, and with those that have cells without a product."""
    with running_sandbox(scale=0.15, days=3) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("warm"), others=[shared_sandbox]) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def cold(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Keeps nothing that a vendor told, so that whatever it wants to know costs a request."""
    folder = tmp_path_factory.mktemp("cold")
    with running_gateway(shared_sandbox, folder, others=[shared_sandbox], cache=NOTHING_KEPT) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def machines(gateway: Gateway, shared_sandbox: Sandbox) -> list[Found]:
    fridge = shared_sandbox.truth("eatmachine")["machines"][0]["uuid"]
    told = telling.fridge(gateway.base, fridge, {"type": "shutdown", "data": None, "fridge": {"uuid": fridge}})
    assert told.status_code == 200
    return fleet(gateway)


@pytest.fixture(scope="module")
def coffee(machines: list[Found]) -> Found:
    return of_vendor(machines, "SMARTVEND", "ONLINE")[0]


@pytest.fixture(autouse=True)
def unasked(sandbox: Sandbox, machines: list[Found]) -> Iterator[None]:
    """Whatever is refused costs nothing."""
    assert machines
    sandbox.forget_requests()
    yield
    assert sandbox.requests() == []
    assert sent(sandbox) == sent(sandbox, "eatmachine") == []


def ref(kind: Kind, account: str, native: str) -> str:
    return Ref(kind, account, native).text


# ---- roles


@pytest.mark.parametrize("mutation", ACTS)
def test_who_only_reads_asks_for_nothing(cold: Gateway, machines: list[Found], mutation: str) -> None:
    for machine in machines:
        error = refusal(cold, mutation, by=VIEWER, **valid(mutation, machine))
        assert (error["code"], error["field"], error["reason"]) == ("FORBIDDEN", None, None)


@pytest.mark.parametrize("mutation", sorted(OF_ADMINS))
def test_prices_planograms_and_settings_are_for_admins(cold: Gateway, coffee: Found, mutation: str) -> None:
    error = refusal(cold, mutation, by=OPERATOR, **valid(mutation, coffee))
    assert error["code"] == "FORBIDDEN"
    assert "ADMIN" in error["message"]
    assert refusal(cold, mutation, by=OPERATOR, dry=True, **valid(mutation, coffee))["code"] == "FORBIDDEN"


# ---- what there is not, or is another's


@pytest.mark.parametrize("mutation", ACTS)
def test_another_organizations_machine_is_refused_as_one_that_never_was(
    gateway: Gateway, machines: list[Found], mutation: str
) -> None:
    for machine in machines:
        given = valid(mutation, machine)
        errors = [
            refusal(gateway, mutation, by=STRANGER, **given),
            refusal(gateway, mutation, by=STRANGER, dry=True, **given),
            refusal(gateway, mutation, by=STRANGER, **_elsewhere(given, "nobodys-account")),
            refusal(gateway, mutation, by=STRANGER, **{name: _strange(name, value) for name, value in given.items()}),
        ]
        assert errors == [errors[0]] * 4
        assert errors[0]["code"] == "NOT_FOUND"


def _elsewhere(given: Found, account: str) -> Found:
    """The same of another account."""
    moved = dict(given)
    for name in ("machineId", "slotId"):
        found = Ref.parse(given.get(name, ""))
        if found is not None:
            moved[name] = ref(found.kind, account, found.native)
    return moved


def _strange(name: str, value: Any) -> Any:
    return "no id at all" if name in ("machineId", "slotId") else value


@pytest.mark.parametrize("native", ["b7a0c5a5-0b5e-4f5e-9d0f-111111111111", "", "a/b", "\u0000"])
@pytest.mark.parametrize("mutation", ["sendDeposit", "dispenseProduct", "setPrice", "collectCash"])
def test_an_id_of_ones_own_account_that_never_was_is_refused_alike(
    gateway: Gateway, coffee: Found, mutation: str, native: str
) -> None:
    given = valid(mutation, coffee)
    own = dict(given)
    if "machineId" in own:
        own["machineId"] = ref(Kind.MACHINE, "acme-coffee", native)
    if "slotId" in own:
        own["slotId"] = ref(Kind.SLOT, "acme-coffee", f"{native}/1")
    assert refusal(gateway, mutation, **own) == refusal(gateway, mutation, **_elsewhere(given, "nobody"))


@pytest.mark.parametrize("kind", [Kind.MACHINE, Kind.SLOT, Kind.PRODUCT, Kind.COMMAND])
def test_an_id_of_another_kind_is_no_machines(cold: Gateway, coffee: Found, kind: Kind) -> None:
    other = ref(kind, "acme-coffee", coffee["vendorId"])
    if kind is not Kind.MACHINE:
        assert refusal(cold, "sendDeposit", machineId=other, amount="1")["code"] == "NOT_FOUND"
    if kind is not Kind.SLOT:
        assert refusal(cold, "setPrice", slotId=other, amount="1")["code"] == "NOT_FOUND"


def test_a_slot_of_another_machine_is_not_dispensed_from(cold: Gateway, machines: list[Found], coffee: Found) -> None:
    other = of_vendor(machines, "SMARTVEND", "ONLINE")[1]
    error = refusal(cold, "dispenseProduct", machineId=coffee["id"], slotId=other["slots"][0]["id"])
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", "slotId"])


def test_a_slot_of_anothers_is_not_dispensed_from(cold: Gateway, coffee: Found) -> None:
    foreign = ref(Kind.SLOT, "other-coffee", f"{coffee['vendorId']}/1")
    errors = [
        refusal(cold, "dispenseProduct", machineId=coffee["id"], slotId=slot)
        for slot in (foreign, _elsewhere({"slotId": foreign}, "nobody")["slotId"], "no id at all")
    ]
    assert errors == [errors[0]] * 3
    assert errors[0]["code"] == "NOT_FOUND"


# ---- what cannot be done


def test_what_a_machine_cannot_do_is_refused_for_the_reason_that_it_tells(
    gateway: Gateway, machines: list[Found]
) -> None:
    seen: set[tuple[str, str]] = set()
    for machine in machines:
        told = {one["capability"]: one for one in machine["capabilities"]}
        for mutation, act in ACTS.items():
            if told[act.value]["available"]:
                continue
            error = refusal(gateway, mutation, **valid(mutation, machine))
            assert (error["code"], error["reason"]) == ("UNSUPPORTED", told[act.value]["reason"]), (machine, mutation)
            seen.add((machine["vendor"], error["reason"]))
    everyone = {vendor.upper() for vendor in VENDORS}
    assert {vendor for vendor, reason in seen if reason == "UNSUPPORTED_BY_VENDOR"} == everyone
    assert {vendor for vendor, reason in seen if reason == "MACHINE_OFFLINE"} == {"SMARTVEND", "EATMACHINE"}


def test_what_a_vendor_cannot_do_is_refused_before_it_was_asked_for_anything(
    cold: Gateway, machines: list[Found]
) -> None:
    for machine in {one["vendor"]: one for one in machines}.values():
        unsupported = {one["capability"] for one in machine["capabilities"] if one["reason"] == "UNSUPPORTED_BY_VENDOR"}
        for mutation, act in ACTS.items():
            if act.value in unsupported:
                assert refusal(cold, mutation, **valid(mutation, machine))["reason"] == "UNSUPPORTED_BY_VENDOR"


def test_an_offline_machine_is_left_what_the_vendor_keeps_for_it(gateway: Gateway, machines: list[Found]) -> None:
    offline = of_vendor(machines, "SMARTVEND", "OFFLINE")[0]
    told = {one["capability"] for one in offline["capabilities"] if one["reason"] == "MACHINE_OFFLINE"}
    assert told == {"DISPENSE_PRODUCT", "SEND_DEPOSIT", "SEND_REMOTE_PAYMENT"}
    assert give(gateway, "collectCash", dry=True, machineId=offline["id"])["errors"] == []


# ---- amounts


@pytest.mark.parametrize("mutation", WITH_AMOUNTS)
@pytest.mark.parametrize("amount", NO_AMOUNTS)
def test_an_amount_is_exact_and_within_reason(cold: Gateway, coffee: Found, mutation: str, amount: str) -> None:
    error = refusal(cold, mutation, **valid(mutation, coffee) | {"amount": amount})
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", "amount"])


@pytest.mark.parametrize("mutation", ["sendDeposit", "sendRemotePayment"])
@pytest.mark.parametrize("amount", ["0", "0.00", "-0", "0e5"])
def test_nothing_is_no_amount_of_money(cold: Gateway, coffee: Found, mutation: str, amount: str) -> None:
    error = refusal(cold, mutation, **valid(mutation, coffee) | {"amount": amount})
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", "amount"])


@pytest.mark.parametrize("mutation", WITH_AMOUNTS)
@pytest.mark.parametrize("currency", ["USD", "eur", "", "EURO", "€" * 1000])
def test_a_currency_is_the_accounts(cold: Gateway, coffee: Found, mutation: str, currency: str) -> None:
    error = refusal(cold, mutation, **valid(mutation, coffee) | {"currency": currency})
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", "currency"])
    assert len(error["message"]) < 200


@pytest.mark.parametrize("mutation", WITH_AMOUNTS)
@pytest.mark.parametrize("amount", NO_DECIMALS, ids=repr)
def test_what_is_no_decimal_is_refused_as_a_whole(cold: Gateway, coffee: Found, mutation: str, amount: Any) -> None:
    answer = post(cold, mutation, **valid(mutation, coffee) | {"amount": amount})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"]
    assert "data" not in answer


# ---- the rest of the input

KEYS = {"empty": "", "too long": "k" * 256, "a line": "a\nb", "a zero": "\u0000", "a mark": "\u202e"}


@pytest.mark.parametrize("mutation", ACTS)
@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_a_short_printable_text(cold: Gateway, coffee: Found, mutation: str, key: str) -> None:
    error = refusal(cold, mutation, **valid(mutation, coffee) | {"idempotencyKey": KEYS[key]})
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", "idempotencyKey"])


WRONG: Mapping[str, tuple[str, Found, list[str]]] = {
    "a position and a slot": ("dispenseProduct", {"position": "1", "slotId": "SLOT"}, ["input"]),
    "neither a position nor a slot": ("dispenseProduct", {"position": None}, ["input"]),
    "an empty position": ("dispenseProduct", {"position": ""}, ["input", "position"]),
    "a long position": ("dispenseProduct", {"position": "1" * 256}, ["input", "position"]),
    "an empty terminal": ("sendRemotePayment", {"terminalKey": ""}, ["input", "terminalKey"]),
    "a long terminal": ("sendRemotePayment", {"terminalKey": "t" * 256}, ["input", "terminalKey"]),
    "an end before the beginning": (
        "setPrice",
        {"validFrom": "2030-01-02T00:00:00Z", "validTo": "2030-01-02T00:00:00Z"},
        ["input", "validTo"],
    ),
    "no rows": ("updatePlanogram", {"rows": 0}, ["input", "rows"]),
    "too many columns": ("updatePlanogram", {"columns": 1001}, ["input", "columns"]),
    "settings that are a list": ("updateConfig", {"settings": ["hl"]}, ["input", "settings"]),
    "settings that are a text": ("updateConfig", {"settings": "hl"}, ["input", "settings"]),
    "settings that are a number": ("updateConfig", {"settings": 1}, ["input", "settings"]),
    "no settings": ("updateConfig", {"settings": {}}, ["input", "settings"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_input_that_makes_no_sense_is_refused_where_it_is_wrong(cold: Gateway, coffee: Found, what: str) -> None:
    mutation, wrong, field = WRONG[what]
    given = {name: coffee["slots"][0]["id"] if value == "SLOT" else value for name, value in wrong.items()}
    error = refusal(cold, mutation, **valid(mutation, coffee) | given)
    assert (error["code"], error["field"]) == ("BAD_INPUT", field)


CELLS: Mapping[str, tuple[Found, list[str]]] = {
    "above": ({"row": -1}, []),
    "below": ({"row": 2}, []),
    "beside": ({"column": 3}, []),
    "the same twice": ({"row": 0, "column": 0}, ["twice"]),
    "a foreign product": ({"productId": ref(Kind.PRODUCT, "other-coffee", "p")}, ["productId"]),
    "a product that never was": ({"productId": ref(Kind.PRODUCT, "nobody", "p")}, ["productId"]),
    "no product's id": ({"productId": ref(Kind.SLOT, "acme-coffee", "p")}, ["productId"]),
    "half a cent": ({"price": "0.005"}, ["price"]),
    "less than nothing": ({"price": "-1"}, ["price"]),
}


@pytest.mark.parametrize("what", CELLS)
def test_a_cell_of_a_planogram_lies_inside_once_and_holds_ones_own(cold: Gateway, coffee: Found, what: str) -> None:
    wrong, field = CELLS[what]
    product = coffee["slots"][0]["product"]["id"]
    slots = [
        {"row": 0, "column": 0, "productId": product, "price": "1"},
        {"row": 1, "column": 1, "productId": product, "price": "1"} | wrong,
    ]
    error = refusal(cold, "updatePlanogram", machineId=coffee["id"], rows=2, columns=3, slots=slots)
    where = ["input", "slots"] if field == ["twice"] else ["input", "slots", "1", *field]
    assert (error["code"], error["field"]) == ("BAD_INPUT", where)


@pytest.mark.parametrize("settings", ["{sm: 99999999999999999999999999999999}", "$deep"])
def test_settings_beyond_all_measure_are_refused(cold: Gateway, coffee: Found, settings: str) -> None:
    deep: Any = True
    for _ in range(300):
        deep = [deep]
    given = f'machineId: "{coffee["id"]}", idempotencyKey: "far", settings: {settings}'
    query = f"mutation ($deep: JSON!) {{ updateConfig(input: {{ {given} }}) {{ command {{ id }} errors {{ code }} }} }}"
    if "$" not in settings:
        query = query.replace("($deep: JSON!) ", "")
    answer = cold.ask(query, {"deep": {"hl": deep}})["updateConfig"]
    assert answer == {"command": None, "errors": [{"code": "BAD_INPUT"}]}
