"""The sum over a run of ctest: nothing that failed may be lost in it."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from xml.sax.saxutils import escape

TOOL = Path(__file__).parents[2] / "tools/sum_tests.py"
ALL_PASS = "[==========] 3 tests ran.\n[  PASSED  ] 3 tests.\n"
ONE_FAILS = ("[  FAILED  ] Npy.ReadsZeros (0 ms)\n[==========] 3 tests ran.\n[  PASSED  ] 2 tests.\n"
             "[  FAILED  ] 1 test, listed below:\n[  FAILED  ] Npy.ReadsZeros\n")
ONE_SKIPS = ("gemm_test.cc:205: Skipped\nthis CPU has no amx\n[  SKIPPED ] All/Gemm.Adds/amx (0 ms)\n"
             "[  PASSED  ] 2 tests.\n[  SKIPPED ] 1 test, listed below:\n[  SKIPPED ] All/Gemm.Adds/amx\n")


class SumTests(unittest.TestCase):
    def sums(self, *cases: tuple[str, str, str]) -> list[str]:
        """cases: name, status as ctest says it, output."""
        rows = "".join(f'<testcase name="{name}" status="{status}">'
                       f"<system-out>{escape(output)}</system-out></testcase>"
                       for name, status, output in cases)
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder) / "results.xml"
            results.write_text(f"<testsuite>{rows}</testsuite>")
            return self.run_on(results)

    def run_on(self, results: Path) -> list[str]:
        return subprocess.run([sys.executable, TOOL, "release", results], check=True,
                              capture_output=True, text=True).stdout.splitlines()

    def test_counts_the_tests_of_a_program_and_other_checks_as_one(self):
        self.assertEqual(self.sums(("io_test", "run", ALL_PASS), ("layers", "run", "fine\n")),
                         ["passed 4", "skipped 0"])

    def test_names_a_failed_test_once(self):
        self.assertEqual(self.sums(("io_test", "fail", ONE_FAILS)),
                         ["passed 2", "skipped 0", "failed release: io_test: Npy.ReadsZeros"])

    def test_counts_a_program_that_died_as_a_failure(self):
        self.assertEqual(self.sums(("io_test", "fail", "[ RUN      ] Npy.ReadsZeros\n"))[2:],
                         ["failed release: io_test (ended before its summary; see the output above)"])

    def test_counts_a_program_that_is_not_there_as_a_failure(self):
        self.assertEqual(self.sums(("io_test", "notrun", ""))[2:],
                         ["failed release: io_test (could not be started)"])

    def test_says_why_tests_were_skipped(self):
        self.assertEqual(self.sums(("kernels_test", "run", ONE_SKIPS)),
                         ["passed 2", "skipped 1", "because release: this CPU has no amx (1 tests)"])

    def test_counts_missing_results_as_a_failure(self):
        self.assertIn("failed release: ctest left no results", self.run_on(Path("/nonexistent.xml")))


if __name__ == "__main__":
    unittest.main()
