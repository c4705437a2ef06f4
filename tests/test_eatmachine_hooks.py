"""EatMachine's webhooks: nothing is signed, so the address is the secret; and what they tell."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from connectors.acting import TakesOrders, TellsProgress
from connectors.eatmachine import EatMachine, connect
from connectors.reporting import CountsTags, Delivery, Forged, Illegible, LearnsMachines, SendsWebhooks
from domain.capabilities import Capability
from domain.errors import BadInput, VendorProtocolError
from domain.facts import CommandWord, Content, Fact, FactKind, Observation, TagLinks, occurrence
from domain.model import DoorState, MachineEvent, MachineGroup, Severity, Temperature, Trust, Vendor
from tests.deliveries import NOW, account, delivery, sample

FRIDGE = "0d9f3c5a-6c1e-4f0b-9a57-21b7c4f8e6d2"
OTHER_FRIDGE = "2ae9339e-18a1-4231-8ce1-fd9a57bdd5f3"
COMMAND = "b1f0a7de-52c4-4d0e-8f6b-94c1f2a37e05"
PRODUCT = "6a0cf1d2-0c3e-4f5b-8f0e-5b1d7b9a3c11"
SECRET = "a secret of the addresses"
TYPES = (
    "heartbeat",
    "door-status",
    "screen-status",
    "shutdown",
    "inventory",
    "video",
    "temperature",
    "product-linked",
    "badge-presented",
    "ack",
    "boot",
)
TOLD_AT = datetime.fromisoformat("2024-05-06T10:00:00+00:00")  # the samples' lastActivity


def eatmachine(*secrets: str) -> EatMachine:
    """It asks nobody."""
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(Starlette()))
    return connect(account(Vendor.EATMACHINE, *secrets), client)


def sent(
    body: bytes | Mapping[str, Any], *, secret: str = SECRET, machine: str = FRIDGE, at: datetime = NOW
) -> Delivery:
    """To the address that the secret makes."""
    _, native, token = eatmachine(secret).address(machine).split("/")
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return delivery(raw, machine=native, token=token, at=at)


def facts(body: bytes | Mapping[str, Any], *, machine: str = FRIDGE, at: datetime = NOW) -> list[Fact]:
    connector, told = eatmachine(SECRET), sent(body, machine=machine, at=at)
    return list(connector.facts(connector.verify(told), told))


def contents(body: bytes | Mapping[str, Any], *, at: datetime = NOW) -> dict[type[Content], Any]:
    """By class: there is at most one of each kind."""
    found = facts(body, at=at)
    assert len({fact.kind for fact in found}) == len(found)
    return {type(fact.content): fact.content for fact in found}


def event(body: bytes | Mapping[str, Any]) -> MachineEvent:
    found = contents(body)[MachineEvent]
    assert isinstance(found, MachineEvent)
    return found


def observed(body: bytes | Mapping[str, Any], *, at: datetime = NOW) -> Observation:
    found = contents(body, at=at)[Observation]
    assert isinstance(found, Observation)
    return found


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sample(f"eatmachine/{name}"))
    return found


@pytest.mark.parametrize("name", TYPES)
def test_only_the_fridges_own_address_is_believed(name: str) -> None:
    body = sample(f"eatmachine/{name}")
    assert eatmachine(SECRET).verify(sent(body))["type"] == name
    good = sent(body)
    for token in (None, "", "ü", (good.token or "")[:-1], (good.token or "").upper(), sent(body, secret="other").token):
        with pytest.raises(Forged):
            eatmachine(SECRET).verify(replace(good, token=token))
    for machine in (None, "", OTHER_FRIDGE, FRIDGE.upper()):
        with pytest.raises(Forged):
            eatmachine(SECRET).verify(replace(good, machine=machine))


def test_an_address_is_of_one_account() -> None:
    other = replace(account(Vendor.EATMACHINE, SECRET), key="other-fridges")
    connector = connect(other, httpx2.AsyncClient(transport=httpx2.ASGITransport(Starlette())))
    with pytest.raises(Forged):
        connector.verify(sent(sample("eatmachine/heartbeat")))


def test_both_secrets_are_good_while_they_are_rotated_and_the_first_makes_the_addresses() -> None:
    connector, body = eatmachine("new", SECRET), sample("eatmachine/heartbeat")
    for secret in ("new", SECRET):
        connector.verify(sent(body, secret=secret))
    with pytest.raises(Forged):
        connector.verify(sent(body, secret="third"))
    assert connector.address(FRIDGE) == eatmachine("new").address(FRIDGE)


def test_without_a_secret_nothing_is_genuine() -> None:
    with pytest.raises(Forged):
        eatmachine().verify(sent(sample("eatmachine/heartbeat")))
    with pytest.raises(BadInput):
        eatmachine().address(FRIDGE)


def test_every_fridge_has_an_address_of_its_own() -> None:
    connector = eatmachine(SECRET)
    for machine in (None, ""):
        with pytest.raises(BadInput):
            connector.address(machine)
    assert connector.address(FRIDGE).startswith(f"/{FRIDGE}/")
    assert connector.address(FRIDGE) != connector.address(OTHER_FRIDGE)
    assert connector.address("a/b ü").startswith("/a%2Fb%20%C3%BC/")


def test_a_report_of_another_fridge_is_forged() -> None:
    for name in TYPES:
        if name != "product-linked":
            with pytest.raises(Forged):
                eatmachine(SECRET).verify(sent(read(name), machine=OTHER_FRIDGE))
    shouting = read("heartbeat")
    shouting["fridge"]["uuid"] = FRIDGE.upper()
    assert facts(shouting)[0].machine == FRIDGE


def test_a_comma_too_many_is_forgiven_outside_texts_only() -> None:
    body = b'{"type": "x,]", "data": {"a": ["}", ",}" , ] , }, "b\\",]": [1,\n\t],}'
    assert eatmachine(SECRET).verify(sent(body)) == {"type": "x,]", "data": {"a": ["}", ",}"]}, 'b",]': [1]}
    for bad in (b"", b"hello", b"{", b'{"a":1,,}', b'{,"a":1}', b"NaN", b"[" * 9999, b"\xff", b'"' * 99, b'"\\":,}'):
        with pytest.raises(Illegible):
            eatmachine(SECRET).verify(sent(bad))


def test_an_endless_text_is_looked_at_once() -> None:
    """Were each quote tried in turn, this would take hours."""
    with pytest.raises(Illegible):
        eatmachine(SECRET).verify(sent(b'"\\"' + b'\\"' * 500_000))


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "null",
        "5",
        '"heartbeat"',
        "{}",
        '{"type":null}',
        '{"type":{}}',
        json.dumps({"type": "x" * 101}),
        '{"type":"inventory"}',
        '{"type":"inventory","data":{"epcs":"e1"}}',
        '{"type":"inventory","data":{"epcs":[null]}}',
        '{"type":"door-status","data":{}}',
        '{"type":"temperature","data":{"temperature":"warm"}}',
        '{"type":"temperature","data":{"temperature":"1e999"}}',
        '{"type":"product-linked","data":[],"product":{}}',
        '{"type":"product-linked","data":{},"product":{"uuid":"p"}}',
        '{"type":"product-linked","data":["e1"],"product":{"uuid":"p"}}',
        '{"type":"heartbeat","fridge":{"lastActivity":"soon"}}',
        json.dumps({"type": "ack", "command": {"uuid": "x" * 101}}),
    ],
)
def test_json_of_an_unknown_shape_cannot_be_read(body: str) -> None:
    with pytest.raises(VendorProtocolError):
        facts(body.encode())


@pytest.mark.parametrize("name", TYPES)
def test_each_type_tells_its_facts(name: str) -> None:
    found = set(contents(sample(f"eatmachine/{name}")))
    commanded = "command" in sample(f"eatmachine/{name}").decode() and name != "badge-presented"
    assert (MachineEvent in found) == (name not in ("heartbeat", "ack"))
    assert (Observation in found) == (name != "product-linked")
    assert (TagLinks in found) == (name == "product-linked")
    assert (CommandWord in found) == commanded


def test_an_unknown_type_is_kept() -> None:
    found = contents({"type": "door-forced", "data": [1], "fridge": {"uuid": FRIDGE}})
    assert set(found) == {MachineEvent, Observation}
    assert (found[MachineEvent].code, found[MachineEvent].severity) == ("door-forced", Severity.INFO)
    assert found[MachineEvent].message == "door-forced was reported"


@pytest.mark.parametrize("name", TYPES)
def test_no_event_shows_an_address_or_a_badge(name: str) -> None:
    report = json.loads(sample(f"eatmachine/{name}").replace(b",\n    ]", b"]").replace(b",\n}", b"}"))
    canaries = {
        "video": "https://video.example/canary",
        "webhookUrl": "https://gateway.example/webhooks/canary",
        "kioskUrl": "https://kiosk.example/canary",
        "initKey": "canary",
        "badge_token": "canary",
        "thumbnail": "http://video.example/canary",
        "more": ["https://video.example/canary"],
    }
    report["fridge"] = report.get("fridge", {}) | {"settings": canaries, "snapshot": canaries["video"]}
    report["command"] = (report.get("command") or {}) | canaries
    report["data"] = report["data"] if isinstance(report["data"], list) else (report["data"] or {}) | canaries
    found = [fact.content for fact in facts(report) if fact.kind is FactKind.EVENT]
    assert bool(found) == (name not in ("heartbeat", "ack"))
    assert "canary" not in repr(found)


def test_the_id_of_a_badges_event_does_not_give_the_badge_away() -> None:
    """Whoever knows all but a short token would find it by trying, if the digest took no secret."""
    report = read("badge-presented")
    report["fridge"]["lastActivity"] = "2024-05-06T12:00:00+02:00"
    told, secret_changed, rotating = (
        connector.facts(report, sent(report))[0]
        for connector in (eatmachine(SECRET), eatmachine("another"), eatmachine("another", SECRET))
    )
    assert told.identity == rotating.identity != secret_changed.identity
    assert facts(report | {"data": {"badge_token": "4712"}})[0].identity != told.identity
    assert "4711" not in repr(event(report))


def test_events_without_identity_are_still_apart_for_whoever_looks() -> None:
    """The same thing may happen twice; what the journal keeps a fleeting fact by is its event's id."""
    (first, *_), (later, *_) = facts(read("screen-status")), facts(read("screen-status"), at=NOW + timedelta(hours=1))
    assert first.identity == later.identity
    for fact, at in ((first, NOW), (later, NOW + timedelta(hours=1))):
        assert isinstance(fact.content, MachineEvent)
        assert fact.content.ref.native == occurrence(fact.identity, at)
    timed = facts(read("shutdown"))[0]
    assert isinstance(timed.content, MachineEvent)
    assert timed.content.ref.native == timed.identity


