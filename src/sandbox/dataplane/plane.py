"""All parts of the data plane, and the model that they follow."""

import asyncio
import importlib
import traceback
from pathlib import Path

from .authority import Authority
from .clock import Clock
from .control import Control
from .emulator import Emulator
from .names import Names

# Modules with a class `Part`, in the order in which they start; they end in the reverse one.
PARTS = ["dns", "metrics", "databases", "service", "health", "balancer", "firewall_log", "alarms", "usage", "functions", "schedules", "streams"]
# Real seconds between two looks at the model.
POLL = 0.25
# Real seconds without a connection to the emulator after which it counts as ended.
GONE = 5.0


class Plane:
    """What parts share: clock, names, emulator, folder, model."""

    def __init__(self, endpoint, folder, rate=1.0, origin=None, parts=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = Clock(rate, origin)
        self.names = Names(self.folder)
        self.authority = Authority(self.folder)
        self.emulator = Emulator(endpoint)
        self.model = {"version": 0}
        self.parts = {}
        for name in PARTS if parts is None else parts:
            self.parts[name] = importlib.import_module(f"{__package__}.{name}").Part(self)
        self.control = Control(self)
        self._seen = {name: 0 for name, part in self.parts.items() if hasattr(part, "follow")}
        self._changed = asyncio.Condition()
        self._tasks = []

    def part(self, name):
        """A part, or `None` when it is not there."""
        return self.parts.get(name)

    def followed(self):
        """The version that all parts follow."""
        return min(self._seen.values(), default=self.model["version"])

    async def start(self):
        """Starts everything; answers the port of the control path."""
        for part in self.parts.values():
            if hasattr(part, "start"):
                await part.start()
        port = await self.control.start()
        self._tasks = [asyncio.create_task(self._follow(name)) for name in self._seen]
        there = {"url": f"http://127.0.0.1:{port}", "dns_delay": getattr(self.part("dns"), "delay", 0)}
        await self.emulator.control("POST", "data-plane", there)
        return port

    async def run(self):
        """Follows the emulator until it ends."""
        loop, failing_since = asyncio.get_running_loop(), None
        while True:
            try:
                model = await self.emulator.control("GET", f"model?since={self.model['version']}")
                failing_since = None
                if "unchanged" not in model:
                    async with self._changed:
                        self.model = model
                        self._changed.notify_all()
            except (TimeoutError, ValueError) as failed:
                # It is there, and busy.
                print(f"data plane: the model could not be read: {failed}", flush=True)
            except OSError as failed:
                failing_since = failing_since or loop.time()
                if loop.time() - failing_since > GONE:
                    print(f"data plane: the emulator is gone ({failed})", flush=True)
                    return
            await asyncio.sleep(POLL)

    async def _follow(self, name):
        """Hands each new model to a part."""
        part = self.parts[name]
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self.model["version"] != self._seen[name])
                model = self.model
            try:
                await part.follow(model)
            except Exception:  # noqa: BLE001 - the next model may be better
                print(f"data plane: {name} could not follow version {model['version']}", flush=True)
                traceback.print_exc()
            self._seen[name] = model["version"]

    async def close(self):
        """Ends everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.control.close()
        for name, part in reversed(self.parts.items()):
            try:
                if hasattr(part, "close"):
                    await part.close()
            except Exception:  # noqa: BLE001 - the others must end too
                print(f"data plane: {name} did not end well", flush=True)
                traceback.print_exc()
        self.emulator.close()
        self.names.close()
