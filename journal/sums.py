"""Sales as numbers that a database can sum: each new entry's shares, written in the same transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, tuple_

from domain.facts import FactKind
from domain.periods import MICROSECOND
from domain.refs import Kind
from domain.revenue import Share, shares
from domain.sales import PaymentMethod, Sale, SaleKind
from domain.times import EPOCH
from journal import codec, days
from journal.tables import entries, names, sale_lines

FILLED_AT_ONCE = 1_000
ASKED_AT_ONCE = 300  # of three parameters each
LETTERS = 3  # of ISO 4217
LARGEST = 10**15  # a thousand millions, in millionths

# The numbers stand in stores: never change one, and never use one again.
KINDS = {SaleKind.PURCHASE: 1, SaleKind.WITHDRAWAL: 2, SaleKind.RETURN: 3, SaleKind.EXCHANGE: 4}
METHODS: Mapping[PaymentMethod | None, int] = {
    None: 0,
    PaymentMethod.CASH: 1,
    PaymentMethod.COIN: 2,
    PaymentMethod.BILL: 3,
    PaymentMethod.CARD: 4,
    PaymentMethod.ACCOUNT: 5,
    PaymentMethod.MEMBERCARD: 6,
    PaymentMethod.REMOTE_PAYMENT: 7,
    PaymentMethod.REMOTE_DEPOSIT: 8,
    PaymentMethod.OTHER: 9,
    PaymentMethod.UNKNOWN: 10,
}

Name = tuple[str, str, str]  # account, kind, and the vendor's id
Sold = tuple[int, str, Sale]  # the entry's number, the account, and what was sold


def number_of(currency: str | None) -> int:
    return 0 if currency is None else int.from_bytes(currency.encode()[:LETTERS], "big")


def currency_of(number: int) -> str | None:
    return number.to_bytes((number.bit_length() + 7) // 8, "big").decode() if number else None


def keep(connection: Connection, sold: Sequence[Sold]) -> None:
    """Within a transaction that holds the journal, so that no other gives names the same numbers."""
    rows = _insert(connection, sold)
    days.mark(connection, ((row["account"], row["at"]) for row in rows))


def _insert(connection: Connection, sold: Sequence[Sold]) -> list[dict[str, Any]]:
    told = [(seq, account, sale, found) for seq, account, sale in sold if (found := shares(sale)) and _fits(found)]
    if not told:
        return []
    ids = _numbered(connection, {name for _, account, sale, found in told for name in _names(account, sale, found)})
    rows = [
        _row(ids, seq, line, account, sale, share)
        for seq, account, sale, found in told
        for line, share in enumerate(found)
    ]
    connection.execute(sale_lines.insert(), rows)
    return rows


def fill(connection: Connection) -> None:
    """From the entries that there are. What cannot be read is left out, as it is everywhere. Days are not told of it:
    a migration that fills the lines is older than they are, or empties them."""
    wanted = select(entries.c.seq, entries.c.account, entries.c.content).where(entries.c.kind == FactKind.SALE.value)
    last = 0
    while True:
        some = wanted.where(entries.c.seq > last).order_by(entries.c.seq).limit(FILLED_AT_ONCE)
        rows = connection.execute(some).all()
        if not rows:
            return
        _insert(connection, [(row.seq, row.account, sale) for row in rows if (sale := legible(row.content))])
        last = rows[-1].seq


def _fits(found: Iterable[Share]) -> bool:
    """What no machine ever took is a fault of its report, and must not spoil the sums of others."""
    numbers = (one for share in found for one in (share.items, share.total, share.tax, share.discount))
    return all(abs(one) < LARGEST for one in numbers if one is not None)


def legible(content: bytes) -> Sale | None:
    try:
        found = codec.read(FactKind.SALE, content)
    except ValueError:
        return None
    return found if isinstance(found, Sale) else None


def known_names(connection: Connection, wanted: Iterable[Name]) -> dict[Name, int]:
    """Those that ever were numbered."""
    key = tuple_(names.c.account, names.c.kind, names.c.native)
    found: dict[Name, int] = {}
    asked = list(wanted)
    for at in range(0, len(asked), ASKED_AT_ONCE):
        some = select(names).where(key.in_(asked[at : at + ASKED_AT_ONCE]))
        found |= {(row.account, row.kind, row.native): row.id for row in connection.execute(some)}
    return found


def _names(account: str, sale: Sale, found: Iterable[Share]) -> list[Name]:
    products = [_of(account, Kind.PRODUCT, share.product) for share in found if share.product is not None]
    machine = sale.machine_ref
    machines = [] if machine is None else [_of(account, Kind.MACHINE, machine.native)]
    return [_of(account, Kind.ACCOUNT, ""), *machines, *products]


def _of(account: str, kind: Kind, native: str) -> Name:
    return account, kind.value, native


def _numbered(connection: Connection, wanted: set[Name]) -> Mapping[Name, int]:
    """Those without a number get the next ones."""
    found = known_names(connection, wanted)
    new = sorted(wanted - found.keys())
    if new:
        last = connection.scalar(select(func.max(names.c.id))) or 0
        given = dict(zip(new, range(last + 1, last + 1 + len(new)), strict=True))
        rows = [
            {"id": id_, "account": account, "kind": kind, "native": native}
            for (account, kind, native), id_ in given.items()
        ]
        connection.execute(names.insert(), rows)
        found |= given
    return found


def _row(ids: Mapping[Name, int], seq: int, line: int, account: str, sale: Sale, share: Share) -> dict[str, Any]:
    machine = sale.machine_ref
    return {
        "account": ids[_of(account, Kind.ACCOUNT, "")],
        "at": microseconds(sale.recorded_at),
        "seq": seq,
        "line": line,
        "machine": 0 if machine is None else ids[_of(account, Kind.MACHINE, machine.native)],
        "product": 0 if share.product is None else ids[_of(account, Kind.PRODUCT, share.product)],
        "kind": KINDS[sale.kind],
        "method": METHODS[share.method],
        "currency": number_of(share.currency),
        "sales": share.sales,
        "items": share.items,
        "total": share.total,
        "tax": share.tax,
        "discount": share.discount,
    }


def microseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - EPOCH) // MICROSECOND
