"""What the documentation says is so: its links, its commands, its queries, its tables."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
import httpx2
import pytest
from graphql import parse, validate
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from connectors.eatmachine import events as fridge_events
from connectors.eatmachine import hooks as eatmachine
from connectors.eatmachine import orders as fridge_orders
from connectors.http import new_client
from connectors.smartepi import hooks as smartepi
from domain.capabilities import Capability, UnavailableReason
from domain.commands import CommandStatus
from domain.errors import ErrorCode
from domain.facts import Origin
from domain.model import AccountStatus, Role, Trust, Vendor
from domain.paging import SourceState
from gateway.app import connected
from gateway.cli import app as commands_of_vendgraph
from gateway.settings import Settings, SettingsError, load
from sandbox.faults import KINDS, Fault
from sandbox.sending import Webhooks
from sandbox.smartvend_hooks import WEBHOOK_PUBLIC_KEY
from schema.root import build
from tests import vendor_pages
from tests.pages import (
    ROOT,
    Block,
    all_pages,
    anchor,
    blocks,
    blocks_of,
    commands,
    headings,
    read,
    rows,
    section,
    spans,
)
from tests.running import Gateway, Sandbox, config_text, running_gateway, running_sandbox

OPERATING, CLIENTS, SANDBOX = "docs/operating.md", "docs/clients.md", "docs/sandbox.md"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"\b(?:domain|connectors|journal|resolvers|schema|gateway|sandbox|tests|bench|docs)/[\w./-]*\w")
TENANT = '[[organizations]]\nkey = "acme"\nname = "Acme"\n'
VENDGRAPH = "from gateway.cli import main; main()"
FOLDER = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/\w")
HOST = re.compile(r"\bhttps?://(?:[^\s/@]*@)?([A-Za-z0-9.-]*[A-Za-z0-9])")
MADE_UP = re.compile(r"[^.]+|127\.0\.0\.1|169\.254\.169\.254|(?:.+\.)?(?:test|example|example\.com)")
VENDORS = re.compile(
    r".*\.(?:smartvend\.ru|smvend\.io|livello\.com|vendnovation-services\.com|smartepi\.com\.br|eatmachine\.io)"
)
CITED = frozenset(  # pages that are referred to
    {
        "alembic.sqlalchemy.org",
        "cryptography.io",
        "docs.astral.sh",
        "docs.pydantic.dev",
        "github.com",
        "graphql.github.io",
        "import-linter.readthedocs.io",
        "keepachangelog.com",
        "semver.org",
        "strawberry.rocks",
        "typer.tiangolo.com",
        "www.sqlalchemy.org",
        "www.starlette.io",
        "www.structlog.org",
        "www.uvicorn.org",
    }
)
NPM_LOCK = "package-lock.json"
GENERATED = {"gql", "__generated__", "vendgraph_client"}  # of the examples
UNTRACKED = frozenset({"node_modules", "dist", "build", "__pycache__", ".git", *GENERATED})


def prose(page: str) -> str:
    return re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)


# ---- links and files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", all_pages())
def test_links_lead_somewhere(page: str) -> None:
    for target in LINK.findall(prose(page)):
        if target.startswith(("https://", "http://")):
            continue
        path, _, wanted = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        assert found.exists(), target
        if wanted:
            there = found.resolve().relative_to(ROOT.resolve()).as_posix()
            assert wanted in map(anchor, headings(there)), target


@pytest.mark.parametrize("page", all_pages())
def test_files_that_are_named_exist(page: str) -> None:
    text = re.sub(r"https?://\S+|\S*<vendor>\S*", "", read(page))
    missing = [name for name in FILE.findall(text) if not (ROOT / name).exists()]
    assert missing == []


def test_every_page_is_found_from_the_readme() -> None:
    reached, pending = set[str](), ["README.md"]
    while pending:
        page = pending.pop()
        if page not in reached:
            reached.add(page)
            local = [link.partition("#")[0] for link in LINK.findall(prose(page)) if "://" not in link]
            found = [((ROOT / page).parent / link).resolve() for link in local if link.endswith(".md")]
            pending += [path.relative_to(ROOT.resolve()).as_posix() for path in found]
    assert reached == set(all_pages())


def all_files() -> Iterator[Path]:
    pending = [ROOT]
    while pending:
        for path in pending.pop().iterdir():
            if path.name in UNTRACKED:
                continue
            if path.is_dir() and (path.name == ".ci" or not path.name.startswith(".")):
                pending.append(path)
            elif path.is_file():
                yield path


def all_texts() -> Iterator[tuple[Path, str]]:
    for path in all_files():
        try:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_file_tells_of_a_folder_of_this_machine() -> None:
    assert [f"{path}: {found[0]}" for path, text in all_texts() for found in FOLDER.finditer(text)] == []


def test_addresses_are_made_up_or_of_vendors_or_of_known_pages() -> None:
    """So that none is where packages come from."""
    told = []
    for path, text in all_texts():
        if path.name == NPM_LOCK:  # packages tell there who pays for them
            continue
        hosts = {found[1] for found in HOST.finditer(text)} - CITED
        told += [f"{path}: {host}" for host in hosts if not MADE_UP.fullmatch(host) and not VENDORS.fullmatch(host)]
    assert told == []


@pytest.mark.parametrize("name", sorted(str(path.relative_to(ROOT)) for path in all_files() if path.name == NPM_LOCK))
def test_a_lock_of_npm_holds_hashes_and_says_not_where_packages_come_from(name: str) -> None:
    locked = json.loads(read(name))["packages"]
    assert len(locked) > 1
    assert all("integrity" in one and "resolved" not in one for name, one in locked.items() if name)


@pytest.mark.parametrize(
    "name",
    ["requirements.lock", "requirements-dev.lock", "requirements-build.lock", "examples/python/requirements.lock"],
)
def test_a_lock_holds_versions_and_hashes_and_no_address(name: str) -> None:
    text = read(name)
    assert "--hash=sha256:" in text
    assert "://" not in text


# ---- the configuration --------------------------------------------------------------------------------------------


def plain(annotation: Any) -> Any:
    """The type behind an Optional."""
    if get_origin(annotation) in (Union, UnionType):
        return next(one for one in get_args(annotation) if one is not type(None))
    return annotation


def tables(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """The tables of the configuration by their heads, such as "[[accounts]]", and what they hold."""
    for name, field in model.model_fields.items():
        kind = plain(field.annotation)
        several = get_origin(kind) is list
        inner = get_args(kind)[0] if several else kind
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            full = f"{prefix}{name}"
            yield (f"[[{full}]]" if several else f"[{full}]"), inner
            yield from tables(inner, f"{full}.")


TABLES = {head: model for head, model in tables(Settings) if head != "[auth]"}  # which only holds a table


def documented(head: str) -> dict[str, list[str]]:
    """The rows of a table's section by the key that they tell of."""
    return {row[0].strip("`"): row for row in rows(section(OPERATING, f"`{head}`"))}


