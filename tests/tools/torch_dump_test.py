"""tools/torch_dump.py: what it records of modules, and that it gives a golden model's values."""
import dataclasses
import importlib.util
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools/torch_dump.py"
GOLDEN = ROOT / "tests/data/goldens/vit/base_detail"


def missing(*packages):
    return [name for name in packages if importlib.util.find_spec(name) is None]


def needs(*packages):
    absent = missing(*packages)
    return unittest.skipIf(absent, f"not installed here: {', '.join(absent)}")


if not missing("numpy", "torch"):
    import numpy as np
    import torch

    sys.path.insert(0, str(TOOL.parent))
    from torch_dump import TorchDump

    @dataclasses.dataclass
    class Pair:
        sum: torch.Tensor
        difference: torch.Tensor

    class Inner(torch.nn.Module):
        def forward(self, x, *, scale):
            return Pair(x + scale, x - scale)

    class Outer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()
            self.steps = torch.nn.Linear(3, 3)

        def forward(self, x):
            pair = self.inner(x, scale=torch.ones(3))
            twice = self.steps(self.steps(pair.sum))
            return {"logits": twice, "states": (pair.sum, pair.difference)}


class Dumped:
    """A folder's manifest and arrays by name."""

    def __init__(self, folder):
        self.manifest = json.loads((Path(folder) / "manifest.json").read_text())
        self.entries = {entry["name"]: entry for entry in self.manifest["tensors"]}
        self.arrays = {
            name: np.load(Path(folder) / entry["file"]) for name, entry in self.entries.items()
        }


