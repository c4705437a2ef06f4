"""The ledger: every command from the intent on, before anything is sent, to its end.

All of it happens on the journal's one writer, in a transaction that holds the journal's head, so that changes of a
command come one after the other over all processes, and each is an entry of the journal that subscribers are told of.

Whoever sends a command has claimed it before, for a while. The claim is a number that only grows: one who was stopped
for so long that another took over finds a newer number, and does not send."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from domain.capabilities import Capability
from domain.commands import Command, CommandStatus, Progress, advanced, contradicts
from domain.errors import Conflict, ErrorCode
from domain.facts import CommandWord, Fact, FactKind, Origin
from domain.model import Vendor
from domain.people_orders import PERSONAL
from domain.refs import Kind, Ref
from journal import audit, codec, evidence, intents
from journal.audit import BY_ITSELF, Actor, Deed
from journal.contradictions import DOUBTED, contradiction
from journal.evidence import Fits
from journal.intents import Intent, Kept, kept
from journal.log import Appending, New, known_facts, moment, told_since
from journal.tables import commands

Meaning = Callable[[str, Capability, CommandWord], Progress | None]

# What was ordered is forgotten when it has come to an end: secrets, what is personal, and what is large.
WITH_SECRETS = frozenset({Capability.UPDATE_CONFIG, *PERSONAL})
WITH_PICTURES = frozenset({Capability.CREATE_PRODUCT, Capability.UPDATE_PRODUCT})
CLOCKS = timedelta(minutes=1)  # by which those of gateways may differ
TOLD = frozenset({CommandStatus.SUCCEEDED, CommandStatus.FAILED, CommandStatus.UNKNOWN})  # what the audit log tells


class Ledger:
    """Part of a group of the journal's writer. Whatever it raises undoes what it did, and nothing else."""

    def __init__(self, connection: Connection, log: Appending, meaning: Meaning) -> None:
        self.connection = connection
        self._log = log
        self._meaning = meaning

    def place(self, intent: Intent) -> tuple[Command, bool]:
        """The command, and whether it is new. Raises Conflict, Forbidden, or RateLimited."""
        known = self._by_key(intent.organization, intent.command.idempotency_key)
        if known is not None:
            return _same(known, intent.fingerprint), False
        self._refuse_repeat(intent)
        for quota in intent.quotas:
            quota.check(self.connection, intent.organization, intent.amount, intent.command.created_at)
        self._tell(intent.command, Origin.COMMAND)
        self.connection.execute(commands.insert().values(placed=self._log.seq, **intents.row(intent)))
        self._audit(intent.organization, intent.command, "command requested", intent.actor, intents.details(intent))
        return intent.command, True

    def refuse(self, deed: Deed, actor: Actor, at: datetime) -> None:
        """Keeps in mind what was asked for and not taken on."""
        audit.write(self.connection, deed, actor, at)

    def take_over(self, native: str, attempt: int, owner: str, until: float) -> Kept | None:
        """One that nobody has sent and nobody is at any more; None where another was faster."""
        waiting = (commands.c.id == native) & (commands.c.attempt == attempt)
        waiting &= commands.c.status == CommandStatus.PENDING.value
        changed = commands.update().where(waiting).values(owner=owner, attempt=attempt + 1, until=until)
        return self.find(native) if self.connection.execute(changed).rowcount else None

    def claim(self, native: str, attempt: int, until: float, at: datetime) -> Command | None:
        """Right before it is sent; None where it must not be."""
        found = self.find(native)
        if found is None or found.attempt != attempt or found.command.status is not CommandStatus.PENDING:
            return None
        self._set(native, sent_at=moment(at), until=until)
        return self._advance(found, Progress(status=CommandStatus.SENT), at, Origin.COMMAND)

    def hold(self, native: str, attempt: int, until: float) -> bool:
        """Goes on being at it."""
        mine = (commands.c.id == native) & (commands.c.attempt == attempt)
        mine &= commands.c.status.in_([CommandStatus.PENDING.value, CommandStatus.SENT.value])
        return self.connection.execute(commands.update().where(mine).values(until=until)).rowcount > 0

    def take(self, native: str, vendor_id: str, progress: Progress, due: float, at: datetime) -> Command:
        """The vendor took it and will tell more: what it told already, before its answer was here, counts now."""
        found = self._found(native)
        if found.command.status is CommandStatus.UNKNOWN:  # the answer came after all
            found = replace(found, command=replace(found.command, status=CommandStatus.SENT))
        self._set(native, vendor_id=vendor_id, until=due)
        command = self._advance(found, progress, at, Origin.COMMAND) or found.command
        for word in self._told(command):
            if word.command == vendor_id:
                command = self.hear(found.account, word, at, Origin.WEBHOOK) or command
        return command

    def _told(self, command: Command) -> list[CommandWord]:
        """The words of its machine since it was asked for."""
        machine = command.machine_ref
        if machine is None:
            return []
        since = command.created_at - CLOCKS
        kept = told_since(self.connection, machine.account, FactKind.WORD, machine.native, since)
        waiting = (one.fact.content for _, one in self._log.news if one.account == machine.account)
        return [word for word in (*kept, *waiting) if isinstance(word, CommandWord)]

    def settle(
        self,
        native: str,
        progress: Progress,
        at: datetime,
        *,
        attempt: int | None = None,
        origin: Origin = Origin.COMMAND,
        actor: Actor = BY_ITSELF,
        reason: str | None = None,
    ) -> Command:
        """What is known of it by now. `attempt`: of whoever sent it, where that is the one who tells. `reason`: a
        person's, who resolves it. Raises Conflict where that is not theirs to do, as it is not UNKNOWN."""
        found = self._found(native)
        if attempt is not None and found.attempt != attempt:
            return found.command
        if reason is not None and found.command.status is not CommandStatus.UNKNOWN:
            raise Conflict(f"this command is {found.command.status.value}: only one that is UNKNOWN can be resolved")
        return self._advance(found, progress, at, origin, actor, reason) or found.command

    def give_up(self, seen: Kept, progress: Progress, at: datetime) -> Command:
        """As long as nobody was at it since it was seen: it may have been sent by now, or have come further."""
        found = self._found(seen.command.ref.native)
        if (found.command.status, found.attempt, found.until) != (seen.command.status, seen.attempt, seen.until):
            return found.command
        return self._advance(found, progress, at, Origin.GATEWAY) or found.command

    def prove(self, native: str, fits: Fits, at: datetime) -> Command | None:
        """By the one sale that fits it, and no other command; None where there is none such, or several."""
        found = self._found(native)
        if found.command.status is not CommandStatus.UNKNOWN:
            return None
        sale = self._shown_by(found, fits)
        if sale is None:
            return None
        progress = Progress(status=CommandStatus.SUCCEEDED, note="a sale shows it", evidence=sale)
        return self._advance(found, progress, at, Origin.DERIVED)

    def doubt(self, native: str, fits: Fits, at: datetime) -> None:
        """Where such a sale shows that what a person told to have failed was carried out, that is an event."""
        found = self._found(native)
        sale = self._shown_by(found, fits) if found.command.status is CommandStatus.FAILED else None
        if sale is not None:
            shown = Progress(status=CommandStatus.SUCCEEDED, note=f"sale {sale.text} shows it", evidence=sale)
            self._contradict(found.command, shown, at)
            self._set(native, until=None)

    def _shown_by(self, found: Kept, fits: Fits) -> Ref | None:
        fitting = evidence.candidates(self.connection, found, fits)
        if len(fitting) != 1 or evidence.rivals(self.connection, found, fitting[0].sale, fits):
            return None
        return fitting[0].sale.ref

    def hear(self, account: str, word: CommandWord, at: datetime, origin: Origin) -> Command | None:
        """A vendor's word on a command of ours; None where it is of another's, or of several, or says nothing new."""
        mine = (commands.c.account == account) & (commands.c.vendor_id == word.command)
        mine &= commands.c.machine == word.machine  # one machine does not speak for another
        rows = self.connection.execute(select(commands).where(mine).limit(2)).all()
        found = kept(rows[0]) if len(rows) == 1 else None
        progress = None if found is None else self._meaning(account, found.command.kind, word)
        if found is None or progress is None:
            return None
        if progress.status is CommandStatus.SUCCEEDED:
            progress = replace(progress, evidence=self._sale(account, word.command))
        if progress.status is CommandStatus.FAILED and progress.error is None:
            why = progress.note or "the machine told that it failed"
            progress = replace(progress, error=why, code=ErrorCode.VENDOR_REJECTED)
        return self._advance(found, progress, at, origin)

    def find(self, native: str) -> Kept | None:
        row = self.connection.execute(select(commands).where(commands.c.id == native)).one_or_none()
        return None if row is None else kept(row)

    def _found(self, native: str) -> Kept:
        found = self.find(native)
        assert found is not None, "commands are never removed"
        return found

    def _by_key(self, organization: str, key: str) -> Any:
        same = (commands.c.organization == organization) & (commands.c.idempotency_key == key)
        return self.connection.execute(select(commands).where(same)).one_or_none()

    def _refuse_repeat(self, intent: Intent) -> None:
        """While it is not known what became of the first, a second one may be one too many, in whatever words."""
        account, ordered = intent.command.ref.account, codec.write_order(intent.order)
        open_ = (commands.c.organization == intent.organization) & (commands.c.status == CommandStatus.UNKNOWN.value)
        means = (commands.c.account == account) & (commands.c.ordered == ordered)
        same = open_ & ((commands.c.fingerprint == intent.fingerprint) | means)
        newest = select(commands.c.content).where(same).order_by(commands.c.created_at.desc(), commands.c.id).limit(1)
        content = self.connection.scalar(newest)
        command = None if content is None else codec.read_command(content)
        if command is not None and command.id != intent.acknowledged:
            raise Conflict(
                f"the same was asked with command {command.id}, and whether it was carried out is UNKNOWN: find out, "
                "and resolve it, or pass its id as `acknowledgeUnknown` to ask again all the same"
            )

    def _sale(self, account: str, opening: str) -> Ref | None:
        """The sale that was deduced from an opening of ours."""
        key = (account, FactKind.SALE.value, opening)
        there = key in self._log.known or bool(known_facts(self.connection, [key]))
        return Ref(Kind.SALE, account, opening) if there else None

    def _advance(
        self,
        found: Kept,
        progress: Progress,
        at: datetime,
        origin: Origin,
        actor: Actor = BY_ITSELF,
        reason: str | None = None,
    ) -> Command | None:
        if contradicts(found.command, progress):
            self._contradict(found.command, progress, at)
            return None
        command = advanced(found.command, progress, at)
        if command is None:
            return None
        values: dict[str, Any] = {"status": command.status.value, "content": codec.write_command(command)}
        if command.ended:
            doubtful = reason is not None and command.status is CommandStatus.FAILED
            values["until"] = (at + DOUBTED).timestamp() if doubtful else None
            values |= {"ordered": None} if command.kind in WITH_SECRETS | WITH_PICTURES else {}
            values |= {"sent_at": None} if progress.unsent else {}
        self._set(command.ref.native, **values)
        self._tell(command, origin)
        if command.status in TOLD and command.status is not found.command.status:
            action = "command settled" if reason is None else "command resolved"
            details = {
                "evidence": None if command.evidence_ref is None else command.evidence_ref.text,
                "reason": reason,
            }
            self._audit(found.organization, command, action, actor, details)
        return command

    def _contradict(self, command: Command, progress: Progress, at: datetime) -> None:
        fact = contradiction(command, self._vendor(command), progress, at)
        self._append(command.ref.account, fact, Origin.GATEWAY, at)

    def _vendor(self, command: Command) -> Vendor:
        vendor = select(commands.c.vendor).where(commands.c.id == command.ref.native)
        return Vendor(self.connection.execute(vendor).scalar_one())

    def _tell(self, command: Command, origin: Origin) -> None:
        """Every change is an entry of the journal."""
        fact = Fact(
            identity=f"{command.ref.native}/{len(command.history)}",
            machine=None if command.machine_ref is None else command.machine_ref.native,
            recorded_at=command.updated_at,
            occurred_at=command.updated_at,
            content=command,
        )
        self._append(command.ref.account, fact, origin, command.updated_at)

    def _append(self, account: str, fact: Fact, origin: Origin, at: datetime) -> None:
        new = New(account=account, fact=fact, origin=origin, received_at=at)
        if not known_facts(self.connection, [new.key]):
            self._log.add(new)

    def _audit(self, organization: str, command: Command, action: str, actor: Actor, details: dict[str, Any]) -> None:
        deed = Deed(
            organization=organization,
            action=action,
            outcome=command.status.value,
            command=command.id,
            machine=None if command.machine_ref is None else command.machine_ref.text,
            details={
                "kind": command.kind.value,
                **{name: value for name, value in details.items() if value is not None},
            },
        )
        audit.write(self.connection, deed, actor, command.updated_at)

    def _set(self, native: str, **values: Any) -> None:
        self.connection.execute(commands.update().where(commands.c.id == native).values(values))


def _same(row: Any, fingerprint: str) -> Command:
    command = codec.read_command(row.content)
    if row.fingerprint != fingerprint:
        raise Conflict(f"this idempotencyKey was used before, for something else: command {command.id}")
    return command
