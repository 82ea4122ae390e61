"""The full-size encoders that are timed, built from bench/configs with random weights.

Timing depends on shapes, not on values, so no weights are downloaded. An exported ONNX file is kept
in a cache folder: exporting takes minutes, and a worker that only loads it carries no PyTorch.
"""
import json
from pathlib import Path

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
MODELS = ("vit_base_patch16_224", "pe_lang_l14_448")


def build(name):
    """(module in evaluation mode, its input shape without the batch)."""
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

        return Encoder().eval(), (3, config.image_size, config.image_size)
    if name == "pe_lang_l14_448":
        import timm

        config = json.loads((CONFIGS / f"{name}_timm" / "config.json").read_text())
        network = timm.create_model(config["architecture"], pretrained=False)
        network.forward = network.forward_features  # all tokens, as vernier's `features`
        return network.eval(), tuple(config["pretrained_cfg"]["input_size"])
    raise SystemExit(f"unknown model {name}; known: {', '.join(MODELS)}")


def onnx_file(name, batch, cache):
    """The exported model, made on first use."""
    file = Path(cache) / f"{name}_batch{batch}" / "model.onnx"
    if file.exists():
        return file
    import torch

    module, shape = build(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name("unfinished.onnx")
    torch.onnx.export(
        module, (torch.randn(batch, *shape),), unfinished, dynamo=True, external_data=False
    )
    unfinished.rename(file)
    return file
