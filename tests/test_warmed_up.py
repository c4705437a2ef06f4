"""What webhooks are told with is asked for before the first one comes, and nobody waits for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.smartvend import texts
from domain.model import MachineEvent
from gateway import background
from gateway.app import create_app
from gateway.settings import load
from journal import log
from journal.store import open_store
from sandbox.server import start
from tests.journals import until
from tests.running import TEXTS, Gateway, Sandbox, config_text, running_gateway, running_sandbox

CODE, KEY, TEXT = "no-water", "event.no-water", "Water is running low"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(scale=0.02, days=2) as sandbox:
        yield sandbox


def told(sandbox: Sandbox, gateway: Gateway, folder: Path) -> str:
    """The message of an event that happens now, as its webhook told it."""
    sandbox.webhooks(vendor="smartvend", address=gateway.base)
    (event,) = sandbox.happen("smartvend", CODE)
    sandbox.settle()
    engine = open_store(f"sqlite:///{folder}/vendgraph.db")
    contents = [one.content for one in log.after(engine, 0, 10_000).entries]
    engine.dispose()
    events = [one for one in contents if isinstance(one, MachineEvent)]
    return next(one.message for one in events if one.vendor_id == event["id"])


def test_the_first_event_is_told_with_its_text(sandbox: Sandbox, tmp_path: Path) -> None:
    with running_gateway(sandbox, tmp_path) as gateway:
        assert told(sandbox, gateway, tmp_path) == TEXT
        assert sandbox.requests("smartvend") == [TEXTS]


async def test_what_comes_before_the_texts_is_told_at_once_and_what_comes_after_with_them(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "PREPARED_SECONDS", 0.05)
    monkeypatch.setattr(texts, "TRIED_AGAIN", 0.05)
    sandbox.break_("smartvend", "hang_before", operation="dictionary")
    with running_gateway(sandbox, tmp_path, limits="timeout_seconds = 0.5") as gateway:
        assert told(sandbox, gateway, tmp_path) == KEY
        sandbox.heal()
        await until(lambda: told(sandbox, gateway, tmp_path) == TEXT)


def test_a_vendor_that_sends_no_webhooks_is_asked_nothing_beforehand(sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "vendgraph.toml"
    text = config_text(sandbox, tmp_path)
    path.write_text(text.replace("[accounts.webhook]\npublic_key", "[accounts.endpoints]\n# public_key"))
    with start(create_app(load(path))) as server:
        Gateway(server.base).ask("{ machines { totalCount } }")
        assert sandbox.requests("smartvend") == ["POST /smartvend/v1/get-list-of-controllers"]