@pytest.mark.parametrize(
    ("name", "message", "severity"),
    [
        ("door-status", "The door was unlocked", Severity.INFO),
        ("screen-status", "The screen reported its status", Severity.INFO),
        ("shutdown", "The fridge is shutting down", Severity.WARNING),
        ("inventory", "2 tags were counted", Severity.INFO),
        ("video", "A video was recorded", Severity.INFO),
        ("temperature", "The temperature is 4.5 °C", Severity.INFO),
        ("product-linked", "2 tags were linked to Yoghurt, plain", Severity.INFO),
        ("badge-presented", "A badge was presented", Severity.INFO),
        ("boot", "The fridge has started", Severity.INFO),
    ],
)
def test_events_speak_to_people(name: str, message: str, severity: Severity) -> None:
    found = event(sample(f"eatmachine/{name}"))
    assert (found.code, found.message, found.severity) == (name, message, severity)
    assert (found.trust, found.recorded_at) == (Trust.SECRET_URL, NOW)


@pytest.mark.parametrize(
    ("celsius", "message"),
    [
        (10.5, "The temperature is 10.5 °C, above its limit of 10 °C"),
        ("-10.1", "The temperature is -10.1 °C, below its limit of -10 °C"),
        (10, None),
        (-10, None),
    ],
)
def test_a_temperature_outside_the_fridges_limits_is_a_warning(celsius: Any, message: str | None) -> None:
    report = read("temperature") | {"data": {"temperature": celsius}}
    report["fridge"]["settings"] = {"temperatureMinAlert": -10, "temperatureMaxAlert": "10"}
    found = event(report)
    assert found.severity is (Severity.INFO if message is None else Severity.WARNING)
    assert message is None or found.message == message


