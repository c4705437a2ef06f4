"""EatMachine's made-up fridges: what is in them, tag by tag, and their life as they report it."""

import asyncio
import hmac
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from random import Random
from typing import Any
from uuid import UUID, uuid4

from sandbox.outbox import Letter, Outbox
from sandbox.world import GOODS, PLACES, World

AUTHOR = "fridges@acme.example"
URL_SECRET = "url-secret-of-the-sandbox-fridges"  # noqa: S105  of a made-up fleet
SLUGS = {
    "reboot": "Reboot",
    "open": "Open",
    "inventory": "Inventory",
    "temperature": "Temperature",
    "door-status": "Door status",
    "restart-app": "Restart app",
}
SETTINGS = ("temperatureMinAlert", "temperatureMaxAlert", "webhookUrl", "kioskUrl", "heartbeatInterval")
SOLD = GOODS[-6:]
BEAT = 300.0  # seconds between a fridge's heartbeats, whatever the speed
STOCK = 12  # tags in a fridge at the beginning, and put in at once
LOW = 4  # tags of a fridge that is filled up before it is opened by a customer
REPORTS_KEPT = 10_000
FAILURE = "The fridge could not do it"
HAPPENINGS = ("refill", "heartbeat", "badge-presented", "screen-status", "video", "shutdown", "boot", "failure")
BY_ITSELF = {"open": 16, "temperature": 2, "badge-presented": 1, "screen-status": 1}
Row = dict[str, Any]
Steps = Iterator[float]  # what happens, step by step: the seconds until the next


