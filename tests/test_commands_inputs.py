"""What an input may hold: amounts, keys, positions, cells, settings. What makes no sense costs no vendor a request."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from domain.refs import Kind, Ref
from tests.commanding import (
    ACTS,
    NOTHING_KEPT,
    SELDOM_FED,
    Found,
    fleet,
    of_vendor,
    post,
    refusal,
    requests,
    sent,
    valid,
)
from tests.running import Gateway, Sandbox, running_gateway

WITH_AMOUNTS = ("sendDeposit", "sendRemotePayment", "setPrice")
NO_AMOUNTS = ("1.005", "-1", "-0.01", "1e99", "1e-99", "10000000", "0.001", "1.0000000000000000000000000000000000001")
NO_DECIMALS: tuple[Any, ...] = (
    *("NaN", "sNaN", "Infinity", "-Infinity", "", "one", "1e999999999", "1e-999999999", "0e999999999", "-1e101"),
    *(1.5, 1e300, True, None, [], {}),
)


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Keeps nothing that a vendor told, so that whatever it wants to know costs a request."""
    folder = tmp_path_factory.mktemp("cold")
    with running_gateway(shared_sandbox, folder, cache=NOTHING_KEPT, feed=SELDOM_FED) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def coffee(gateway: Gateway) -> Found:
    return of_vendor(fleet(gateway), "SMARTVEND", "ONLINE")[0]


@pytest.fixture(autouse=True)
def unasked(sandbox: Sandbox, coffee: Found) -> Iterator[None]:
    assert coffee
    sandbox.forget_requests()
    yield
    assert requests(sandbox) == []
    assert sent(sandbox) == []


def product(account: str, kind: Kind = Kind.PRODUCT) -> str:
    return Ref(kind, account, "p").text


# ---- amounts


@pytest.mark.parametrize("mutation", WITH_AMOUNTS)
@pytest.mark.parametrize("amount", NO_AMOUNTS)
def test_an_amount_is_exact_and_within_reason(gateway: Gateway, coffee: Found, mutation: str, amount: str) -> None:
    error = refusal(gateway, mutation, **valid(mutation, coffee) | {"amount": amount})
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", "amount"])


@pytest.mark.parametrize("mutation", ["sendDeposit", "sendRemotePayment"])
@pytest.mark.parametrize("amount", ["0", "0.00", "-0", "0e5"])
def test_nothing_is_no_amount_of_money(gateway: Gateway, coffee: Found, mutation: str, amount: str) -> None:
    error = refusal(gateway, mutation, **valid(mutation, coffee) | {"amount": amount})
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", "amount"])


@pytest.mark.parametrize("mutation", WITH_AMOUNTS)
@pytest.mark.parametrize("currency", ["USD", "eur", "", "EURO", "€" * 1000])
def test_a_currency_is_the_accounts(gateway: Gateway, coffee: Found, mutation: str, currency: str) -> None:
    error = refusal(gateway, mutation, **valid(mutation, coffee) | {"currency": currency})
    assert (error["code"], error["field"]) == ("BAD_INPUT", ["input", "currency"])
    assert len(error["message"]) < 200


@pytest.mark.parametrize("mutation", WITH_AMOUNTS)
@pytest.mark.parametrize("amount", NO_DECIMALS, ids=repr)
def test_what_is_no_decimal_is_refused_as_a_whole(gateway: Gateway, coffee: Found, mutation: str, amount: Any) -> None:
    answer = post(gateway, mutation, **valid(mutation, coffee) | {"amount": amount})
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_INPUT"]
    assert "data" not in answer


# ---- the rest of the input

KEYS = {"empty": "", "too long": "k" * 256, "a line": "a\nb", "a zero": "\u0000", "a mark": "\u202e"}


@pytest.mark.parametrize("mutation", ACTS)
@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_a_short_printable_text(gateway: Gateway, coffee: Found, mutation: str, key: str) -> None:
    error = refusal(gateway, mutation, **valid(mutation, coffee) | {"idempotencyKey": KEYS[key]})
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
def test_an_input_that_makes_no_sense_is_refused_where_it_is_wrong(gateway: Gateway, coffee: Found, what: str) -> None:
    mutation, wrong, field = WRONG[what]
    given = {name: coffee["slots"][0]["id"] if value == "SLOT" else value for name, value in wrong.items()}
    error = refusal(gateway, mutation, **valid(mutation, coffee) | given)
    assert (error["code"], error["field"]) == ("BAD_INPUT", field)


CELLS: Mapping[str, tuple[Found, list[str]]] = {
    "above": ({"row": -1}, []),
    "below": ({"row": 2}, []),
    "beside": ({"column": 3}, []),
    "the same twice": ({"row": 0, "column": 0}, ["twice"]),
    "a foreign product": ({"productId": product("other-coffee")}, ["productId"]),
    "a product that never was": ({"productId": product("nobody")}, ["productId"]),
    "no product's id": ({"productId": product("acme-coffee", Kind.SLOT)}, ["productId"]),
    "half a cent": ({"price": "0.005"}, ["price"]),
    "less than nothing": ({"price": "-1"}, ["price"]),
}


@pytest.mark.parametrize("what", CELLS)
def test_a_cell_of_a_planogram_lies_inside_once_and_holds_ones_own(gateway: Gateway, coffee: Found, what: str) -> None:
    wrong, field = CELLS[what]
    own = coffee["slots"][0]["product"]["id"]
    slots = [
        {"row": 0, "column": 0, "productId": own, "price": "1"},
        {"row": 1, "column": 1, "productId": own, "price": "1"} | wrong,
    ]
    error = refusal(gateway, "updatePlanogram", machineId=coffee["id"], rows=2, columns=3, slots=slots)
    where = ["input", "slots"] if field == ["twice"] else ["input", "slots", "1", *field]
    assert (error["code"], error["field"]) == ("BAD_INPUT", where)


@pytest.mark.parametrize("settings", ["{sm: 99999999999999999999999999999999}", "$deep"])
def test_settings_beyond_all_measure_are_refused(gateway: Gateway, coffee: Found, settings: str) -> None:
    deep: Any = True
    for _ in range(300):
        deep = [deep]
    given = f'machineId: "{coffee["id"]}", idempotencyKey: "far", settings: {settings}'
    query = f"mutation ($deep: JSON!) {{ updateConfig(input: {{ {given} }}) {{ command {{ id }} errors {{ code }} }} }}"
    if "$" not in settings:
        query = query.replace("($deep: JSON!) ", "")
        answer = gateway.ask(query)["updateConfig"]
        assert answer == {"command": None, "errors": [{"code": "BAD_INPUT"}]}
    else:  # it does not come so far
        (error,) = gateway.post(query, {"deep": {"hl": deep}}).json()["errors"]
        assert error["extensions"]["code"] == "BAD_INPUT"
