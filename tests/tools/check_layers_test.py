"""The layer check on small trees: what it lets pass and what it names."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools/check_layers.py"
ARCHITECTURE = """
```layers
core  -     error
io    core  -
apps  io    -
```
```wrapped
CLI/*   apps/*
png.h   src/io/*.cc
```
"""


class CheckLayers(unittest.TestCase):
    def check(self, files: dict[str, str]) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory() as root:
            tree = {"ARCHITECTURE.md": ARCHITECTURE, "include/vernier/error.h": "",
                    "src/core/shape.h": "", "src/io/npy.h": "", "apps/vernier/main.cc": ""} | files
            for name, text in tree.items():
                path = Path(root) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return subprocess.run([sys.executable, TOOL, root], capture_output=True, text=True)

    def assert_breach(self, files: dict[str, str], message: str) -> None:
        result = self.check(files)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn(message, result.stdout)

    def test_lets_a_folder_include_what_it_stands_on(self):
        result = self.check({"src/io/npy.cc": '#include "io/npy.h"\n#include <vector>\n'
                                              '#include "core/shape.h"\n#include "vernier/error.h"\n',
                             "apps/vernier/main.cc": '#include <CLI/CLI.hpp>\n#include "io/npy.h"\n'})
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_names_the_line_that_goes_against_the_layers(self):
        self.assert_breach({"src/core/shape.cc": '// up\n#include "io/npy.h"\n'},
                           "src/core/shape.cc:2: core may not include io")

    def test_lets_a_test_reach_higher(self):
        result = self.check({"src/core/shape_test.cc": '#include "io/npy.h"\n'})
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_keeps_what_tests_share_to_tests(self):
        self.assert_breach({"tests/support/fake.h": "",
                            "src/io/npy.cc": '#include "support/fake.h"\n'},
                           "only tests may include tests/support/fake.h")

    def test_refuses_a_wrapped_header_elsewhere(self):
        self.assert_breach({"src/core/shape.cc": "#include <png.h>\n"},
                           "<png.h> may be included by src/io/*.cc only")

    def test_refuses_a_third_party_header_that_is_not_listed(self):
        self.assert_breach({"src/io/npy.cc": "#include <boost/any.hpp>\n"},
                           "<boost/any.hpp> is not in the list of wrapped headers")

    def test_refuses_library_templates_in_a_file_for_one_instruction_set(self):
        self.assert_breach({"src/core/dot_avx2.cc": "#include <vector>\n"},
                           "<vector> in a file for one instruction set")

    def test_refuses_a_folder_and_a_public_header_without_a_layer(self):
        self.assert_breach({"src/extra/x.cc": ""}, "src/extra/x.cc: belongs to no layer")
        self.assert_breach({"include/vernier/new.h": ""}, "new.h: belongs to no layer")

    def test_refuses_a_header_that_is_not_there(self):
        self.assert_breach({"src/io/npy.cc": '#include "io/gone.h"\n'}, '"io/gone.h" was not found')


if __name__ == "__main__":
    unittest.main()
