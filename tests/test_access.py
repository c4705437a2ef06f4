"""`VendorAccount.signIn`: the vendor's own word on an account's credentials."""

from collections.abc import Iterator

import pytest

from domain.refs import Kind, Ref
from tests.commanding import NOTHING_KEPT, SELDOM_FED
from tests.running import VIEWER, Gateway, Sandbox, running_gateway

ALL = "{ accounts { vendor signIn { accepted askedAt error { code message } } } }"
ONE = "query ($id: ID!) { node(id: $id) { ... on VendorAccount { signIn { accepted error { code } } } } }"


@pytest.fixture(scope="module")
def anew(shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """It keeps no answer."""
    folder = tmp_path_factory.mktemp("access")
    with running_gateway(shared_sandbox, folder, cache=NOTHING_KEPT, feed=SELDOM_FED) as gateway:
        yield gateway


def test_each_vendor_says_that_it_takes_them(gateway: Gateway, sandbox: Sandbox) -> None:
    found = gateway.ask(ALL)["accounts"]
    assert [(one["signIn"]["accepted"], one["signIn"]["error"]) for one in found] == [(True, None)] * 5
    asked = sandbox.requests("eatmachine")
    assert asked == ["GET /eatmachine/auth/me"]
    assert gateway.ask(ALL, key=VIEWER)["accounts"] == found
    assert sandbox.requests("eatmachine") == asked  # the answer is kept


@pytest.mark.parametrize(
    ("vendor", "key", "status", "said"),
    [
        ("eatmachine", "acme-fridges", 401, {"accepted": False, "error": {"code": "VENDOR_UNAUTHORIZED"}}),
        ("smartepi", "acme-safety", 503, {"accepted": None, "error": {"code": "VENDOR_UNAVAILABLE"}}),
    ],
)
def test_a_refusal_is_no_outage(
    anew: Gateway, sandbox: Sandbox, vendor: str, key: str, status: int, said: object
) -> None:
    sandbox.break_(vendor, "status", status=status)
    assert anew.ask(ONE, {"id": Ref(Kind.ACCOUNT, key, "").text})["node"]["signIn"] == said
