"""The set-up of several gateways, without a container engine: it is YAML, and its names fit what they name."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.server import DRAINING_SECONDS
from gateway.settings import load
from tests.test_dockerfile import FINAL, ROOT, arguments

LINE = re.compile(r'( *)(?:- )?(?:([A-Za-z_]+):(?: |$))?(".*"|[^\s"\'&*!|>{}\[\]%@`#,?:-][^"#&*!|>{}\[\]:]*)?')
VARIABLE = re.compile(r"\$\{([A-Z_]+)(:\?|:-)\}")
EXAMPLE = re.compile(r"## More than one process\n.*?```toml\n(.*?)```", re.DOTALL)


class NotPlain(Exception):
    pass


def read(text: str) -> dict[str, Any]:
    """The plainest of YAML, that all readers take alike: mappings, lists of texts, and texts, bare or in double quotes.

    Raises NotPlain for anything else."""
    root: dict[str, Any] = {}
    levels: list[tuple[int, Any]] = [(-1, root)]
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for at, line in enumerate(lines):
        found = LINE.fullmatch(line)
        if found is None or "\t" in line:
            raise NotPlain(line)
        indent, name, value = len(found[1]), found[2], found[3]
        while levels[-1][0] >= indent:
            levels.pop()
        inside = levels[-1][1]
        told = None if value is None else json.loads(value) if value.startswith('"') else value
        if line.lstrip().startswith("- "):
            if not isinstance(inside, list) or name is not None:
                raise NotPlain(line)
            inside.append(told)
            continue
        if not isinstance(inside, dict) or name is None or name in inside:
            raise NotPlain(line)
        inside[name] = told
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if told is None and len(following) - len(following.lstrip()) > indent:
            inside[name] = [] if following.lstrip().startswith("- ") else {}
            levels.append((indent, inside[name]))
    return root


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return read((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def example() -> str:
    found = EXAMPLE.search((ROOT / "docs" / "operating.md").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "text",
    ["a:\n\tb: c", "a: [b", "a: b\na: c", "- a", "a:\n  - b\n  c: d", "a: &b c", "a: 'b", 'a: "b', "a: b: c", "a"],
)
def test_what_is_no_plain_yaml_is_not_read(text: str) -> None:
    with pytest.raises(NotPlain):
        read(text)


def test_there_are_two_gateways_on_one_postgresql_and_one_redis(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"gateway", "postgres", "redis"}
    assert services["gateway"]["deploy"] == {"replicas": "2"}
    for name, dependency in services["gateway"]["depends_on"].items():
        assert dependency == {"condition": "service_healthy"}
        assert set(services[name]["healthcheck"]) == {"test", "interval", "timeout", "retries"}


def test_the_gateway_is_the_image_that_is_built_here(compose: dict[str, Any]) -> None:
    gateway = compose["services"]["gateway"]
    assert gateway["build"] == {"context": "."}
    (exposed,) = arguments(FINAL, "EXPOSE")
    host, _, inside = gateway["ports"][0].rpartition(":")
    assert inside == exposed
    first, last = map(int, host.rpartition(":")[2].split("-"))
    assert last - first + 1 == int(gateway["deploy"]["replicas"])
    (volume,) = gateway["volumes"]
    (command,) = arguments(FINAL, "CMD")
    assert json.loads(command)[-1] == volume.split(":")[1]
    assert not any(name == "healthcheck" for name in gateway)
    assert arguments(FINAL, "HEALTHCHECK")


def test_it_is_given_the_time_that_it_takes_to_stop(compose: dict[str, Any]) -> None:
    assert int(compose["services"]["gateway"]["stop_grace_period"].removesuffix("s")) > DRAINING_SECONDS


def test_secrets_come_from_the_environment_alone(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if name not in {"POSTGRES_USER", "POSTGRES_DB"}:
                found = VARIABLE.fullmatch(value)
                assert found is not None
                assert found[1] == name


def test_the_example_in_the_pages_fits(compose: dict[str, Any], tmp_path: Path) -> None:
    """Its hosts are services, its user and database PostgreSQL's, its variables passed on, its port is the image's."""
    services, text = compose["services"], example()
    passed = services["gateway"]["environment"]
    wanted = set(re.findall(r"\$\{([A-Z_]+)\}", text))
    assert wanted <= set(passed)
    path = tmp_path / "vendgraph.toml"
    path.write_text(text, encoding="utf-8")
    settings = load(path, dict.fromkeys(wanted, "secret"))
    postgres = services["postgres"]["environment"]
    user, database = postgres["POSTGRES_USER"], postgres["POSTGRES_DB"]
    assert settings.store.url.get_secret_value() == f"postgresql://{user}:secret@postgres/{database}"
    assert settings.bus.url.get_secret_value() == "redis://redis:6379"
    assert (settings.server.host, str(settings.server.port)) == ("0.0.0.0", *arguments(FINAL, "EXPOSE"))  # noqa: S104  in a container


def test_volumes_that_are_used_are_there(compose: dict[str, Any]) -> None:
    named = {volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", [])}
    assert {name for name in named if not name.startswith(".")} == set(compose["volumes"])