@pytest.mark.parametrize("name", ["door-status", "inventory", "temperature"])
def test_a_failed_command_is_a_warning_and_tells_no_result(name: str) -> None:
    report = read(name) | {"data": None}
    report["command"] |= {"status": "failed", "message": "no answer"}
    found = contents(report)
    assert found[MachineEvent].severity is Severity.WARNING
    assert found[MachineEvent].message.endswith("failed: no answer")
    assert found[Observation].scan is None
    assert (found[CommandWord].word, found[CommandWord].message) == ("failed", "no answer")


def test_a_heartbeat_says_that_the_fridge_lives() -> None:
    (fact,) = facts(sample("eatmachine/heartbeat"))
    assert fact.content == Observation(machine=FRIDGE, at=TOLD_AT)
    assert (fact.kind, fact.recorded_at, fact.occurred_at) == (FactKind.STATE, NOW, TOLD_AT)
    assert observed(sample("eatmachine/shutdown")).alive is False
    assert observed(sample("eatmachine/boot")).alive is True


def test_the_time_is_the_fridges_or_the_commands_or_that_of_arrival_and_never_later() -> None:
    report = read("temperature")
    assert observed(report).at == NOW
    report["command"]["updatedAt"] = "2024-05-06T11:00:00+02:00"
    assert observed(report).at == TOLD_AT - timedelta(hours=1)
    report["fridge"]["lastActivity"] = "2024-05-06T12:00:00+02:00"
    assert observed(report).at == TOLD_AT
    report["fridge"]["lastActivity"] = "2099-01-01T00:00:00Z"
    assert observed(report).at == NOW


