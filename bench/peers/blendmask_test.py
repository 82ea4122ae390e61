#!/usr/bin/env python3
"""That both sides compute the same network. Needs torch, PyYAML, safetensors and vernier:

    VENV/bin/python bench/peers/blendmask_test.py [VERNIER]
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch
from blendmask import BlendMask, multiply_adds, read_config
from PIL import Image
from safetensors.torch import load_file

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
MODELS = ("blendmask_r50_1x", "blendmask_lite_gn", "blendmask_lite_bn")
SIZE = ("--size", "96x160")
VERNIER = sys.argv.pop() if len(sys.argv) > 1 else "build/release/bin/vernier"


def run(*words):
    subprocess.run([str(word) for word in (VERNIER, *words)], check=True, capture_output=True)


class SameNetwork(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def checkpoint(self, model):
        folder = Path(self.folder.name) / model
        run("inspect", "--make-random", CONFIGS / model, folder)
        return folder

    def test_has_the_parameters_and_operations_that_vernier_counts(self):
        for model in MODELS:
            with self.subTest(model):
                network = BlendMask(read_config(CONFIGS / model)).to("meta").eval()
                file = Path(self.folder.name) / "inspect.json"
                run("inspect", self.checkpoint(model), "--json", file)
                (told,) = json.loads(file.read_text())
                told = told["model"]
                count = sum(parameter.numel() for parameter in network.parameters())
                self.assertEqual(count, told["parameters"])
                size = (1, 3, told["height"], told["width"])
                dense = multiply_adds(network, torch.zeros(size, device="meta"))
                places = sum(
                    -(-told["height"] // stride) * -(-told["width"] // stride)
                    for stride in (8, 16, 32, 64, 128)
                )
                sparse = dense - places * network.top_layer.weight.numel()
                self.assertEqual(2 * sparse, told["flops_per_image"])

    def test_gives_the_outputs_that_vernier_gives(self):
        noise = np.random.default_rng(0).integers(0, 256, (96, 160, 3), np.uint8)
        picture = Path(self.folder.name) / "noise.png"
        Image.fromarray(noise).save(picture)
        for model in MODELS:
            with self.subTest(model):
                checkpoint = self.checkpoint(model)
                network = BlendMask(read_config(CONFIGS / model)).eval()
                state = load_file(checkpoint / "model.safetensors")
                told = network.load_state_dict(state, strict=False)
                self.assertEqual(told.unexpected_keys, [])
                missing = [k for k in told.missing_keys if not k.endswith("num_batches_tracked")]
                self.assertEqual(missing, [])
                dump = Path(self.folder.name) / f"{model}_dump"
                run("run", "--model", checkpoint, "--image", picture, "--dump", dump, *SIZE)
                theirs = self.dumped(dump)
                with torch.inference_mode():
                    outputs = network(torch.from_numpy(theirs["input"]))
                names = ["bases"] + [
                    f"{name}.p{level}"
                    for level in range(3, 8)
                    for name in ("cls_logits", "bbox_reg", "ctrness", "top_feat")
                ]
                for name, ours in zip(names, outputs, strict=True):
                    scale = float(ours.abs().max())
                    np.testing.assert_allclose(theirs[name], ours, rtol=0, atol=2e-4 * scale)

    def dumped(self, folder):
        """The arrays of a dump by their names and aliases."""
        manifest = json.loads((folder / "manifest.json").read_text())
        return {
            name: np.load(folder / tensor["file"])
            for tensor in manifest["tensors"]
            for name in (tensor["name"], *tensor["aliases"])
        }


if __name__ == "__main__":
    unittest.main()
