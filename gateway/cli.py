"""The console script `vendgraph`."""

import asyncio
import logging
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import structlog
import typer
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from connectors.http import new_client
from connectors.reaching import leads_inside
from connectors.registry import CONNECT
from connectors.reporting import SendsWebhooks
from domain.errors import BadInput
from domain.model import Role
from domain.times import utc_now
from gateway import demo as demonstration
from gateway import logs, server
from gateway.app import bus, connected, create_app
from gateway.check import addresses, sign_in
from gateway.meanings import meanings
from gateway.persisted import DocumentsError
from gateway.replay import replay as replay_all
from gateway.settings import PRIVATE, Settings, SettingsError, load
from gateway.tracing import TracingError
from journal import audit, keys
from journal.journal import Journal
from journal.store import StoreError, open_store
from journal.writer import JournalUnavailable
from schema import root

log = structlog.get_logger()

app = typer.Typer(
    name="vendgraph",
    help="One GraphQL graph over the APIs of vending and unattended-retail vendors.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys_app = typer.Typer(help="API keys in the store.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
audit_app = typer.Typer(help="The audit log of commands.", no_args_is_help=True)
app.add_typer(audit_app, name="audit")


def _moment(text: str) -> datetime:
    """In UTC where it does not tell."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("such as 2026-01-31T12:00:00Z is expected") from None
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


Config = Annotated[Path, typer.Option("--config", help="The configuration file, in TOML.")]
EXPIRES = typer.Option(
    "--expires", parser=_moment, metavar="TIME", help="When it ends: ISO 8601, in UTC. Never, where it is left out."
)


def _refuse(reason: object) -> NoReturn:
    typer.echo(str(reason), err=True)
    raise typer.Exit(1)


def _load(path: Path) -> Settings:
    try:
        return load(path)
    except SettingsError as error:
        _refuse(error)


@app.command()
def serve(config: Config) -> None:
    """Runs the gateway."""
    settings = _load(config)
    logs.configure()
    host, port = settings.server.host, settings.server.port
    try:
        listening = server.listen(host, port)
    except OSError as error:
        _refuse(f"{config}: server: cannot listen on {host}, port {port}: {error.strerror}")
    try:
        application = create_app(settings)
    except StoreError as error:
        _refuse(f"{config}: store.url: {error}")
    except DocumentsError as error:
        _refuse(f"{config}: documents.directory: {error}")
    except TracingError as error:
        _refuse(f"{config}: tracing.enabled: {error}")
    log.info("serving", address=server.address(listening), accounts=[account.key for account in settings.accounts])
    server.run(application, listening)
    log.info("stopped")


@app.command()
def check(config: Config) -> None:
    """Validates the configuration, looks its addresses up and signs in at every account: one line an account, and one
    for each other address that is wrong."""
    settings = _load(config)
    logs.configure(logging.ERROR)
    wrong = asyncio.run(addresses(settings))
    for place, reason in wrong.items():
        typer.echo(f"{place}: {reason}")
    failures = asyncio.run(sign_in(settings))
    for account, failure in failures.items():
        typer.echo(f"{account}: {failure or 'ok'}")
    if wrong or any(failures.values()):
        raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Prints the graph's SDL."""
    typer.echo(root.build().as_str())


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="Where it listens; 0 takes a free one.", min=0, max=65_535)] = 9000,
    config_out: Annotated[Path | None, typer.Option(help="Writes a gateway configuration that points at it.")] = None,
    webhooks_to: Annotated[
        str | None, typer.Option(help="A gateway's public address, which is told of what happens by webhook.")
    ] = None,
    lively: Annotated[bool, typer.Option("--lively", help="Something happens every few seconds, by itself.")] = False,
) -> None:
    """Runs emulators of the five vendors, for development without hardware."""
    try:
        demonstration.run_sandbox(port, config_out, webhooks_to, lively=lively)
    except demonstration.CannotRun as error:
        _refuse(error)


@app.command()
def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Runs the queries, prints what came, and ends with 0 or 1.")
    ] = False,
) -> None:
    """Starts the sandbox and a gateway over it, and prints where, with a key, a first query, and sales as they come."""
    raise typer.Exit(demonstration.run(check=check))