@needs("numpy", "torch")
class TorchDumpLibrary(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = Path(self.temporary.name) / "dump"
        self.addCleanup(self.temporary.cleanup)

    def dump(self, module, *inputs, **options):
        with torch.no_grad(), TorchDump(module, self.folder, **options):
            module(*inputs)
        return Dumped(self.folder)

    def test_names_inputs_outputs_fields_and_repeated_calls(self):
        got = self.dump(Outer(), torch.arange(3.0))
        self.assertEqual(
            set(got.entries),
            {
                "x",
                "inner#input",
                "inner#input.scale",
                "inner",
                "inner#difference",
                "steps#input",
                "steps",
                "steps#input#call2",
                "steps#call2",
                "logits",
                "states.0",
                "states.1",
            },
        )
        np.testing.assert_array_equal(got.arrays["inner"], [1, 2, 3])
        np.testing.assert_array_equal(got.arrays["inner#difference"], [-1, 0, 1])
        np.testing.assert_array_equal(got.arrays["steps#input#call2"], got.arrays["steps"])
        np.testing.assert_array_equal(got.arrays["logits"], got.arrays["steps#call2"])
        self.assertEqual(got.entries["x"]["shape"], [3])
        self.assertEqual(got.entries["x"]["dtype"], "f32")

    def test_records_only_what_the_globs_ask_for(self):
        got = self.dump(Outer(), torch.zeros(3), include=["inner*", "logits"], exclude=["*#input*"])
        self.assertEqual(set(got.entries), {"inner", "inner#difference", "logits"})
        self.assertEqual(len(list(self.folder.iterdir())), 4)

    def test_leaves_inputs_of_inner_modules_out_when_told(self):
        got = self.dump(Outer(), torch.zeros(3), inputs=False)
        self.assertEqual([name for name in got.entries if "#input" in name or name == "x"], ["x"])

    def test_stores_bfloat16_as_the_same_values_in_f32_and_integers_as_they_are(self):
        module = torch.nn.Embedding(4, 2).to(torch.bfloat16)
        got = self.dump(module, torch.tensor([3, 1]))
        self.assertEqual(got.entries["input"]["dtype"], "i64")
        self.assertEqual(got.entries["output"]["kernel"], "torch.bfloat16")
        self.assertEqual(got.arrays["output"].dtype, np.float32)
        expected = module.weight[[3, 1]].float().detach().numpy()
        np.testing.assert_array_equal(got.arrays["output"], expected)

    def test_lists_what_it_cannot_store(self):
        class Spectrum(torch.nn.Module):
            def forward(self, x):
                return torch.fft.fft(x), x

        got = self.dump(Spectrum(), torch.ones(4))
        self.assertEqual([entry["name"] for entry in got.manifest["absent"]], ["output.0"])
        self.assertIn("complex", got.manifest["absent"][0]["reason"])
        self.assertIn("output.1", got.entries)

    def test_writes_no_manifest_for_a_run_that_fails_and_takes_its_hooks_away(self):
        module = Outer()
        self.dump(module, torch.zeros(3))
        with self.assertRaises(RuntimeError), TorchDump(module, self.folder):
            module(torch.zeros(5))
        self.assertFalse((self.folder / "manifest.json").exists())
        self.assertFalse(module._forward_hooks or module.steps._forward_pre_hooks)

    def test_says_when_nothing_was_recorded(self):
        with self.assertRaisesRegex(ValueError, r"no name matches layer\.\*"):
            self.dump(Outer(), torch.zeros(3), include=["layer.*"])
        with self.assertRaisesRegex(ValueError, "was not called"), TorchDump(Outer(), self.folder):
            pass


@needs("numpy", "torch", "transformers")
class TorchDumpCommand(unittest.TestCase):
    def run_tool(self, *arguments):
        return subprocess.run(
            [sys.executable, TOOL, *map(str, arguments)], capture_output=True, text=True
        )

    def test_gives_the_golden_values_of_a_vit(self):
        # Golden names are the checkpoint's; transformers 5 has other module names for some of them.
        renamed = [
            ("encoder.layer.", "layers."),
            ("attention.attention.query", "attention.q_proj"),
            ("attention.attention.key", "attention.k_proj"),
            ("attention.attention.value", "attention.v_proj"),
            ("attention.output.dense", "attention.o_proj"),
            ("intermediate.dense", "mlp.fc1"),
            ("output.dense", "mlp.fc2"),
        ]
        with tempfile.TemporaryDirectory() as folder:
            pixels = f"pixel_values={GOLDEN / 'pixel_values.npy'}"
            done = self.run_tool("--model", GOLDEN, "--input", pixels, "--out", folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            got = Dumped(folder)
        case = json.loads((GOLDEN / "case.json").read_text())
        compared = 0
        for name, golden in [*case["hidden"].items(), *case["outputs"].items()]:
            module = name
            if name not in got.arrays:
                for published, now in renamed:
                    module = module.replace(published, now)
            if module not in got.arrays:
                continue  # a value without a module, as attention's probabilities
            expected = np.load(GOLDEN / golden["file"])
            largest = np.abs(got.arrays[module] - expected).max()
            self.assertLessEqual(largest, golden["tolerance"]["max_abs"], name)
            compared += 1
        self.assertGreaterEqual(compared, 15)
        self.assertEqual(got.manifest["dtype"], "float32")
        np.testing.assert_array_equal(
            got.arrays["pixel_values"], np.load(GOLDEN / "pixel_values.npy")
        )

    @needs("PIL", "torchvision")
    def test_takes_pictures_through_the_processor(self):
        picture = GOLDEN / "input_0.png"
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_tool(
                "--model", GOLDEN, "--image", picture, "--include", "pixel_values", "--out", folder
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            found = Dumped(folder).arrays["pixel_values"]
        np.testing.assert_allclose(found, np.load(GOLDEN / "pixel_values.npy"), atol=1e-6)

    def test_says_what_is_wrong_with_the_request(self):
        done = self.run_tool("--model", GOLDEN, "--out", "/dev/null/x")
        self.assertEqual(done.returncode, 1)
        self.assertIn("give --image FILE or --input NAME=FILE.npy", done.stderr)
        done = self.run_tool("--model", GOLDEN, "--input", "pixel_values", "--out", "/dev/null/x")
        self.assertIn("--input pixel_values: expected NAME=FILE.npy", done.stderr)


if __name__ == "__main__":
    unittest.main()
