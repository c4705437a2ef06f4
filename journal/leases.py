"""Leases: one process at a time does what only one should, and another takes over when it dies.

Clocks of processes that share a store may differ by a few seconds; leases are long against that. A process that was
stopped for longer than its lease finds out late: what is done under one must do no harm when two do it."""

import time

from sqlalchemy import Engine, delete, or_

from journal.appending import INSERTS
from journal.store import writing
from journal.tables import leases


def acquire(engine: Engine, name: str, owner: str, seconds: float, now: float | None = None) -> bool:
    """Takes or renews the lease; False while another holds it. `now`: UNIX seconds."""
    now = time.time() if now is None else now
    row = {"name": name, "owner": owner, "until": now + seconds}
    insert = INSERTS[engine.dialect.name](leases).values(row)
    free = or_(leases.c.owner == owner, leases.c.until < now)
    taking = insert.on_conflict_do_update(
        index_elements=["name"], set_={"owner": owner, "until": now + seconds}, where=free
    ).returning(leases.c.owner)
    with writing(engine) as connection:
        return connection.execute(taking).first() is not None


def release(engine: Engine, name: str, owner: str) -> None:
    with writing(engine) as connection:
        connection.execute(delete(leases).where(leases.c.name == name, leases.c.owner == owner))
