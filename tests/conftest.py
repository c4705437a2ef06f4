"""What tests share: one sandbox and one gateway over it for each module, whole again after each test."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.running import Gateway, Sandbox, running_gateway, running_sandbox

settings.register_profile("vendgraph", deadline=None)  # how long an example takes says nothing of it
settings.load_profile("vendgraph")


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    shared_sandbox.forget_requests()
    yield shared_sandbox
    shared_sandbox.heal()


@pytest.fixture(scope="module")
def gateway(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(shared_sandbox, tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway
