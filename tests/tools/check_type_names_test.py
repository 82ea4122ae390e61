import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools/check_type_names.py"


class CheckTypeNames(unittest.TestCase):
    def check(self, headers):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in headers.items():
                path = Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return subprocess.run([sys.executable, TOOL, folder], capture_output=True, text=True)

    def test_names_both_headers_of_a_repeated_type(self):
        result = self.check(
            {"src/a/x.h": "struct Result {\n};\n", "src/b/y.h": "class Result : public Base {\n};\n"}
        )
        self.assertEqual(result.returncode, 1)
        self.assertIn("Result is defined in src/a/x.h and src/b/y.h", result.stdout)

    def test_accepts_declarations_and_nested_types(self):
        result = self.check(
            {"src/a/x.h": "struct Result {\n  struct Row {\n  };\n};\n",
             "src/b/y.h": "struct Result;\nstruct Row {\n};\n"}
        )
        self.assertEqual(result.returncode, 0, result.stdout)


if __name__ == "__main__":
    unittest.main()
