"""The tables. Times are UTC as ISO 8601 text, so that both databases order and keep them alike."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("organizations", String, nullable=False),  # keys of organizations, by commas; * is all
    Column("created_at", String, nullable=False),
    Column("revoked_at", String),
    Column("expires_at", String),
    Column("introspection", Boolean),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

head = Table(  # one row: whoever changes it holds the journal until they commit, so numbers come in order of commit
    "journal_head",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),  # the newest entry's
    Column("pruned", BigInteger, nullable=False),  # the newest that is gone
)

facts = Table(  # what was told, for ever: a repeat is known by it long after the entry is pruned
    "journal_facts",
    metadata,
    Column("account", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("identity", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

entries = Table(
    "journal_entries",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("machine", String),  # the vendor's id
    Column("machine_name", String),
    Column("recorded_at", String, nullable=False),
    Column("received_at", String, nullable=False),
    Column("origin", String, nullable=False),
    Column("changed", String),  # of a state: the graph's fields that it changed, by commas
    Column("content", LargeBinary, nullable=False),  # JSON, see journal.codec
    Column("raw", LargeBinary),  # the request's body, with the first fact that it told
    Index("journal_entries_history", "account", "kind", "recorded_at"),
    Index("journal_entries_received", "received_at"),
)

heard = Table(  # the last that was heard of a machine on a topic whose reports have no identity
    "journal_heard",
    metadata,
    Column("account", String, primary_key=True),
    Column("machine", String, primary_key=True),
    Column("topic", String, primary_key=True),
    Column("identity", String, nullable=False),
    Column("at", String, nullable=False),
)

states = Table(
    "machine_states",
    metadata,
    Column("account", String, primary_key=True),
    Column("machine", String, primary_key=True),
    Column("state", LargeBinary, nullable=False),  # JSON, see journal.codec
)

links = Table(  # which tag is of which product
    "tag_links",
    metadata,
    Column("account", String, primary_key=True),
    Column("tag", String, primary_key=True),
    Column("product", String, nullable=False),  # the vendor's id
    Column("name", String, nullable=False),
)

deliveries = Table(
    "webhook_counts",
    metadata,
    Column("account", String, primary_key=True),
    Column("accepted", BigInteger, nullable=False),
    Column("duplicates", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("quarantined", BigInteger, nullable=False),
    Column("last_received_at", String),
)

quarantine = Table(  # genuine deliveries that could not be read
    "quarantine",
    metadata,
    Column("id", String, primary_key=True),  # the digest of account, machine and body
    Column("account", String, nullable=False),
    Column("machine", String),
    Column("received_at", String, nullable=False),
    Column("headers", LargeBinary, nullable=False),  # JSON
    Column("body", LargeBinary, nullable=False),
    Column("signed", LargeBinary, nullable=False),  # JSON: what was verified
    Column("reason", String, nullable=False),
    Column("replayed_at", String),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("until", Float, nullable=False),  # UNIX seconds
)

watermarks = Table(  # down to where a feed has read an account's list
    "watermarks",
    metadata,
    Column("account", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("since", String, nullable=False),  # from where on it is read at all
    Column("at", String, nullable=False),
    Column("missed_at", String),  # when the newest was recorded that a webhook should have told and did not
)

names = Table(  # what stands in sale lines: numbers are grouped faster than texts
    "names",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", String, nullable=False),
    Column("kind", String, nullable=False),  # domain.refs.Kind
    Column("native", String, nullable=False),
    UniqueConstraint("account", "kind", "native"),
)

sale_lines = Table(  # the shares of each sale of the journal, see domain.revenue; 0 stands for nothing
    "sale_lines",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),  # names
    Column("at", BigInteger, primary_key=True, autoincrement=False),  # recorded, microseconds since 1970
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("machine", BigInteger, nullable=False),  # names
    Column("product", BigInteger, nullable=False),  # names
    Column("kind", Integer, nullable=False),  # see journal.sums
    Column("method", Integer, nullable=False),  # see journal.sums
    Column("currency", BigInteger, nullable=False),  # its letters as a number
    Column("sales", Integer, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("total", BigInteger),  # money in millionths
    Column("tax", BigInteger),
    Column("discount", BigInteger),
    Index("sale_lines_seq", "seq"),
    sqlite_with_rowid=False,
)

sale_days = Table(  # on which an account sold something
    "sale_days",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),  # names
    Column("day", BigInteger, primary_key=True, autoincrement=False),  # of UTC, since 1970
    Column("summed", Integer, nullable=False),  # 1 where the day's sums are those of its lines
    Index("sale_days_summed", "summed", "day"),
    sqlite_with_rowid=False,
)

sale_sums = Table(  # of the lines of whole days; what a grain does not tell apart is 0, see journal.cuts
    "sale_sums",
    metadata,
    Column("account", BigInteger, primary_key=True, autoincrement=False),
    Column("grain", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),  # where what is summed up begins
    Column("machine", BigInteger, primary_key=True, autoincrement=False),
    Column("product", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Integer, primary_key=True, autoincrement=False),
    Column("method", Integer, primary_key=True, autoincrement=False),
    Column("currency", BigInteger, primary_key=True, autoincrement=False),
    Column("sales", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("total", BigInteger),
    Column("tax", BigInteger),
    Column("discount", BigInteger),
    Column("shares", BigInteger, nullable=False),  # how many lines
    sqlite_with_rowid=False,
)

commands = Table(  # the ledger: what was asked, for ever
    "commands",
    metadata,
    Column("id", String, primary_key=True),
    Column("organization", String, nullable=False),
    Column("account", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("machine", String),  # the vendor's id
    Column("kind", String, nullable=False),
    Column("status", String, nullable=False),
    Column("requested_by", String, nullable=False),
    Column("idempotency_key", String, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of what was asked, and of whom
    Column("cents", BigInteger),  # hundredths of `currency`, where money moves
    Column("currency", String),
    Column("created_at", String, nullable=False),
    Column("placed", BigInteger, nullable=False),  # the journal's number of its intent: the order of commits
    Column("sent_at", String),  # just before it was sent
    Column("owner", String),  # the process that sends it
    Column("attempt", Integer, nullable=False),  # how often somebody took it on: only the last may send it
    Column("until", Float),  # UNIX seconds: by then somebody is at it, or a final word is due, or a doubt ends
    Column("vendor_id", String),  # the vendor's id for it
    Column("ordered", LargeBinary),  # JSON, see journal.codec
    Column("content", LargeBinary, nullable=False),  # JSON, see journal.codec
    UniqueConstraint("organization", "idempotency_key"),
    Index("commands_newest", "organization", "created_at", "id"),
    Index("commands_machine", "account", "machine", "created_at"),
    Index("commands_vendor_id", "account", "vendor_id"),
    Index("commands_status", "status", "until"),
)

bulks = Table(  # what was asked for in one, for ever
    "bulks",
    metadata,
    Column("id", String, primary_key=True),
    Column("organization", String, nullable=False),
    Column("idempotency_key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("requested_by", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of all that was asked
    Column("size", Integer, nullable=False),
    Column("owner", String, nullable=False),  # the process that is, or was, at it
    Column("attempt", Integer, nullable=False),  # how often somebody took it on
    Column("until", Float),  # UNIX seconds: by then somebody is at it; NULL for nobody
    UniqueConstraint("organization", "idempotency_key"),
)

bulk_items = Table(  # those that were looked at
    "bulk_items",
    metadata,
    Column("bulk", String, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("tries", Integer, nullable=False),  # how many commands were made of it
    Column("command", String),  # the newest: commands
    Column("errors", LargeBinary),  # JSON: why there is none
    Index("bulk_items_command", "command"),
)

audit = Table(  # who asked for what, and what came of it; each row holds the hash of the one before
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("organization", String, nullable=False),
    Column("actor", String, nullable=False),  # the name of the key, or the gateway itself
    Column("address", String),  # the caller's
    Column("request_id", String),
    Column("action", String, nullable=False),
    Column("command", String),  # its id in the graph
    Column("machine", String),  # its id in the graph
    Column("details", String, nullable=False),  # JSON
    Column("outcome", String, nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_newest", "organization", "seq"),
)

drifts = Table(  # how vendors' answers differ from what they are taken to be, see domain.drift
    "drifts",
    metadata,
    Column("account", String, primary_key=True),
    Column("fingerprint", String, primary_key=True),
    Column("operation", String, nullable=False),
    Column("path", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("expected", String, nullable=False),
    Column("seen", String, nullable=False),
    Column("counted", BigInteger, nullable=False),
    Column("first_seen_at", String, nullable=False),
    Column("last_seen_at", String, nullable=False),
)