@keys_app.command("create")
def create_key(
    config: Config,
    name: Annotated[str, typer.Option(help="What the key is for.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    organization: Annotated[
        list[str] | None, typer.Option(help="What it may see; again for more; all where it is left out.")
    ] = None,
    expires: Annotated[datetime | None, EXPIRES] = None,
    introspection: Annotated[
        bool, typer.Option("--introspection", help="It may ask for the schema, also in production.")
    ] = False,
) -> None:
    """Makes a key and shows it, this once."""
    settings = _load(config)
    known = {one.key for one in settings.organizations}
    if unknown := set(organization or ()) - known - {"*"}:
        _refuse(f"there is no organization {', '.join(sorted(unknown))}: there are {', '.join(sorted(known))}")
    text, key = keys.create(
        _store(settings),
        name=name,
        role=role,
        organizations=organization or ["*"],
        expires_at=expires,
        introspection=introspection,
    )
    _show(text, key)


def _show(text: str, key: keys.ApiKey) -> None:
    typer.echo(text)
    typer.echo(f"This is key {key.id}, shown only now: what is kept of it cannot be turned back.", err=True)


@keys_app.command("rotate")
def rotate_key(
    config: Config,
    key_id: Annotated[str, typer.Argument(help="As `keys list` shows it.")],
    hours: Annotated[float, typer.Option(help="How long the old one stays good.", min=0, max=8_784)] = 24,
    expires: Annotated[datetime | None, EXPIRES] = None,
) -> None:
    """Makes a key in the place of another, and shows it, this once. For a while both are good."""
    made = keys.rotate(_store(_load(config)), key_id, utc_now() + timedelta(hours=hours), expires)
    if made is None:
        _refuse(f"there is no good key {key_id}")
    _show(*made)


@keys_app.command("list")
def list_keys(config: Config) -> None:
    """The keys of the store, without the keys themselves."""
    for key in keys.all_keys(_store(_load(config))):
        state = _state(key)
        typer.echo(f"{key.id}  {key.name}  {key.role.value}  {','.join(key.organizations)}  {key.created_at}  {state}")


def _state(key: keys.ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at}"
    if key.expires_at is None:
        return "good"
    return f"good until {key.expires_at.isoformat()}" if key.good else f"expired {key.expires_at.isoformat()}"


@keys_app.command("revoke")
def revoke_key(config: Config, key_id: Annotated[str, typer.Argument(help="As `keys list` shows it.")]) -> None:
    """Ends a key. Running gateways notice within ten seconds."""
    if not keys.revoke(_store(_load(config)), key_id):
        _refuse(f"there is no good key {key_id}")
    typer.echo(f"{key_id} is revoked")


def _store(settings: Settings) -> Engine:
    try:
        return open_store(settings.store.url.get_secret_value())
    except StoreError as error:
        _refuse(f"store.url: {error}")


@app.command("webhook-url")
def webhook_url(
    config: Config,
    account: Annotated[str, typer.Argument(help="Its key in the configuration.")],
    machine: Annotated[str | None, typer.Argument(help="The vendor's id of it: where each has an address.")] = None,
) -> None:
    """Prints the address to enter at the vendor. Whoever knows that of a fridge can report in its name."""
    settings = _load(config)
    found = next((one for one in settings.accounts if one.key == account), None)
    if found is None:
        _refuse(f"{config}: there is no account {account}: there are {', '.join(one.key for one in settings.accounts)}")
    if settings.server.public_url is None:
        _refuse(f"{config}: server.public_url is missing: it is how vendors reach this gateway")
    if asyncio.run(leads_inside(settings.server.public_url, settings.server.reach)):
        _refuse(f"{config}: server.public_url: {PRIVATE}")
    connector = CONNECT[found.vendor](found.account(), new_client())
    if not isinstance(connector, SendsWebhooks):
        _refuse(f"{config}: {found.vendor.value} sends no webhooks")
    try:
        typer.echo(f"{settings.server.public_url}/webhooks/{account}{connector.address(machine)}")
    except BadInput as error:
        _refuse(f"{config}: {error.message}")


@app.command()
def replay(
    config: Config,
    since: Annotated[
        datetime,
        typer.Option(
            "--from", parser=_moment, metavar="TIME", help="When it was received, or later: ISO 8601, in UTC."
        ),
    ],
) -> None:
    """Reads once more the genuine deliveries that could not be read: one line each."""
    settings = _load(config)
    logs.configure(logging.ERROR)
    connectors = connected(settings, new_client())
    journal = Journal(_store(settings), bus(settings), meanings(connectors))
    try:
        found = asyncio.run(replay_all(journal, connectors, since))
    except (JournalUnavailable, SQLAlchemyError) as error:
        _refuse(f"{config}: store.url: the store failed: {type(error).__name__}")
    for one in found:
        typer.echo(f"{one.account}  {one.received_at.isoformat()}  {one.reason or 'read'}")
    if any(one.reason for one in found):
        raise typer.Exit(1)


@audit_app.command("verify")
def verify_audit(config: Config) -> None:
    """Checks that no record was changed, taken out or moved. Keep the last hash elsewhere to notice a rewritten log."""
    try:
        verdict = audit.verify(_store(_load(config)))
    except SQLAlchemyError as error:
        _refuse(f"{config}: store.url: the store failed: {type(error).__name__}")
    if verdict.broken is not None:
        _refuse(f"record {verdict.broken} is not as it was; {verdict.rows} before it are")
    typer.echo(f"{verdict.rows} records are as they were; the last hash is {verdict.last}")


def main() -> None:
    sys.exit(app())
