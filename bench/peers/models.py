"""The full-size encoders that are timed, built from bench/configs with random weights.

Timing depends on shapes, not on values, so no weights are downloaded. An exported ONNX file is kept
in a cache folder: exporting takes minutes, and a worker that only loads it carries no PyTorch.
"""
import contextlib
import json
import sys
from pathlib import Path

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
BLENDMASKS = ("blendmask_r50_1x", "blendmask_lite_gn", "blendmask_lite_bn")
MODELS = ("vit_base_patch16_224", "pe_lang_l14_448", "pix2struct_base", *BLENDMASKS)
SIDES = {"vit_base_patch16_224": 224, "pe_lang_l14_448": 448} | dict.fromkeys(BLENDMASKS, 640)
PATCHES = 2048  # of one picture, all of them real


def noise(name, batch):
    """The model's inputs as NumPy arrays; PyTorch is not loaded for them."""
    import numpy as np

    generator = np.random.default_rng(0)
    if name == "pix2struct_base":
        flattened = generator.standard_normal((batch, PATCHES, 2 + 3 * 16 * 16), dtype=np.float32)
        place = np.arange(PATCHES)
        flattened[:, :, 0] = place // 32 + 1
        flattened[:, :, 1] = place % 32 + 1
        return [flattened, np.ones((batch, PATCHES), np.float32)]
    side = SIDES[name]
    return [generator.standard_normal((batch, 3, side, side), dtype=np.float32)]


def build(name):
    """The module in evaluation mode."""
    import torch

    torch.manual_seed(0)
    if name == "vit_base_patch16_224":
        from transformers import ViTConfig, ViTModel

        config = ViTConfig.from_json_file(CONFIGS / name / "config.json")
        config._attn_implementation = "sdpa"
        network = ViTModel(config)

        class Encoder(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.network = network

            def forward(self, pixel_values):
                return self.network(pixel_values, return_dict=False)

        return Encoder().eval()
    if name == "pe_lang_l14_448":
        import timm

        config = json.loads((CONFIGS / f"{name}_timm" / "config.json").read_text())
        network = timm.create_model(config["architecture"], pretrained=False)
        network.forward = network.forward_features  # all tokens, as vernier's `features`
        return network.eval()
    if name == "pix2struct_base":
        from transformers import Pix2StructConfig, Pix2StructVisionModel

        config = Pix2StructConfig.from_json_file(CONFIGS / name / "config.json")
        network = Pix2StructVisionModel(config.vision_config)

        class PatchEncoder(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.network = network

            def forward(self, flattened_patches, attention_mask):
                return self.network(
                    flattened_patches, attention_mask=attention_mask, return_dict=False
                )[0]

        return PatchEncoder().eval()
    if name in BLENDMASKS:
        from blendmask import BlendMask, read_config

        return BlendMask(read_config(CONFIGS / name)).eval()
    raise SystemExit(f"unknown model {name}; known: {', '.join(MODELS)}")


def onnx_file(name, batch, cache):
    """The exported model, made on first use."""
    file = Path(cache) / f"{name}_batch{batch}" / "model.onnx"
    if file.exists():
        return file
    import torch

    module = build(name)
    inputs = tuple(torch.from_numpy(array) for array in noise(name, batch))
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name("unfinished.onnx")
    with contextlib.redirect_stdout(sys.stderr):  # a worker's stdout is for milliseconds
        torch.onnx.export(module, inputs, unfinished, dynamo=True, external_data=False)
    unfinished.rename(file)
    return file
