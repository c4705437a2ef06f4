"""What a key or an organization may ask for: at once, in a day, in an hour. Counted in the ledger, with the command's
own transaction, so that none slips through beside another."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from domain.commands import CommandStatus
from domain.errors import Forbidden, RateLimited
from domain.money import Money, from_cents
from journal.log import moment
from journal.tables import commands

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """None sets no limit. Amounts are in each currency alike. `requested_by` is None for a whole organization's."""

    requested_by: str | None = None
    amount_per_command: Decimal | None = None
    amount_per_day: Decimal | None = None
    commands_per_hour: int | None = None

    @property
    def whose(self) -> str:
        return "this organization" if self.requested_by is None else "this key"

    def check(self, connection: Connection, organization: str, amount: Money | None, now: datetime) -> None:
        """Raises Forbidden for too large an amount, RateLimited for too many commands."""
        mine = commands.c.organization == organization
        if self.requested_by is not None:
            mine &= commands.c.requested_by == self.requested_by
        if amount is not None:
            self._check_amount(connection, mine, amount, now)
        if self.commands_per_hour is not None:
            asked = select(func.count()).where(mine, commands.c.created_at > moment(now - HOUR))
            if (connection.scalar(asked) or 0) >= self.commands_per_hour:
                raise RateLimited(f"{self.whose} may send {self.commands_per_hour} commands in an hour, and has")

    def _check_amount(self, connection: Connection, mine: ColumnElement[bool], amount: Money, now: datetime) -> None:
        if self.amount_per_command is not None and amount.amount > self.amount_per_command:
            raise Forbidden(f"{self.whose} may send {_shown(self.amount_per_command, amount)} at once, and no more")
        if self.amount_per_day is None:
            return
        sent = select(func.sum(commands.c.cents)).where(
            mine,
            commands.c.currency == amount.currency,
            commands.c.created_at > moment(now - DAY),
            commands.c.status != CommandStatus.FAILED.value,
        )
        spent = from_cents(int(connection.scalar(sent) or 0), amount.currency).amount
        if spent + amount.amount > self.amount_per_day:
            limit, left = (
                _shown(self.amount_per_day, amount),
                _shown(max(self.amount_per_day - spent, Decimal()), amount),
            )
            raise Forbidden(f"{self.whose} may send {limit} in 24 hours, and {left} are left")


def _shown(limit: Decimal, amount: Money) -> str:
    return f"{limit:f} {amount.currency}"


def columns(amount: Money | None) -> Mapping[str, Any]:
    """How the ledger keeps an amount: exact hundredths."""
    if amount is None:
        return {"cents": None, "currency": None}
    return {"cents": int(amount.amount.scaleb(2)), "currency": amount.currency}
