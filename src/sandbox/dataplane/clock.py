"""The fast clock: minutes of metrics, alarms, checks and schedules pass at a rate, requests and SQL in real time."""

import asyncio
import time


class Clock:
    """Unix seconds that run `rate` times as fast from `origin` on, as `DEPLOYER_CLOCK_RATE=rate@origin` of the deployer."""

    def __init__(self, rate=1.0, origin=None):
        self.rate = float(rate)
        self.origin = time.time() if origin is None else float(origin)
        if not 1 <= self.rate <= 10_000:
            raise ValueError(f"rate {rate}: it takes 1 to 10000")

    def now(self):
        """The second, with its fraction."""
        return self.at(time.time())

    def at(self, real):
        """The second of the fast clock at a moment of the machine's."""
        return real if real <= self.origin else self.origin + (real - self.origin) * self.rate

    def real(self, seconds):
        """Real seconds that so many seconds of the clock take."""
        return max(0.0, seconds) / self.rate

    async def sleep(self, seconds, least=0.01):
        """Waits for so many seconds of the clock, and for `least` real seconds at least."""
        await asyncio.sleep(max(least, self.real(seconds)))
