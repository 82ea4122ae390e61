"""BlendMask's network in torch, as the yaml files of bench/configs describe it, with random weights.

Modules carry AdelaiDet's names. Outputs are the bases and, for each level, class logits, distances,
centre-ness and the attention of every location (`top_feat`), as in published exports: no
suppression, no masks.
"""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from blendmask_parts import Bases, Head, Pyramid  # noqa: E402

# Of AdelaiDet, where bench/configs says nothing.
DEFAULTS = {
    "RESNETS": {
        "DEPTH": 50,
        "NORM": "FrozenBN",
        "STRIDE_IN_1X1": True,
        "STEM_OUT_CHANNELS": 64,
        "RES2_OUT_CHANNELS": 256,
        "WIDTH_PER_GROUP": 64,
    },
    "FPN": {"OUT_CHANNELS": 256},
    "FCOS": {
        "NORM": "GN",
        "NUM_CLS_CONVS": 4,
        "NUM_BOX_CONVS": 4,
        "NUM_CLASSES": 80,
        "TOP_LEVELS": 2,
        "FPN_STRIDES": [8, 16, 32, 64, 128],
    },
    "BASIS_MODULE": {"NUM_BASES": 4, "CONVS_DIM": 128, "NUM_CONVS": 3},
    "BLENDMASK": {"ATTN_SIZE": 14},
}


def merged(base, over):
    """`over` laid on `base`, section by section."""
    result = dict(base)
    for key, value in over.items():
        inside = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = merged(base[key], value) if inside else value
    return result


def read_yaml(file):
    """A detectron2 yaml and those that it stands on."""
    import yaml

    tree = yaml.safe_load(file.read_text())
    under = tree.pop("_BASE_", None)
    return merged(read_yaml(file.parent / under), tree) if under else tree


def read_config(folder):
    """MODEL's sections; of a published model the yaml that no other stands on."""
    folder = Path(folder)
    own = folder / "config.yaml"
    file = own if own.exists() else next(f for f in folder.glob("*.yaml") if "Base" not in f.name)
    return merged(DEFAULTS, read_yaml(file)["MODEL"])


class BlendMask(nn.Module):
    def __init__(self, c):
        super().__init__()
        wide = c["FPN"]["OUT_CHANNELS"]
        self.backbone = Pyramid(c)
        self.proposal_generator = nn.Module()
        self.proposal_generator.fcos_head = Head(wide, c["FCOS"])
        self.basis_module = Bases(wide, c["BASIS_MODULE"])
        attention = c["BASIS_MODULE"]["NUM_BASES"] * c["BLENDMASK"]["ATTN_SIZE"] ** 2
        self.top_layer = nn.Conv2d(wide, attention, 3, padding=1)

    def forward(self, pictures):
        pyramid = self.backbone(pictures)
        outputs = [self.basis_module(pyramid)]
        for level, x in enumerate(pyramid):
            *predicted, boxes = self.proposal_generator.fcos_head(x, level)
            outputs += [*predicted, self.top_layer(boxes)]
        return tuple(outputs)


def multiply_adds(module, *inputs):
    """Of the convolutions in one run."""
    total = 0

    def count(convolution, _, output):
        nonlocal total
        total += convolution.weight[0].numel() * output.numel()

    hooks = [
        part.register_forward_hook(count)
        for part in module.modules()
        if isinstance(part, nn.Conv2d)
    ]
    with torch.inference_mode():
        module(*inputs)
    for hook in hooks:
        hook.remove()
    return total
