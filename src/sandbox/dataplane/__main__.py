"""Starts the data plane: `python -m dataplane --endpoint URL --folder FOLDER [--rate R --origin UNIX_SECONDS] [--port-file FILE]`.

It ends when the emulator ends, and on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import os
import signal
import sys

os.environ.update(AWS_ACCESS_KEY_ID="sandbox", AWS_SECRET_ACCESS_KEY="sandbox", AWS_EC2_METADATA_DISABLED="true")

from .plane import Plane  # noqa: E402 - boto3 must never look for real credentials


async def serve(arguments):
    """Runs until the end."""
    plane = Plane(arguments.endpoint, arguments.folder, arguments.rate, arguments.origin)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        port = await plane.start()
        if arguments.port_file:
            # Renamed into place so that a reader never sees half a number.
            with open(arguments.port_file + ".new", "w", encoding="ascii") as out:
                out.write(str(port))
            os.replace(arguments.port_file + ".new", arguments.port_file)
        print(f"data plane listens on 127.0.0.1:{port}, DNS on {plane.names.dns}:8053, clock rate {plane.clock.rate:g}", flush=True)
        ends = [asyncio.create_task(plane.run()), asyncio.create_task(stopped.wait())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in ends:
            task.cancel()
    finally:
        await plane.close()


def main():
    """Parses the arguments and serves until it is stopped."""
    parser = argparse.ArgumentParser(prog="dataplane")
    parser.add_argument("--endpoint", required=True, help="of the emulator, http://127.0.0.1:PORT")
    parser.add_argument("--folder", required=True, help="for names, certificates and databases")
    parser.add_argument("--rate", type=float, default=1.0, help="how often as fast the clock runs")
    parser.add_argument("--origin", type=float, help="the Unix second from which it runs so fast")
    parser.add_argument("--port-file", help="gets the port of the control path once all parts have started")
    arguments = parser.parse_args()
    # It outlives the terminal that it was started from, as the emulator.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        asyncio.run(serve(arguments))
    except (ValueError, OSError) as problem:
        sys.exit(f"dataplane: {problem}")


if __name__ == "__main__":
    main()
