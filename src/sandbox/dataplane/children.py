"""Processes that end with this one, whatever ends it."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def tied(number=signal.SIGKILL):
    """For `preexec_fn`: the child gets this signal when this process is gone. It must be started from the main thread."""
    parent = os.getpid()

    def tie():
        _libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def send(process, number):
    """A signal for a child of asyncio, if it has not ended. `Process.send_signal` would take the exit status away from the loop."""
    if process is not None and process.returncode is None:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            pass


def alive(pid):
    """Whether a process is there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
