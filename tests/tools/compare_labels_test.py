"""The comparison of two runs' labels: what it counts and what it refuses."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools/compare_labels.py"


def result(image: str, **labels: float) -> dict:
    return {"image": image, "labels": [{"label": name, "probability": probability}
                                       for name, probability in labels.items()]}


class CompareLabels(unittest.TestCase):
    def compare(self, first: list[dict], second: list[dict]) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory() as folder:
            truth = Path(folder) / "truth.csv"
            truth.write_text("file,label,name\ntest/1/a.png,1,one\ntest/2/b.png,2,two\n")
            files = []
            for name, results in (("f32", first), ("bf16", second)):
                files.append(Path(folder) / f"{name}.json")
                files[-1].write_text(json.dumps({"results": results}))
            return subprocess.run([sys.executable, TOOL, truth, *files],
                                  capture_output=True, text=True)

    def test_counts_what_is_right_and_what_agrees(self):
        got = self.compare(
            [result("m/test/1/a.png", one=0.9, two=0.1), result("m/test/2/b.png", two=0.8, one=0.2)],
            [result("m/test/1/a.png", one=0.7, two=0.3), result("m/test/2/b.png", one=0.6, two=0.4)])
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertIn("f32: 2 of 2 right (100.00 %)", got.stdout)
        self.assertIn("bf16: 1 of 2 right (50.00 %)", got.stdout)
        self.assertIn("same label in 1 of 2; largest difference of a probability 0.4000", got.stdout)

    def test_refuses_runs_over_different_pictures(self):
        got = self.compare([result("test/1/a.png", one=1.0)], [result("test/2/b.png", two=1.0)])
        self.assertEqual(got.returncode, 1)
        self.assertIn("the two runs are over different pictures", got.stderr)

    def test_refuses_a_picture_without_a_truth(self):
        got = self.compare([result("test/9/z.png", one=1.0)], [])
        self.assertEqual(got.returncode, 1)
        self.assertIn("test/9/z.png is not among the pictures in the truth", got.stderr)


if __name__ == "__main__":
    unittest.main()
