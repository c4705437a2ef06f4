"""The graph that clients were handed with the last release, what of the present one breaks them, and what is announced.

`python -m tests.promise` (`make released`) keeps the present graph as that of the newest release."""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass

from tests.npm import CLIENTS

ROOT = CLIENTS.parent.parent
SCHEMA = ROOT / "schema.graphql"
RELEASED = ROOT / "docs" / "released.graphql"
CHANGELOG = ROOT / "CHANGELOG.md"
HEADER = "# The graph of {}, as clients were last handed it. `make released` writes this file.\n\n"
VERSION = re.compile(r"^## \[(\d+\.\d+\.\d+)\]", re.MULTILINE)
BREAKING = re.compile(r"^### Breaking\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
UNRELEASED = re.compile(r"^## \[Unreleased\]\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`(@?\w+(?:\.\w+)*)(?:\((\w+):\))?`")


@dataclass(frozen=True, slots=True)
class Change:
    """Something that breaks clients. `path`: its coordinate, as `Type.field.argument`."""

    path: str
    message: str


def breaking(pairs: Sequence[tuple[str, str]]) -> list[list[Change]]:
    """What of each second schema breaks clients of the first, as graphql-inspector judges it."""
    node = shutil.which("node")
    assert node is not None, "there is no node"
    command = [node, "promise.mjs"]
    done = subprocess.run(  # noqa: S603  it is ours
        command, cwd=CLIENTS, input=json.dumps(pairs), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [[Change(**change) for change in changes] for changes in json.loads(done.stdout)]


def announced(changelog: str) -> set[str]:
    """The coordinates under `### Breaking` of what is not released: an argument stands there as `Type.field(arg:)`."""
    return {
        ".".join(filter(None, name.groups()))
        for unreleased in UNRELEASED.findall(changelog)
        for section in BREAKING.findall(unreleased)
        for name in NAMED.finditer(section)
    }


def silent(changes: Sequence[Change], changelog: str) -> list[str]:
    """Those that are not announced, for a person to read."""
    known = announced(changelog)
    return [f"{change.path}: {change.message}" for change in changes if change.path not in known]


def version() -> str:
    """Of the newest release; before the first, of what is to become it."""
    released = VERSION.search(CHANGELOG.read_text(encoding="utf-8"))
    if released is not None:
        return released.group(1)
    told: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    return told


if __name__ == "__main__":
    RELEASED.write_text(HEADER.format(version()) + SCHEMA.read_text(encoding="utf-8"), encoding="utf-8")