@pytest.mark.parametrize(
    ("status", "door"),
    [
        ("unlocked", DoorState.UNLOCKED),
        ("opened", DoorState.OPENED),
        ("closed", DoorState.CLOSED),
        ("ajar", DoorState.UNKNOWN),
    ],
)
def test_a_door_is_a_step_of_its_command(status: str, door: DoorState) -> None:
    """What the command says of itself differs from page to page of the documents: `success`, or the door's word."""
    for word in ("success", status):
        report = read("door-status") | {"data": {"status": status}}
        report["command"]["status"] = word
        found = contents(report)
        assert (found[Observation].door, found[Observation].command) == (door, COMMAND)
        assert found[CommandWord] == CommandWord(command=COMMAND, machine=FRIDGE, word=word, step=status, message=None)


def test_the_door_that_another_report_carries_along_is_no_step_of_its_command() -> None:
    """An `ack` to `open` shows the door still closed: as a step that would be the last one."""
    report = read("ack")
    report["fridge"]["doorStatus"] = "closed"
    assert (observed(report).door, observed(report).command) == (DoorState.CLOSED, None)
    assert contents(report)[CommandWord].step == "ack"


def test_a_measured_temperature_has_a_time_and_a_remembered_one_has_none() -> None:
    assert observed(sample("eatmachine/temperature")).temperature == Temperature(celsius=4.5, measured_at=NOW)
    assert observed(sample("eatmachine/video")).temperature == Temperature(celsius=4.5, measured_at=None)
    assert observed(sample("eatmachine/heartbeat")).temperature is None
    silent = read("temperature") | {"data": {"temperature": None}}
    assert observed(silent).temperature == Temperature(celsius=4.5, measured_at=None)


def test_a_scan_is_the_whole_list_and_knows_the_opening_that_it_ended() -> None:
    found = observed(sample("eatmachine/inventory")).scan
    assert found is not None
    assert found.tags == {"e28011700000020aa7bc0001", "e28011700000020aa7bc0002"}
    assert found.opening == COMMAND
    ordered = read("inventory")
    ordered["command"]["type"]["slug"] = "inventory"
    for report in (ordered, ordered | {"command": None}, {name: ordered[name] for name in ("type", "data", "fridge")}):
        scan = observed(report).scan
        assert scan is not None
        assert scan.opening is None
    empty = observed(read("inventory") | {"data": {"epcs": []}}).scan
    assert empty is not None
    assert empty.tags == frozenset()


