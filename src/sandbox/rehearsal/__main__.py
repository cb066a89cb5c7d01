"""Plays the rehearsal: `python -m rehearsal --deployer FILE --folder FOLDER [--rate 30] [--per-second 100] [--short] [--keep] [--out FILE]`.

Exit code 0 when everything that the story promises was seen, 1 when something was not.
"""

import argparse
import json
import sys
from pathlib import Path

from . import page, story
from .stage import Stage, Unexpected


def main():
    """Plays, tells what was seen, writes the page."""
    parser = argparse.ArgumentParser(prog="rehearsal")
    parser.add_argument("--deployer", required=True, help="the command line")
    parser.add_argument("--folder", required=True, help="an empty folder for configuration, state and logs")
    parser.add_argument("--rate", type=float, default=30.0, help="how many times as fast minutes pass")
    parser.add_argument("--per-second", type=float, default=100.0, help="requests of customers, half of them payments")
    parser.add_argument("--short", action="store_true", help="leave the second cutover and the read-only split out")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end")
    parser.add_argument("--out", help="gets the page")
    parser.add_argument("--result", help="gets failures and figures as JSON")
    arguments = parser.parse_args()
    stage = Stage(arguments.deployer, Path(arguments.folder), arguments.rate)
    try:
        story.play(stage, arguments.per_second, arguments.short, arguments.keep)
    except (Unexpected, KeyboardInterrupt) as problem:
        stage.fail("stopped by Ctrl-C" if isinstance(problem, KeyboardInterrupt) else str(problem))
    finally:
        stage.end(arguments.keep)
        if arguments.out:
            Path(arguments.out).write_text(page.html(stage), encoding="utf-8")
            stage.say(f"the page: {arguments.out}")
    stage.summary()
    if arguments.result:
        Path(arguments.result).write_text(json.dumps(stage.result()), encoding="utf-8")
    sys.exit(1 if stage.failures else 0)


if __name__ == "__main__":
    main()
