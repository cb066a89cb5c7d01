"""The patches themselves: what they replace is there, and what they stand around exists."""

import sys
import unittest

from support import SOURCES

sys.path.insert(0, str(SOURCES))

import xmltodict  # noqa: E402
from botocore.exceptions import UnknownServiceError  # noqa: E402
from botocore.model import OperationNotFoundError  # noqa: E402
from emulator import call, moto_parts, patches  # noqa: E402
from moto.core.utils import get_service_model  # noqa: E402


class Patches(unittest.TestCase):
    def tearDown(self):
        moto_parts.PROBLEMS.clear()

    def test_what_moto_lacks_is_listed_by_name_and_all_at_once(self):
        class Part:
            there = 1

        moto_parts.replaces(Part, "there")(lambda original: original + 1)
        self.assertEqual(Part.there, 2)
        moto_parts.check()
        moto_parts.replaces(Part, "renamed")(lambda original: original)
        moto_parts.adds(Part, "there", 3)
        with self.assertRaises(RuntimeError) as caught:
            moto_parts.check()
        self.assertIn("Part.renamed is not there", str(caught.exception))
        self.assertIn("Part.there is there now", str(caught.exception))
        self.assertEqual(Part.there, 2)

    def test_a_module_that_does_not_load_is_listed_too(self):
        patches.MODULES.append("no_such_module")
        self.addCleanup(patches.MODULES.pop)
        with self.assertRaises(RuntimeError) as caught:
            patches.load()
        self.assertIn("patches/no_such_module.py", str(caught.exception))

    def test_every_patch_stands_around_an_operation_that_exists(self):
        patches.load()
        for service, operation in call.PATCHES:
            if "*" in (service, operation):
                continue
            try:
                get_service_model(service).operation_model(operation)
            except (UnknownServiceError, OperationNotFoundError) as missing:
                self.fail(f"{service}:{operation}: {missing}")

    def test_xml_is_written_as_the_library_writes_it(self):
        patches.load()
        inner = [
            None, "", "text & <more>", 7, True, {"@xmlns": 'a"b', "#text": "t"}, {"@empty": None, "b": ["1", None, {"c": False}]},
            {"none": [], "order": {"x": "1", "#text": "between", "y": "2"}},
        ]  # fmt: skip
        for value in inner:
            for short in (False, True):
                for whole in (False, True):
                    with self.subTest(value, short=short, whole=whole):
                        how = {"full_document": whole, "short_empty_elements": short}
                        written = xmltodict.unparse({"root": value}, **how)
                        # With a setting that moto never uses, the library itself writes.
                        self.assertEqual(written, xmltodict.unparse({"root": value}, comment_key="#comment", **how))
