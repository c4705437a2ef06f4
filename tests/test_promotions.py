"""Promo codes as clients make them: what excludes each other, what would be sent, and who may see a code."""

from typing import Any

import pytest

from tests.catalogue import KIOSKS, SAFETY, Found, done, ended, give, now_is, organization, refusal
from tests.running import ADMIN, OPERATOR, STRANGER, VIEWER, Gateway, Sandbox

ORG = organization(1)
HALF: Found = {"day": 0, "type": "PERCENTAGE", "uses": 3, "percentage": "50", "capping": False}
FLAT: Found = {"day": 6, "type": "FLAT", "uses": 1, "flat": "1.5", "capping": True, "cappingFlat": "1"}
LATER, LATEST = "2031-05-06T07:08:09Z", "2031-06-06T07:08:09Z"


def new(**changed: Any) -> Found:
    return {"organizationId": ORG} | changed


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({}, {}),
        ({"quantity": 5, "balance": 2, "enabled": True}, {"quantity": 5, "balance": 2, "enabled": True}),
        ({"code": "00042", "configId": "7"}, {"code": "00042", "configId": 7}),
        (
            {"validFrom": LATER, "validTo": LATEST},
            {"workingDurationStart": "2031-05-06T07:08:09.000Z", "workingDurationEnd": "2031-06-06T07:08:09.000Z"},
        ),
        ({"durationDays": 30}, {"durationEndDays": 30}),
        (
            {"rules": [HALF | {"leastItems": 2, "description": "Sundays"}, FLAT]},
            {
                "rules": [
                    {
                        "day": 0,
                        "resetAmount": 3,
                        "type": "percentage",
                        "cappingEnabled": False,
                        "discountPercentage": 50,
                        "minCart": 2,
                        "description": "Sundays",
                    },
                    {
                        "day": 6,
                        "resetAmount": 1,
                        "type": "flat",
                        "cappingEnabled": True,
                        "discountFlat": 1.5,
                        "cappingFlat": 1,
                    },
                ]
            },
        ),
    ],
)
def test_codes_are_sent_as_documented(gateway: Gateway, sandbox: Sandbox, given: Found, body: Found) -> None:
    (planned,) = give(gateway, "createPromoCodes", dry=True, **new(**given))["planned"]
    assert planned == {"method": "POST", "path": "/promocodes", "body": {"organizationId": 1} | body}
    assert "POST /livello/api/v1/promocodes" not in sandbox.requests("livello")


WRONG: list[tuple[Found, list[str]]] = [
    ({"code": "1234"}, ["input", "code"]),
    ({"code": "123456"}, ["input", "code"]),
    ({"code": "1234a"}, ["input", "code"]),
    ({"code": "١٢٣٤٥"}, ["input", "code"]),
    ({"code": "12345\n"}, ["input", "code"]),
    ({"code": "12345", "quantity": 2}, ["input", "quantity"]),
    ({"quantity": 0}, ["input", "quantity"]),
    ({"quantity": 101}, ["input", "quantity"]),
    ({"balance": -1}, ["input", "balance"]),
    ({"durationDays": 0}, ["input", "durationDays"]),
    ({"validTo": LATEST, "durationDays": 3}, ["input", "durationDays"]),
    ({"validFrom": LATEST, "validTo": LATER}, ["input", "validTo"]),
    ({"validTo": "2020-01-01T00:00:00Z"}, ["input", "validTo"]),
    ({"rules": [HALF], "configId": "1"}, ["input", "configId"]),
    ({"configId": "one"}, ["input", "configId"]),
    ({"rules": []}, ["input", "rules"]),
    ({"rules": [HALF, HALF]}, ["input", "rules"]),
    ({"rules": [HALF | {"day": 7}]}, ["input", "rules", "0", "day"]),
    ({"rules": [HALF | {"day": -1}]}, ["input", "rules", "0", "day"]),
    ({"rules": [HALF | {"uses": -1}]}, ["input", "rules", "0", "uses"]),
    ({"rules": [HALF | {"percentage": "101"}]}, ["input", "rules", "0", "percentage"]),
    ({"rules": [HALF | {"percentage": None}]}, ["input", "rules", "0", "percentage"]),
    ({"rules": [HALF | {"flat": "1"}]}, ["input", "rules", "0", "percentage"]),
    ({"rules": [HALF, FLAT | {"flat": "-1"}]}, ["input", "rules", "1", "flat"]),
    ({"rules": [HALF | {"type": "UNKNOWN"}]}, ["input", "rules", "0", "type"]),
    ({"rules": [HALF | {"capping": True}]}, ["input", "rules", "0", "capping"]),
    ({"rules": [HALF | {"cappingFlat": "1"}]}, ["input", "rules", "0", "capping"]),
    ({"rules": [FLAT | {"cappingPercentage": "1"}]}, ["input", "rules", "0", "capping"]),
    ({"rules": [HALF | {"leastItems": 0}]}, ["input", "rules", "0", "leastItems"]),
]


@pytest.mark.parametrize(("given", "field"), WRONG, ids=[f"{at}" for at in range(len(WRONG))])
def test_what_excludes_each_other_is_refused_without_a_request(
    gateway: Gateway, sandbox: Sandbox, given: Found, field: list[str]
) -> None:
    error = refusal(gateway, "createPromoCodes", **new(**given))
    assert (error["code"], error["field"]) == ("BAD_INPUT", field), error
    assert sandbox.requests("livello") == []


CODE = """query ($account: ID!, $code: String!) { promoCode(accountId: $account, code: $code) {
  code balance enabled validFrom validTo configId
  rules { day type uses percentage flat capping cappingFlat leastItems } } }"""


