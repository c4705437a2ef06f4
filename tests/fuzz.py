"""Operations that schemathesis makes up from the schema, sent to a gateway over a sandbox that is thrown away after.

`python -m tests.fuzz` (`make fuzz`) goes on for a minute; the tests send a few to each field of the root."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.running import Gateway, running_gateway, running_sandbox

TESTS = Path(__file__).parent
SCHEMA = TESTS.parent / "schema.graphql"
SECONDS = 60
AFTER = re.compile(r'\n +"""[^"]*"""\n +after: String(?=\n)')  # made up, it is always refused: nothing would be read
IDS = """{
  accounts { id }
  organizations(first: 9) { nodes { id } }
  machines(first: 60) { nodes { id slots { id } } }
  products(first: 9) { nodes { id } }
  sales(first: 9) { nodes { id } }
  events(first: 9) { nodes { id } }
  people(first: 9) { nodes { id } }
  organizationUnits(first: 9) { nodes { id } }
  entitlementGroups(first: 9) { nodes { id } }
}"""


def fuzz(gateway: Gateway, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Everything that `tests.fuzz_hooks` demands of answers is demanded of each; `arguments` are schemathesis's own."""
    told = {
        "PYTHONPATH": str(TESTS.parent),
        "SCHEMATHESIS_HOOKS": "tests.fuzz_hooks",
        "FUZZ_IDS": "\n".join(_ids(gateway.ask(IDS))),
    }
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(TESTS / "fuzz.toml")),
        *("run", "schema.graphql"),
        *("--url", f"{gateway.base}/graphql", "--header", f"Authorization: Bearer {gateway.key}"),
        *("--checks", "answers_as_graphql", "--phases", "fuzzing", "--no-color", *arguments),
    ]
    with tempfile.TemporaryDirectory() as folder:  # where it keeps what it finds
        sdl = AFTER.sub("", SCHEMA.read_text(encoding="utf-8"))
        (Path(folder) / "schema.graphql").write_text(sdl, encoding="utf-8")
        return subprocess.run(  # noqa: S603  it is ours
            command, cwd=folder, env={**os.environ, **told}, text=True, capture_output=True, check=False
        )


def _ids(found: object) -> list[str]:
    """Every id in an answer."""
    if isinstance(found, list):
        return [one for item in found for one in _ids(item)]
    if isinstance(found, dict):
        return [one for name, value in found.items() for one in ([value] if name == "id" else _ids(value))]
    return []


def main() -> None:
    with (
        running_sandbox() as sandbox,
        tempfile.TemporaryDirectory() as folder,
        running_gateway(sandbox, Path(folder)) as gateway,
    ):
        done = fuzz(gateway, "--max-time", str(SECONDS))
    sys.stdout.write(done.stdout + done.stderr)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
