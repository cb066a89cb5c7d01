"""The guide's commands and what they print, as the rehearsal compares them with what it played."""

import pathlib
import sys
import tempfile
import types
import unittest
from unittest import mock

from support import SOURCES

sys.path.insert(0, str(SOURCES))
from rehearsal import guide  # noqa: E402

TEXT = """# Guide

    deployer plan <step>    # a comment
    | 3 steps,   ... and
    |   one more

Prose.

    | printed by nobody

    deployer apply
"""


class Guide(unittest.TestCase):
    def missing(self, *played, short=False):
        events = [{"kind": "command", "text": text, "output": output} for text, output in played]
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "guide.md")
            file.write_text(TEXT, encoding="utf-8")
            with mock.patch.object(guide, "FILE", file):
                return guide.missing(types.SimpleNamespace(events=events), short)

    def test_what_was_played_and_printed_is_not_missing(self):
        good = ("deployer plan vpc --json", "x\n 17 steps, a, b and\none more\n")
        self.assertEqual(self.missing(good, ("deployer apply --yes", "")), [])

    def test_a_command_that_was_not_played_and_a_line_that_was_not_printed_are_named(self):
        other = ("deployer plan vpc", "17 steps and\none more of it\n")
        self.assertEqual(self.missing(other), ["deployer plan <step>: 3 steps, ... and", "deployer plan <step>: one more", "deployer apply"])
        self.assertEqual(self.missing(("deployer apply", "")), ["deployer plan <step>"])

    def test_the_short_form_is_compared_in_what_it_plays(self):
        self.assertEqual(self.missing(("deployer apply", ""), short=True), [])
        other = ("deployer plan vpc", "17 steps and\none more\n")
        self.assertEqual(self.missing(other, short=True), ["deployer plan <step>: 3 steps, ... and"])
