"""BlendMask's network in torch, as the yaml files of bench/configs describe it, with random weights.

Modules carry AdelaiDet's names. Outputs are the bases and, for each level, class logits, distances,
centre-ness and the attention of every location (`top_feat`), as in published exports: no
suppression, no masks.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

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
        "FPN_STRIDES": [8, 16, 32, 64, 128],
    },
    "BASIS_MODULE": {"NUM_BASES": 4, "CONVS_DIM": 128, "NUM_CONVS": 3},
    "BLENDMASK": {"ATTN_SIZE": 14},
}
BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


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


class NormedConv(nn.Conv2d):
    """Convolution without bias, and its batch norm as a part of it."""

    def __init__(self, inside, outside, kernel, stride=1):
        super().__init__(inside, outside, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outside)

    def forward(self, x):
        return self.norm(super().forward(x))


class Bottleneck(nn.Module):
    def __init__(self, inside, middle, outside, stride, stride_first):
        super().__init__()
        self.shortcut = NormedConv(inside, outside, 1, stride) if inside != outside else None
        self.conv1 = NormedConv(inside, middle, 1, stride if stride_first else 1)
        self.conv2 = NormedConv(middle, middle, 3, 1 if stride_first else stride)
        self.conv3 = NormedConv(middle, outside, 1)

    def forward(self, x):
        y = functional.relu(self.conv2(functional.relu(self.conv1(x))))
        return functional.relu(self.conv3(y) + (x if self.shortcut is None else self.shortcut(x)))


class ResNet(nn.Module):
    def __init__(self, c):
        super().__init__()
        inside, middle, outside = (
            c["STEM_OUT_CHANNELS"],
            c["WIDTH_PER_GROUP"],
            c["RES2_OUT_CHANNELS"],
        )
        self.stem = nn.Module()
        self.stem.conv1 = NormedConv(3, inside, 7, 2)
        for stage, count in enumerate(BLOCKS[c["DEPTH"]], 2):
            blocks = []
            for index in range(count):
                stride = 2 if index == 0 and stage > 2 else 1
                blocks.append(Bottleneck(inside, middle, outside, stride, c["STRIDE_IN_1X1"]))
                inside = outside
            setattr(self, f"res{stage}", nn.Sequential(*blocks))
            middle, outside = 2 * middle, 2 * outside

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.stem.conv1(x)), 3, 2, 1)
        res3 = self.res3(self.res2(x))
        res4 = self.res4(res3)
        return res3, res4, self.res5(res4)


class Pyramid(nn.Module):
    """p3 to p7; the last two grow on p5."""

    def __init__(self, c):
        super().__init__()
        self.bottom_up = ResNet(c["RESNETS"])
        wide, inside = c["FPN"]["OUT_CHANNELS"], c["RESNETS"]["RES2_OUT_CHANNELS"]
        for level in (3, 4, 5):
            inside *= 2
            setattr(self, f"fpn_lateral{level}", nn.Conv2d(inside, wide, 1))
            setattr(self, f"fpn_output{level}", nn.Conv2d(wide, wide, 3, padding=1))
        self.top_block = nn.Module()
        self.top_block.p6 = nn.Conv2d(wide, wide, 3, 2, 1)
        self.top_block.p7 = nn.Conv2d(wide, wide, 3, 2, 1)

    def forward(self, x):
        res3, res4, res5 = self.bottom_up(x)
        top = self.fpn_lateral5(res5)
        middle = self.fpn_lateral4(res4) + functional.interpolate(top, scale_factor=2)
        bottom = self.fpn_lateral3(res3) + functional.interpolate(middle, scale_factor=2)
        p5 = self.fpn_output5(top)
        p6 = self.top_block.p6(p5)
        p7 = self.top_block.p7(functional.relu(p6))
        return [self.fpn_output3(bottom), self.fpn_output4(middle), p5, p6, p7]


class Tower(nn.Sequential):
    """Convolutions shared by the levels; a batch norm is each level's own, a group norm shared."""

    def __init__(self, wide, count, norm, levels):
        parts = []
        for _ in range(count):
            parts.append(nn.Conv2d(wide, wide, 3, padding=1))
            if norm == "GN":
                parts.append(nn.GroupNorm(32, wide))
            else:
                parts.append(nn.ModuleList(nn.BatchNorm2d(wide) for _ in range(levels)))
            parts.append(nn.ReLU())
        super().__init__(*parts)

    def forward(self, x, level):
        for part in self:
            x = part[level](x) if isinstance(part, nn.ModuleList) else part(x)
        return x


class Head(nn.Module):
    def __init__(self, wide, c):
        super().__init__()
        levels = len(c["FPN_STRIDES"])
        self.cls_tower = Tower(wide, c["NUM_CLS_CONVS"], c["NORM"], levels)
        self.bbox_tower = Tower(wide, c["NUM_BOX_CONVS"], c["NORM"], levels)
        self.cls_logits = nn.Conv2d(wide, c["NUM_CLASSES"], 3, padding=1)
        self.bbox_pred = nn.Conv2d(wide, 4, 3, padding=1)
        self.ctrness = nn.Conv2d(wide, 1, 3, padding=1)

    def forward(self, x, level):
        boxes = self.bbox_tower(x, level)
        return (
            self.cls_logits(self.cls_tower(x, level)),
            functional.relu(self.bbox_pred(boxes)),
            self.ctrness(boxes),
            boxes,
        )


def normed(inside, outside):
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()
    )


class Bases(nn.Module):
    def __init__(self, wide, c):
        super().__init__()
        width = c["CONVS_DIM"]
        self.refine = nn.ModuleList(normed(wide, width) for _ in range(3))
        self.tower = nn.Sequential(
            *(normed(width, width) for _ in range(c["NUM_CONVS"])),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            normed(width, width),
            nn.Conv2d(width, c["NUM_BASES"], 1),
        )

    def forward(self, pyramid):
        fine, *coarse = (refine(level) for refine, level in zip(self.refine, pyramid))
        for level in coarse:
            fine = fine + functional.interpolate(level, fine.shape[2:], mode="bilinear")
        return self.tower(fine)


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