def test_a_fridges_group_is_its_fleet() -> None:
    report = read("heartbeat")
    report["fridge"] |= {"fleet": {"uuid": "f-1", "name": "Offices"}, "name": "Lobby"}
    assert observed(report).group == MachineGroup(id="f-1", name="Offices")
    assert facts(report)[0].machine_name == "Lobby"


def test_linked_tags_are_of_their_product() -> None:
    found = contents(sample("eatmachine/product-linked"))[TagLinks]
    assert found.product.native == PRODUCT
    assert (found.product_name, list(found.tags)) == (
        "Yoghurt, plain",
        ["e28011700000020aa7bc0001", "e28011700000020aa7bc0002"],
    )


@pytest.mark.parametrize("name", TYPES)
def test_a_repeat_has_the_same_identity_however_it_is_written(name: str) -> None:
    first = facts(sample(f"eatmachine/{name}"))
    body = eatmachine(SECRET).verify(sent(sample(f"eatmachine/{name}")))
    again = facts(dict(reversed(body.items())), at=NOW + timedelta(hours=1))
    assert [(fact.kind, fact.identity) for fact in first] == [(fact.kind, fact.identity) for fact in again]
    timed = "lastActivity" in str(body) or bool(body.get("command"))
    assert {fact.fleeting for fact in first} == {not timed}
    assert {fact.topic for fact in first} == {name}


def test_what_differs_has_another_identity() -> None:
    heartbeat, door, linked = (
        read("heartbeat"),
        read("door-status"),
        eatmachine(SECRET).verify(sent(sample("eatmachine/product-linked"))),
    )
    bodies = [
        heartbeat,
        heartbeat | {"type": "boot"},
        heartbeat | {"fridge": heartbeat["fridge"] | {"lastActivity": "2024-05-06T12:05:00+02:00"}},
        heartbeat | {"fridge": {"uuid": FRIDGE}},
        door,
        door | {"data": {"status": "opened"}},
        door | {"command": door["command"] | {"status": "unlocked"}},
        door | {"command": door["command"] | {"uuid": "another"}},
        door | {"command": None},
        linked,
        linked | {"product": {"uuid": "another"}},
    ]
    states = [fact.identity for body in bodies for fact in facts(body)[:1]]
    assert len(set(states)) == len(bodies)
    same_time = heartbeat | {"fridge": {"uuid": FRIDGE, "lastActivity": "2024-05-06T10:00:00Z"}}
    assert facts(same_time)[0].identity == facts(heartbeat)[0].identity
    elsewhere = heartbeat | {"fridge": heartbeat["fridge"] | {"uuid": OTHER_FRIDGE}}
    assert facts(elsewhere, machine=OTHER_FRIDGE)[0].identity != facts(heartbeat)[0].identity


def test_what_cannot_be_stored_is_replaced() -> None:
    found = event(b'{"type":"x","data":["a\\u0000","\\ud800","\\ud83d\\ude00",1e999]}')
    assert found.vendor_data == {"type": "x", "data": ["a�", "�", "😀", None]}


def test_a_fridge_is_learned_from_what_it_reported() -> None:
    connector = eatmachine(SECRET)
    assert isinstance(connector, LearnsMachines)
    found = connector.learned(FRIDGE, None, NOW)
    assert (found.vendor_id, found.name, found.observed_at) == (FRIDGE, FRIDGE, NOW)
    assert connector.learned(FRIDGE, "Lobby", NOW).name == "Lobby"


def test_the_roles_are_played_and_the_capabilities_told() -> None:
    connector = eatmachine()
    assert isinstance(connector, SendsWebhooks)
    assert isinstance(connector, CountsTags)
    assert isinstance(connector, TakesOrders)
    assert isinstance(connector, TellsProgress)
    assert connector.capabilities == {
        Capability.SLOTS,
        Capability.STOCK_COUNTS,
        Capability.SALES,
        Capability.EVENTS,
        Capability.WEBHOOKS,
        Capability.TEMPERATURE,
        Capability.DOOR,
        Capability.STOCK_MOVEMENTS,
        Capability.OPEN_DOOR,
        Capability.SCAN_INVENTORY,
        Capability.MEASURE_TEMPERATURE,
        Capability.READ_DOOR,
        Capability.REBOOT,
        Capability.RESTART_APP,
        Capability.CREATE_FLEET,
        Capability.CREATE_MACHINE,
    }