def test_codes_are_made_and_can_be_read(gateway: Gateway, sandbox: Sandbox) -> None:
    made = done(gateway, "createPromoCodes", **new(quantity=3, balance=2, rules=[HALF, FLAT], validFrom=LATER))
    assert len(made["promoCodes"]) == len(set(made["promoCodes"])) == 3
    assert made["result"] == {"codes": made["promoCodes"], "configCreated": True}
    for by in (ADMIN, OPERATOR):
        shown = gateway.ask(CODE, {"account": KIOSKS, "code": made["promoCodes"][0]}, key=by)["promoCode"]
        assert (shown["balance"], shown["enabled"], shown["validFrom"]) == (2, True, LATER)
        assert shown["rules"] == [
            {
                "day": 0,
                "type": "PERCENTAGE",
                "uses": 3,
                "percentage": "50",
                "flat": None,
                "capping": False,
                "cappingFlat": None,
                "leastItems": None,
            },
            {
                "day": 6,
                "type": "FLAT",
                "uses": 1,
                "percentage": None,
                "flat": "1.5",
                "capping": True,
                "cappingFlat": "1",
                "leastItems": None,
            },
        ]
    sandbox.forget_requests()
    assert gateway.ask(CODE, {"account": SAFETY, "code": "12345"})["promoCode"] is None
    assert gateway.ask(CODE, {"account": KIOSKS, "code": made["promoCodes"][0]}, key=STRANGER)["promoCode"] is None
    assert sandbox.requests("livello") == []


def test_a_viewer_sees_no_code(gateway: Gateway, sandbox: Sandbox) -> None:
    made = done(gateway, "createPromoCodes", **new())
    seen = now_is(gateway, made["id"], by=VIEWER)
    assert (seen["status"], seen["promoCodes"], seen["result"]) == ("SUCCEEDED", None, {"configCreated": False})
    sandbox.forget_requests()
    answer = gateway.post(CODE, {"account": KIOSKS, "code": made["promoCodes"][0]}, key=VIEWER).json()
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    answer = gateway.post(CODE, {"account": KIOSKS, "code": "../x"}).json()
    assert answer["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert sandbox.requests("livello") == []


def test_a_code_of_ones_own_is_there_once(gateway: Gateway, sandbox: Sandbox) -> None:
    assert done(gateway, "createPromoCodes", **new(code="00042"))["promoCodes"] == ["00042"]
    sandbox.forget_requests()
    command = ended(gateway, "createPromoCodes", **new(code="00042", balance=9))
    assert (command["status"], command["errorCode"]) == ("FAILED", "CONFLICT")
    assert not [one for one in sandbox.requests("livello") if one.startswith("POST")]


def test_a_lost_answer_to_generated_codes_stays_open(gateway: Gateway, sandbox: Sandbox) -> None:
    sandbox.break_("livello", "truncate", operation="/promocodes", times=1)
    assert ended(gateway, "createPromoCodes", **new(quantity=2))["status"] == "UNKNOWN"


def test_what_codes_hold_for(gateway: Gateway, sandbox: Sandbox) -> None:
    lines = [one["productLineData"] for one in sandbox.truth("livello")["slots"] if one["productLineData"] is not None]
    named = [str(line["id"]) for line in lines[:2]]
    made = done(gateway, "setPromoEligibility", organizationId=ORG, enabled=True, productLines=named)
    assert made["result"] == {"affected": 2}
    machine = gateway.ask("{ machines(filter: { vendors: [LIVELLO] }) { nodes { id serialNumber } } }")["machines"]
    kiosk = machine["nodes"][0]
    given: Found = {"enabled": False, "machineId": kiosk["id"], "validTo": LATER, "configId": "1"}
    done(gateway, "setPromoEligibility", organizationId=ORG, **given)
    assert sandbox.truth("livello")["eligible"] == [
        {"organizationId": 1, "enabled": True, "productlineIds": [int(one) for one in named]},
        {
            "organizationId": 1,
            "enabled": False,
            "kioskSerialNumber": kiosk["serialNumber"],
            "configId": 1,
            "validTo": "2031-05-06T07:08:09.000Z",
        },
    ]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, ["input"]),
        ({"productLines": ["1"], "machineId": ORG}, ["input"]),
        ({"productLines": []}, ["input", "productLines"]),
        ({"productLines": ["first"]}, ["input", "productLines"]),
        ({"productLines": ["1"], "validTo": "2020-01-01T00:00:00Z"}, ["input", "validTo"]),
    ],
)
def test_an_eligibility_that_cannot_be_is_refused(
    gateway: Gateway, sandbox: Sandbox, given: Found, field: list[str]
) -> None:
    error = refusal(gateway, "setPromoEligibility", organizationId=ORG, enabled=True, **given)
    assert (error["code"], error["field"]) == ("BAD_INPUT", field)
    assert not [one for one in sandbox.requests("livello") if one.startswith("POST")]


def test_promo_codes_are_for_admins_of_their_own(gateway: Gateway, sandbox: Sandbox) -> None:
    for by in (VIEWER, OPERATOR):
        assert refusal(gateway, "createPromoCodes", by=by, **new())["code"] == "FORBIDDEN"
    assert refusal(gateway, "createPromoCodes", by=STRANGER, **new())["code"] == "NOT_FOUND"
    given: Found = {"organizationId": ORG, "enabled": True, "machineId": ORG}
    assert refusal(gateway, "setPromoEligibility", **given)["code"] == "NOT_FOUND"
    assert not [one for one in sandbox.requests("livello") if one.startswith("POST")]