class Fridges:
    """`inside`: the tags of each fridge. `products`: names by uuid. `linked`: the product of each tag that has one.

    `reports`: all that was told so far, whether or not somebody was there to be told."""

    def __init__(self, world: World, outbox: Outbox) -> None:
        self._world = world
        self._outbox = outbox
        self._live = world.random("eatmachine", "live")
        self.fleets: dict[str, Row] = {}
        self.fridges: dict[str, Row] = {}
        self.commands: list[Row] = []
        self.reports: list[Row] = []
        self.inside: dict[str, list[str]] = {}
        self.linked: dict[str, str] = {}
        self._scanned: dict[str, list[str]] = {}
        self._down: set[str] = set()
        self._failing: set[str] = set()  # whose next command fails
        self._turns: list[str] = []
        self._results: Mapping[str, Callable[..., None]] = {
            "door-status": self._look,
            "temperature": self._measure,
            "inventory": self._scan,
        }
        rng, tags = world.random("eatmachine", "fleet"), world.random("eatmachine", "tags")
        self.products = {_uuid(tags): good.name for good in SOLD}
        fleet = self.add_fleet(_uuid(rng), "Offices")
        settings = dict.fromkeys(SETTINGS) | {"temperatureMinAlert": 1, "temperatureMaxAlert": 8}
        for number in range(world.count(20)):
            native = _uuid(rng)
            self.add_fridge(native, fleet, settings, rng.choice(PLACES).name + f" {number + 1}")
            self._put(native, self._new_tags(tags))
            self.inside[native].append(_tag(tags))  # of no known product
            self._scanned[native] = list(self.inside[native])

    def add_fleet(self, native: str, name: str) -> Row:
        now = self.now()
        self.fleets[native] = {"uuid": native, "name": name, "createdAt": now, "updatedAt": now}
        return self.fleets[native]

    def add_fridge(self, native: str, fleet: Row, settings: Mapping[str, Any], name: str) -> Row:
        now = self.now()
        self.fridges[native] = {
            "uuid": native,
            "name": name,
            "doorStatus": "closed",
            "temperature": None,
            "lastActivity": now,
            "settings": {"firmwareVersion": None, **settings},
            "fleet": fleet,
            "createdAt": now,
            "updatedAt": now,
        }
        self.inside[native], self._scanned[native] = [], []
        return self.fridges[native]

    def add_command(self, fridge: str, slug: str) -> Row:
        now = self.now()
        command = {
            "uuid": str(uuid4()),
            "author": {"identifier": AUTHOR, "createdAt": now, "updatedAt": now},
            "type": {"name": SLUGS[slug], "slug": slug},
            "status": None,
            "message": None,
            "createdAt": now,
            "updatedAt": now,
            "fridge": fridge,
        }
        self.commands.append(command)
        return command

    def begin(self) -> None:
        """Whoever is told from now on learns of all tags, and sees every fridge start."""
        for native in self.fridges:
            self._link(native, self.inside[native])
            run(self.happen("boot", native))

    async def beat(self) -> None:
        while True:
            for native in tuple(self.fridges):
                await asyncio.sleep(BEAT / len(self.fridges))
                run(self.happen("heartbeat", native))

    def some(self) -> str:
        """A fridge that is up, where one is."""
        return self._live.choice([native for native in self.fridges if native not in self._down] or list(self.fridges))

    def live(self) -> Steps:
        """Something at one fridge after the other, so that customers do not meet."""
        if not self._turns:
            self._turns = [native for native in self.fridges if native not in self._down]
            self._live.shuffle(self._turns)
        kind = self._live.choices(list(BY_ITSELF), weights=list(BY_ITSELF.values()))[0]
        return self.happen(kind, self._turns.pop()) if self._turns else iter(())

    def happen(self, kind: str, native: str) -> Steps:
        """`kind`: a command's slug, or one of `HAPPENINGS`. A fridge that is down tells nothing until it boots."""
        if kind == "open" and len(self.inside[native]) < LOW:
            run(self.happen("refill", native))
        if kind in SLUGS:
            return self.carry_out(self.add_command(native, kind))
        if native not in self._down or kind == "boot":
            return self._happen(kind, self.fridges[native])
        return iter(())

    def _happen(self, kind: str, fridge: Row) -> Steps:
        match kind:
            case "refill":
                yield from self._refill(fridge)
            case "boot":
                yield from self._boot(fridge)
            case "shutdown":
                self._shut_down(fridge)
            case "failure":
                self._failing.add(fridge["uuid"])
            case "badge-presented":
                badge = f"{self._live.randrange(10_000):04}"
                self._tell(fridge, kind, {"badge_token": badge}, command=None)
            case "screen-status":
                self._tell(fridge, kind, {"status": self._live.choice(("on", "off"))})
            case "video":
                self._tell(fridge, kind, {"url": _video(str(self._live.randrange(10_000)))})
            case _:
                self._tell(fridge, "heartbeat", None)

    def carry_out(self, command: Row, put: Sequence[str] = ()) -> Steps:
        """What a command leads to. A door opens to a customer, who takes something, unless something is put in."""
        native = command["fridge"]
        if command["type"]["slug"] != "open":
            return self._carry_out(command)
        inside = self.inside[native]
        taken = [] if put else self._live.sample(inside, min(len(inside), self._live.randint(1, 3)))
        return self._open(command, taken, put)

    def _carry_out(self, command: Row) -> Steps:
        fridge, slug = self.fridges[command["fridge"]], command["type"]["slug"]
        if not (yield from self._acknowledge(command)) or slug == "restart-app":
            return
        if slug == "reboot":
            self._shut_down(fridge, command=shown(command))
            yield 5.0
            yield from self._boot(fridge, command=self._said(command, "success"))
        else:
            self._results[slug](fridge, command=self._said(command, "success"))

    def _acknowledge(self, command: Row) -> Generator[float, None, bool]:
        """Whether the fridge goes on with it."""
        native = command["fridge"]
        yield 0.3
        if native in self._down:
            return False
        if failing := native in self._failing:
            self._failing.discard(native)
            command["message"] = FAILURE
        said = self._said(command, "failed" if failing else "ack")
        self._tell(self.fridges[native], "ack", None, command=said)
        yield 0.5
        return not failing and native not in self._down

    def _open(self, command: Row, taken: Sequence[str], put: Sequence[str]) -> Steps:
        fridge = self.fridges[command["fridge"]]
        if not (yield from self._acknowledge(command)):
            return
        for status, seconds in (("unlocked", 1.0), ("opened", 2.0), ("closed", 1.0)):
            fridge["doorStatus"] = status
            self._look(fridge, command=self._said(command, status))
            yield seconds
        self._put(fridge["uuid"], put)
        self.inside[fridge["uuid"]] = [tag for tag in self.inside[fridge["uuid"]] if tag not in taken]
        self._scan(fridge, command=self._said(command, "inventory") | {"video": _video(command["uuid"])})
        yield 1.0
        self._tell(fridge, "video", {"url": _video(command["uuid"])}, command=shown(command))

    def _said(self, command: Row, status: str) -> Row:
        command |= {"status": status, "updatedAt": self.now()}
        return shown(command)

    def _look(self, fridge: Row, **more: Any) -> None:
        self._tell(fridge, "door-status", {"status": fridge["doorStatus"]}, **more)

    def _measure(self, fridge: Row, **more: Any) -> None:
        fridge["temperature"] = round(self._live.uniform(2.0, 8.5), 1)
        self._tell(fridge, "temperature", {"temperature": fridge["temperature"]}, **more)

    def _scan(self, fridge: Row, **more: Any) -> None:
        before, found = self._scanned[fridge["uuid"]], list(self.inside[fridge["uuid"]])
        self._scanned[fridge["uuid"]] = found
        removed, added = [tag for tag in before if tag not in found], [tag for tag in found if tag not in before]
        self._tell(fridge, "inventory", {"epcs": found, "removed": removed, "added": added}, **more)

    def _shut_down(self, fridge: Row, **more: Any) -> None:
        self._tell(fridge, "shutdown", None, **more)
        self._down.add(fridge["uuid"])

    def _boot(self, fridge: Row, **more: Any) -> Steps:
        self._down.discard(fridge["uuid"])
        self._tell(fridge, "boot", None, **more)
        yield 0.5
        for result in self._results.values():
            result(fridge)

    def _refill(self, fridge: Row) -> Steps:
        """Tags are linked before they are put in."""
        put = self._new_tags(self._live)
        self._link(fridge["uuid"], put)
        yield from self.carry_out(self.add_command(fridge["uuid"], "open"), put)

    def _new_tags(self, rng: Random) -> list[str]:
        tags = [_tag(rng) for _ in range(STOCK)]
        self.linked |= {tag: rng.choice(list(self.products)) for tag in tags}
        return tags

    def _put(self, native: str, tags: Sequence[str]) -> None:
        self.inside[native] += tags

    def _link(self, native: str, tags: Sequence[str]) -> None:
        """The app user scans them at a fridge, which is the one whose address is told."""
        for product, name in self.products.items():
            data = [{"code": tag, "expirationDate": None} for tag in tags if self.linked.get(tag) == product]
            if data:
                row = {"type": "product-linked", "data": data, "product": {"uuid": product, "name": name}}
                self._send(self.fridges[native], row)

    def _tell(self, fridge: Row, kind: str, data: Any, **more: Any) -> None:
        fridge["lastActivity"] = self.now()
        settings = fridge["settings"] | {"webhookUrl": self._outbox.url(self._letter(fridge, kind, b""))}
        told = {name: value for name, value in fridge.items() if name != "name"} | {"settings": settings}
        self._send(fridge, {"type": kind, "data": data, "fridge": told, **more})

    def _send(self, fridge: Row, row: Row) -> None:
        body = json.dumps(row).encode()
        self.reports.append(json.loads(body))
        self._outbox.post(self._letter(fridge, row["type"], body))

    def _letter(self, fridge: Row, kind: str, body: bytes) -> Letter:
        native, account = fridge["uuid"], self._outbox.account
        token = hmac.digest(URL_SECRET.encode(), f"{account}/{native}".encode(), "sha256").hex()
        return Letter(kind=kind, id=native, body=body, path=f"/{native}/{token}", url=fridge["settings"]["webhookUrl"])

    def now(self) -> str:
        return self._world.now().replace(microsecond=0).isoformat()


def run(steps: Steps) -> None:
    """All at once."""
    for _ in steps:
        pass


def shown(command: Row) -> Row:
    return {name: value for name, value in command.items() if name != "fridge"}


def _video(name: str) -> str:
    return f"https://video.eatmachine.example/{name}.mp4"


def _tag(rng: Random) -> str:
    return f"e28011700000020a{rng.getrandbits(32):08x}"


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
