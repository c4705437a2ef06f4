"""Limits on commands, as they stand in several places of the configuration."""

from decimal import Decimal

from pydantic import Field

from gateway.fields import Section


class QuotaSettings(Section):
    """Of commands that move money, and of all of them. Amounts are in the account's currency; None sets no limit."""

    amount_per_command: Decimal | None = Field(default=None, gt=0)
    amount_per_day: Decimal | None = Field(default=None, gt=0)
    commands_per_hour: int | None = Field(default=None, ge=1)