def bounds(field: FieldInfo) -> str | None:
    """A number's bounds, in the words of the page."""
    least = next((one.ge for one in field.metadata if isinstance(one, annotated_types.Ge)), None)
    above = next((one.gt for one in field.metadata if isinstance(one, annotated_types.Gt)), None)
    most = next((one.le for one in field.metadata if isinstance(one, annotated_types.Le)), None)
    begin = f"more than {above}" if above is not None else f"{least}"
    if least is None and above is None:
        return None
    if most is None:
        return begin if above is not None else f"{begin} or more"
    return f"{begin}, to {most}" if above is not None else f"{begin} to {most}"


def words(annotation: Any) -> list[str]:
    """What a key with a choice of words takes."""
    kind = plain(annotation)
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return [one.value for one in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []


@pytest.mark.parametrize("head", TABLES)
def test_every_key_of_the_configuration_is_told_and_every_key_told_exists(head: str) -> None:
    assert documented(head).keys() == TABLES[head].model_fields.keys()


@pytest.mark.parametrize("head", TABLES)
def test_defaults_and_bounds_are_told_as_they_are(head: str) -> None:
    told = documented(head)
    for key, field in TABLES[head].model_fields.items():
        *_, default, bounded = told[key]
        if isinstance(field.default, str | int | float):
            assert f"`{json.dumps(field.default)}`" == default, key
        expected = bounds(field)
        assert expected is None or expected == bounded, key
        assert {f'`"{word}"`' for word in words(field.annotation)} <= set(bounded.split(", ")), key


def accepted(folder: Path, vendor: Vendor, credentials: set[str], webhook: AbstractSet[str] = frozenset()) -> bool:
    """Whether an account of a vendor may have exactly these."""
    lines = ["[[accounts]]", 'key = "one"', 'organization = "acme"', f'vendor = "{vendor.value}"']
    lines += [
        'base_url = "https://vendor.example"',
        "[accounts.credentials]",
        *(f'{name} = "x"' for name in credentials),
    ]
    lines += ["[accounts.webhook]", *(f'{name} = "{WEBHOOK_PUBLIC_KEY}"' for name in webhook)]
    path = folder / "vendgraph.toml"
    path.write_text(TENANT + "\n".join(lines), encoding="utf-8")
    try:
        load(path, {})
    except SettingsError:
        return False
    return True


@pytest.mark.parametrize("vendor", Vendor, ids=lambda vendor: vendor.value)
def test_a_vendors_credentials_are_those_that_are_told(vendor: Vendor, tmp_path: Path) -> None:
    told = rows(section(OPERATING, "`[accounts.credentials]`"))
    everything = {name for row in told for cell in row for name in spans(cell)}
    _, credentials, webhook = next(row for row in told if row[0].casefold() == vendor.value)
    for alternative in credentials.split(", or "):
        names = set(spans(alternative))
        optional = set(spans(alternative.partition(", and ")[2])) if "where wanted" in alternative else set()
        assert accepted(tmp_path, vendor, names, set(spans(webhook)))
        assert accepted(tmp_path, vendor, names - optional)
        assert not any(accepted(tmp_path, vendor, names - {name}) for name in names - optional)
        assert not any(accepted(tmp_path, vendor, names | {other}) for other in everything - names)
        assert not any(accepted(tmp_path, vendor, names, {other}) for other in everything - set(spans(webhook)))


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
async def test_configurations_in_the_pages_are_accepted(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "vendgraph.toml"
    path.write_text(block.text if "[[organizations]]" in block.text else TENANT + block.text, encoding="utf-8")
    settings = load(path, dict.fromkeys(re.findall(r"\$\{(\w+)\}", block.text), "made-up"))
    async with new_client() as client:
        found = connected(settings, client)
    assert found.keys() == {account.key for account in settings.accounts}


# ---- the vendors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", Vendor, ids=lambda vendor: vendor.value)
def test_the_operations_in_a_vendors_page_are_the_connectors(vendor: Vendor) -> None:
    text = vendor_pages.page(vendor).read_text(encoding="utf-8")
    (written,) = vendor_pages.TABLE.findall(text)
    assert written == vendor_pages.table(vendor), "run `make docs`"


@pytest.mark.parametrize("vendor", Vendor, ids=lambda vendor: vendor.value)
def test_a_vendors_page_tells_what_the_others_tell(vendor: Vendor) -> None:
    told = [name for name in headings(f"docs/vendors/{vendor.value}.md")[1:] if name != "What was taken"]
    acts = not all(one.reads for one in vendor_pages.operations(vendor).values())
    assert told == [
        "In the graph",
        "Operations",
        "Login",
        "Paging",
        "Limits",
        "Webhooks",
        *(["Commands"] if acts else []),
        "Traps, and what is done about them",
        "Overriding a path",
    ]


def told_types(vendor: Vendor) -> dict[str, str]:
    """The types of webhooks that a vendor's page has, with what follows first of each."""
    return {spans(row[0])[0]: row[1] for row in rows(section(f"docs/vendors/{vendor.value}.md", "Webhooks"))}


def test_every_type_of_webhook_that_is_known_is_told() -> None:
    assert told_types(Vendor.SMARTEPI).keys() == {smartepi.TEST, *smartepi.CREATED, *smartepi.MESSAGES}
    fridges = told_types(Vendor.EATMACHINE)
    assert fridges.keys() == {*eatmachine.ROUTINE, *fridge_events.MESSAGES, *fridge_events.WORDED}
    assert {type_ for type_, event in fridges.items() if event == "—"} == eatmachine.ROUTINE
    for type_, message in fridge_events.MESSAGES.items():
        assert fridges[type_] == message


def test_what_becomes_of_a_fridges_commands_is_told() -> None:
    """By which words, of reports or of the status that they give to a command."""
    told = rows(section("docs/vendors/eatmachine.md", "Commands"))
    assert {act: spans(slug) for act, slug, _, _ in told} == {
        kind.value: [slug] for kind, slug in fridge_orders.SLUGS.items()
    }
    for act, _, under_way, done in told:
        kind = Capability(act)
        found = {**fridge_orders.STEPS[kind], **fridge_orders.STATUSES[kind]}
        assert spans(under_way) == [w for w, one in found.items() if one.status is CommandStatus.ACKNOWLEDGED]
        assert spans(done) == [w for w, one in found.items() if one.status is CommandStatus.SUCCEEDED]


ROLES = ("base", "reading", "reporting", "acting", "backoffice", "analytics")


def test_every_role_of_a_connector_is_told() -> None:
    modules = (read(f"connectors/{name}.py") for name in ROLES)
    roles = set(re.findall(r"^class (\w+)\(Protocol\)", "".join(modules), flags=re.MULTILINE)) - {
        "Connector",
        "Analytics",
    }
    told = [row[0] for row in rows(section("docs/adding-a-vendor.md", "3. The connector"))]
    assert roles <= {name for cell in told for name in spans(cell)}


# ---- queries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("graphql"), ids=str)
def test_queries_in_the_pages_fit_the_graph(block: Block) -> None:
    assert validate(build()._schema, parse(block.text)) == []


@pytest.mark.parametrize("block", blocks("js"), ids=str)
def test_queries_in_programs_fit_the_graph(block: Block) -> None:
    queries = re.findall(r"query = `([^`]*)`", block.text)
    assert queries
    assert [validate(build()._schema, parse(query)) for query in queries] == [[]] * len(queries)


def resembles(shown: Any, real: Any) -> bool:
    """Whether an answer that is shown, and may leave out items of lists, has the form of the real one.

    What a vendor does not tell is null, whoever's record happens to be the newest."""
    if real is None:
        return True
    if isinstance(shown, dict):
        return (
            isinstance(real, dict) and shown.keys() == real.keys() and all(resembles(shown[k], real[k]) for k in shown)
        )
    if isinstance(shown, list):
        return isinstance(real, list) and all(any(resembles(one, other) for other in real) for one in shown)
    return type(shown) is type(real)


def test_the_readmes_first_query_is_answered_as_it_says(tmp_path: Path) -> None:
    query, answer, *_ = (block.text for block in blocks_of("README.md") if block.language in ("graphql", "json"))
    with running_sandbox(scale=1, days=90) as fleet, running_gateway(fleet, tmp_path) as demo:
        real = demo.ask(query)
    shown = json.loads(answer)["data"]
    assert resembles(shown, real), json.dumps(real, indent=2)[:2000]
    assert shown["machines"]["totalCount"] == real["machines"]["totalCount"]


# ---- commands -----------------------------------------------------------------------------------------------------


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {VENDGRAPH}", *arguments],
        check=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_commands_print_what_the_pages_show(block: Block, sandbox: Sandbox, tmp_path: Path) -> None:
    """A shown line may leave out parts of itself, with `…`, but no line may be shown that is not printed."""
    served = config_text(sandbox, tmp_path).replace("[server]", '[server]\npublic_url = "https://graph.example.com"')
    (tmp_path / "vendgraph.toml").write_text(served, encoding="utf-8")
    for part in block.text.split("$ ")[1:]:
        command, *shown = part.splitlines()
        program, *arguments = command.split()
        assert program == "vendgraph"
        printed = run(tmp_path, *arguments).splitlines()
        for line in shown:
            pattern = ".*".join(map(re.escape, line.split("…")))
            assert any(re.fullmatch(pattern, other) for other in printed), line


def options() -> Mapping[str, set[str]]:
    """Every command of the console script, such as "keys create", with its options."""
    from typer.main import get_command  # noqa: PLC0415

    found: dict[str, set[str]] = {}
    pending: list[tuple[str, Any]] = [("", get_command(commands_of_vendgraph))]
    while pending:
        name, command = pending.pop()
        inner = getattr(command, "commands", {})
        if not inner:
            found[name] = {option for parameter in command.params for option in parameter.opts}
        pending += [(f"{name} {one}".strip(), other) for one, other in inner.items()]
    return found


@pytest.mark.parametrize("block", blocks("sh", "console"), ids=str)
def test_commands_in_the_pages_exist(block: Block) -> None:
    known = options()
    targets = set(re.findall(r"^(\w+):", read("Makefile"), flags=re.MULTILINE))
    for line in commands(block):
        program, *arguments = [word for word in line if word != "$"]
        if program == "make":
            assert set(arguments) <= targets
        if program == "vendgraph":
            name = next(name for name in known if arguments[: len(name.split())] == name.split())
            assert {word for word in arguments if word.startswith("--")} <= known[name]


def test_the_table_of_commands_is_whole() -> None:
    told = " ".join(row[0] for row in rows(section(OPERATING, "Commands")))
    assert {name.split()[0] for name in options()} == set(re.findall(r"vendgraph ([\w-]+)", told))


def requested(arguments: list[str]) -> httpx2.Request:
    """A curl command as the request that it sends."""
    method, headers, body, url = "GET", {}, None, ""
    words = iter(arguments)
    for word in words:
        if word == "-N":
            continue
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
            method = "POST" if method == "GET" else method
        else:
            url = word
    return httpx2.Request(method, url, headers=headers, content=body)


def first_event(client: httpx2.Client, request: httpx2.Request) -> str:
    """The first line of a stream that goes on: what is wrong would come before the first sign of life."""
    answer = client.send(request, stream=True)
    try:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return next(answer.iter_lines())
    finally:
        answer.close()


@pytest.mark.parametrize("block", [one for one in blocks("sh") if "curl" in one.text], ids=str)
def test_requests_in_the_pages_are_answered(block: Block, sandbox: Sandbox, gateway: Gateway) -> None:
    with httpx2.Client() as client:
        for program, *arguments in commands(block):
            assert program == "curl"
            replaced = [
                word.replace("http://127.0.0.1:9000", sandbox.base)
                .replace("http://127.0.0.1:8000", gateway.base)
                .replace("$KEY", gateway.key)
                for word in arguments
            ]
            request = requested(replaced)
            if request.headers.get("accept") == "text/event-stream":
                assert first_event(client, request) == ":"
                continue
            answer = client.send(request)
            assert answer.status_code in (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT), answer.text
            if answer.headers.get("content-type", "").startswith("application/json"):
                assert "errors" not in answer.json(), answer.text
            else:
                assert answer.status_code == HTTPStatus.NO_CONTENT or "/exports/" in request.url.path


# ---- lists of words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "heading", "expected"),
    [
        (OPERATING, "When an account is not OK", [one.value for one in AccountStatus]),
        (OPERATING, "API keys", [one.value for one in Role]),
        (CLIENTS, "Errors", [one.value for one in ErrorCode]),
        (CLIENTS, "Why a field is null", [one.value for one in UnavailableReason]),
        (CLIENTS, "How it became known", [*(one.value for one in Origin), *(one.value for one in Trust)]),
        (CLIENTS, "Who is missing", [one.value for one in SourceState]),
        (SANDBOX, "Webhooks", list(Webhooks.model_fields)),
        (SANDBOX, "Faults", [*KINDS, *(Fault.__dataclass_fields__.keys() - {"vendor", "kind"})]),
    ],
)
def test_a_table_of_words_has_each_of_them(page: str, heading: str, expected: list[str]) -> None:
    assert sorted(row[0].strip("`") for row in rows(section(page, heading))) == sorted(expected)


def test_every_answer_to_a_delivery_is_told() -> None:
    told = {row[0] for row in rows(section(OPERATING, "Webhooks"))}
    assert told == set(re.findall(r"_answer\((\d+)", read("gateway/webhooks.py")))


def test_what_can_be_followed_is_told() -> None:
    there = build()._schema.subscription_type
    assert there is not None
    assert {row[0].strip("`") for row in rows(section(CLIENTS, "Following"))} == there.fields.keys()


def test_the_codes_that_sockets_are_closed_with_are_told() -> None:
    told = {row[0].strip("`") for row in rows(section(CLIENTS, "Over a WebSocket"))}
    assert told == set(re.findall(r"\b(?:101[23]|44\d\d)\b", read("gateway/websocket.py")))


def test_the_metrics_that_are_told_are_those_that_are_there(gateway: Gateway) -> None:
    gateway.ask("{ machines(first: 1) { nodes { id } } }")
    shown = httpx2.get(f"{gateway.base}/metrics").text
    told = {row[0].strip("`") for row in rows(section(OPERATING, "Health and metrics")) if "vendgraph_" in row[0]}
    assert told == set(re.findall(r"^(vendgraph_\w+)[{ ]", shown, flags=re.MULTILINE))


def test_the_labels_of_metrics_are_told(gateway: Gateway) -> None:
    gateway.ask("{ machines(first: 1) { nodes { id } } }")
    shown = httpx2.get(f"{gateway.base}/metrics").text
    for name, labels, _ in (row for row in rows(section(OPERATING, "Health and metrics")) if "vendgraph_" in row[0]):
        there = re.findall(rf"^{name.strip('`')}\{{(.*)\}}", shown, flags=re.MULTILINE)
        assert set(spans(labels)) == set(re.findall(r'(\w+)="', there[0] if there else ""))


def test_the_kinds_of_events_are_told(sandbox: Sandbox) -> None:
    told = {row[0].lower(): re.findall(r"`([\w.-]+)`", row[1]) for row in rows(section(SANDBOX, "Events"))}
    kinds = {name: sorted(vendor.event_kinds) for name, vendor in sandbox.vendors.items()}
    assert {name: sorted(words) for name, words in told.items()} == kinds


def test_the_switches_of_the_sandbox_are_told(sandbox: Sandbox) -> None:
    told = {row[0].strip("`") for row in rows(section(SANDBOX, "Switches"))}
    there = {
        f"{method} {route.path}"
        for route in sandbox.app.routes
        if route.path.startswith("/_sandbox/")
        for method in route.methods - {"HEAD"}
    }
    assert told == there


# ---- decisions ----------------------------------------------------------------------------------------------------


def decisions() -> list[str]:
    return [page for page in all_pages() if re.fullmatch(r"docs/decisions/\d{4}-[a-z0-9-]+\.md", page)]


def test_the_decisions_are_numbered_without_a_hole() -> None:
    assert [int(Path(page).name[:4]) for page in decisions()] == list(range(1, len(decisions()) + 1))


@pytest.mark.parametrize("page", decisions())
def test_a_decision_tells_what_else_could_have_been(page: str) -> None:
    text = read(page)
    places = [text.index(f"**{part}.**") for part in ("Context", "Decision", "Alternatives", "Consequences")]
    assert places == sorted(places)
    (title,) = headings(page)
    number, _, name = title.partition(". ")
    assert int(number) == int(Path(page).name[:4])
    assert f"[{Path(page).name[:4]}]({Path(page).name}) | {name} |" in read("docs/decisions/README.md")
