from tests.running import Gateway, Sandbox


def test_smoke(gateway: Gateway, sandbox: Sandbox) -> None:
    data, _ = gateway.traced("{ machines(first: 200) { totalCount nodes { id name } sources { state } } }")
    assert data["machines"]["totalCount"] == sum(len(sandbox.truth(v)["machines"]) for v in sandbox.vendors)
