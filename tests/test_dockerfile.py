"""The image's steps without a container engine: what is copied is there, and what is built from it runs elsewhere."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from tests.running import Gateway

ROOT = Path(__file__).parent.parent
BUILD, FINAL = 0, 1
LOCKED = re.compile(r"^([a-z0-9._-]+)==(\S+)(?: ; .+)? \\$", re.MULTILINE)


def stages() -> list[list[tuple[str, str]]]:
    """The Dockerfile's instructions with their arguments, stage by stage."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: list[list[tuple[str, str]]] = []
    for line in text.replace("\\\n", "").splitlines():
        if line.strip():
            instruction, _, arguments = line.partition(" ")
            if instruction == "FROM":
                found.append([])
            found[-1].append((instruction, arguments.strip()))
    return found


def arguments(stage: int, instruction: str) -> list[str]:
    return [rest for name, rest in stages()[stage] if name == instruction]


def copied() -> list[tuple[str, str]]:
    """From the checkout: source and destination, a file or a folder each."""
    pairs = []
    for rest in arguments(BUILD, "COPY"):
        *sources, destination = shlex.split(rest)
        pairs += [(source, destination) for source in sources]
    return pairs


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(name: str) -> dict[str, str]:
    return dict(LOCKED.findall((ROOT / name).read_text(encoding="utf-8")))


def reaches_the_builder(path: str) -> bool:
    """By .dockerignore, of which the last line that fits decides."""
    kept = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#") and fnmatch(path, line.lstrip("!").removeprefix("**/")):
            kept = line.startswith("!")
    return kept


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the Dockerfile copies, and nothing else."""
    folder = tmp_path_factory.mktemp("source")
    for name, destination in copied():
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / destination, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / destination)
    return folder


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built there, unpacked far from the checkout."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-input"]
    wheels = source / "dist"
    build = ["wheel", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", str(wheels), "."]
    subprocess.run([*pip, *build], check=True, cwd=source)  # noqa: S603
    wheel = next(wheels.glob("*.whl"))
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", str(target), str(wheel)], check=True)  # noqa: S603
    return target


def run(installed: Path, folder: Path, *command: str) -> str:
    """The installed console script, in a folder of its own; the checkout is not on its path, for `-S` reads no .pth."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(installed), sysconfig.get_path("purelib")))}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-S", str(installed / "bin" / "vendgraph"), *command],
        check=True,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


@pytest.mark.parametrize(("name", "destination"), copied())
def test_what_is_copied_is_there_and_reaches_the_builder(name: str, destination: str) -> None:
    assert (ROOT / name).exists()
    assert reaches_the_builder(name)
    assert destination in (name, "./")


def test_what_must_not_be_in_an_image_does_not_reach_the_builder() -> None:
    kept = [name for name in (".git", ".venv", "tests", "vendgraph.db", "vendgraph.toml") if reaches_the_builder(name)]
    assert kept == []


def test_every_package_of_the_wheel_is_copied() -> None:
    packages = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(packages) <= {name for name, _ in copied()}


def test_the_installed_command_prints_the_same_graph(installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path, "schema") == (ROOT / "schema.graphql").read_text(encoding="utf-8")


def test_the_installed_command_finds_its_migrations(installed: Path, tmp_path: Path) -> None:
    config = tmp_path / "vendgraph.toml"
    config.write_text('[[organizations]]\nkey = "acme"\nname = "Acme"\n', encoding="utf-8")
    key, *_ = run(installed, tmp_path, "keys", "create", "--config", str(config), "--name", "dashboard").split()
    assert key.startswith("vg_")
    assert "dashboard" in run(installed, tmp_path, "keys", "list", "--config", str(config))
    assert (tmp_path / "vendgraph.db").exists()


def test_it_runs_without_rights_on_the_python_it_was_written_for() -> None:
    assert project()["project"]["requires-python"] == ">=3.11"
    assert {stage[0][1].split(" AS ")[0] for stage in stages()} == {"python:3.11-slim"}
    users = arguments(FINAL, "USER")
    assert users
    assert int(users[-1]) > 0
    assert f"--uid {users[-1]} " in arguments(FINAL, "RUN")[0]


def test_what_it_starts_is_what_the_project_installs() -> None:
    (command,) = arguments(FINAL, "CMD")
    program, subcommand, *_ = json.loads(command)
    assert program in project()["project"]["scripts"]
    assert subcommand == "serve"


def test_its_health_check_tells_a_gateway_that_serves_from_one_that_does_not(gateway: Gateway) -> None:
    (check,) = arguments(FINAL, "HEALTHCHECK")
    python, *rest = json.loads(check[check.index("CMD") + len("CMD") :])
    assert python == "python"

    def outcome(port: str) -> int:
        command = [sys.executable, *(part.replace("8000", port) for part in rest)]
        return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode  # noqa: S603

    assert outcome(gateway.base.rpartition(":")[2]) == 0
    assert outcome("9") != 0


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock"])
def test_what_the_image_holds_is_locked_as_it_is_tested(name: str) -> None:
    mine, tested = locked(name), locked("requirements-dev.lock")
    assert mine
    assert mine.items() <= tested.items()


def test_every_dependency_is_locked() -> None:
    def bare(requirement: str) -> str:
        return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")

    own = {bare(requirement) for requirement in project()["project"]["dependencies"]}
    development = {bare(requirement) for requirement in project()["project"]["optional-dependencies"]["dev"]}
    assert own <= locked("requirements.lock").keys()
    assert development <= locked("requirements-dev.lock").keys()
    assert not development & locked("requirements.lock").keys()
