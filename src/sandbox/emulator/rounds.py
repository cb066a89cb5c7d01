"""Calls in rounds: how many calls of a client leave one after the other, whatever time each of them takes.

A call is held until no call has come for a while and none is under way. Then all that are held go on together: one
round. A client that waits for nothing but answers needs as many rounds as its longest chain of calls is long.
"""

import threading
import time


class Rounds:
    """The rounds since the fault was set."""

    def __init__(self):
        self._changed = threading.Condition()
        self.number = 0
        self._held = 0
        self._under_way = 0
        self._moved = 0.0

    def enter(self, quiet):
        """Waits for the next round, which begins `quiet` seconds after the last call came or was answered; answers its number."""
        with self._changed:
            self._held += 1
            self._moved = time.monotonic()
            mine = self.number + 1
            while self.number < mine:
                left = self._moved + quiet - time.monotonic()
                if left > 0 or self._under_way:
                    self._changed.wait(max(left, 0.01))
                    continue
                self.number = mine
                self._under_way, self._held = self._held, 0
                self._changed.notify_all()
            return mine

    def leave(self):
        """A call of the round is answered."""
        with self._changed:
            self._under_way -= 1
            self._moved = time.monotonic()
            self._changed.notify_all()
