"""The symbol check on small builds: what it lets pass and what it names."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools/check_isa_symbols.py"
COMPILER = os.environ.get("CXX", "g++")
OWN = """
namespace vernier::wide {
template <typename T> __attribute__((noinline)) T Twice(T x) { return x + x; }
template float Twice<float>(float);
}
"""
LEAK = "#include <vector>\nvoid Grow(std::vector<float>& v, unsigned n) { v.resize(n); }\n"


class CheckIsaSymbols(unittest.TestCase):
    def check(self, name: str, text: str, flags: str = "") -> subprocess.CompletedProcess:
        """Compiles one source (plainly: the check reads the recorded flags, not the code)."""
        with tempfile.TemporaryDirectory() as build:
            source, output = Path(build) / name, f"{name}.o"
            source.write_text(text)
            subprocess.run([COMPILER, "-std=c++20", "-c", source, "-o", Path(build) / output],
                           check=True)
            commands = [{"directory": build, "file": str(source),
                         "command": f"{COMPILER}{flags} -o {output} -c {source}"}]
            (Path(build) / "compile_commands.json").write_text(json.dumps(commands))
            return subprocess.run([sys.executable, TOOL, build], capture_output=True, text=True)

    def assert_breach(self, result: subprocess.CompletedProcess, message: str) -> None:
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(message, result.stdout)

    def test_lets_templates_of_the_own_namespace_pass(self):
        result = self.check("dot_avx2.cc", OWN.replace("wide", "avx2"), " -mavx2")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("1 objects, 0 breaches", result.stdout)

    def test_names_a_leaked_library_template(self):
        self.assert_breach(self.check("dot_avx512.cc", LEAK, " -mavx512f"),
                           "dot_avx512.cc: exports the weak symbol std::")

    def test_knows_a_file_by_its_name_when_the_flags_are_the_default(self):
        self.assert_breach(self.check("dot_neon.cc", LEAK), "weak symbol std::")

    def test_refuses_another_namespace_of_ours(self):
        self.assert_breach(self.check("dot_avx2.cc", OWN, " -mavx2"), "vernier::wide::Twice")

    def test_refuses_instruction_set_flags_on_any_other_file(self):
        self.assert_breach(self.check("tensor.cc", "int x;\n", " -mavx2"), "not named for the set")

    def test_leaves_all_other_files_alone(self):
        self.assertEqual(self.check("tensor.cc", LEAK).returncode, 0)


if __name__ == "__main__":
    unittest.main()
