"""What is not known of a change of people, while others of the kind are carried out."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from domain.refs import Kind, Ref
from gateway.settling import PROVEN_NOT
from tests.commanding import Found, command, now_is
from tests.running import Gateway, Sandbox, running_gateway
from tests.settlers import Looking, looking

SAFETY = Ref(Kind.ACCOUNT, "acme-safety", "").text
LATE = PROVEN_NOT + 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("people")


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, folder: Path) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, folder) as gateway:
        yield gateway


@pytest.fixture
async def settler(gateway: Gateway, folder: Path) -> AsyncIterator[Looking]:
    assert gateway
    async with looking(folder) as found:
        yield found


def someone() -> Found:
    number = uuid4().hex[:12]
    return {"name": f"Zoe {number}", "identification": number}


def lost(gateway: Gateway, sandbox: Sandbox, mutation: str, method: str, **given: object) -> Found:
    """Not carried out, which nobody here can know."""
    sandbox.break_("smartepi", "reset", operation="/employees", method=method, times=1)
    found = command(gateway, mutation, **given)
    assert found["status"] == "UNKNOWN", found
    return found


async def test_who_is_not_there_was_not_made_whoever_else_was(
    sandbox: Sandbox, gateway: Gateway, settler: Looking
) -> None:
    asked = lost(gateway, sandbox, "createPerson", "POST", accountId=SAFETY, details=someone())
    assert command(gateway, "createPerson", accountId=SAFETY, details=someone())["status"] == "SUCCEEDED"
    await settler.look(later=LATE)
    found = now_is(gateway, asked["id"])
    assert (found["status"], "does not show it" in found["error"]) == ("FAILED", True)


async def test_a_change_that_another_followed_may_have_been_carried_out(
    sandbox: Sandbox, gateway: Gateway, settler: Looking
) -> None:
    made = command(gateway, "createPerson", accountId=SAFETY, details=someone())
    person = Ref(Kind.PERSON, "acme-safety", made["result"]["id"]).text
    first = lost(gateway, sandbox, "updatePerson", "PUT", personId=person, details={"name": "Zoe the First"})
    second = command(gateway, "updatePerson", personId=person, details={"name": "Zoe the Second"})
    assert second["status"] == "SUCCEEDED"
    await settler.look(later=LATE)
    assert now_is(gateway, first["id"])["status"] == "UNKNOWN"


async def test_a_change_that_none_followed_was_not_carried_out(
    sandbox: Sandbox, gateway: Gateway, settler: Looking
) -> None:
    made = command(gateway, "createPerson", accountId=SAFETY, details=someone())
    person = Ref(Kind.PERSON, "acme-safety", made["result"]["id"]).text
    asked = lost(gateway, sandbox, "updatePerson", "PUT", personId=person, details={"name": "Zoe the Third"})
    await settler.look(later=LATE)
    assert now_is(gateway, asked["id"])["status"] == "FAILED"
