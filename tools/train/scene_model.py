"""BlendMask-Lite in torch: FCOS finds boxes, and each box blends bases into a mask.

Modules carry AdelaiDet's names, so that the state's keys are those of its checkpoints. Settings are
AdelaiDet's yaml keys, plus FIXED_SIZE for the picture's size.
"""

import sys
from pathlib import Path

import torch
import torchvision
from scenes import CLASSES, SIZE
from torch import nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from blendmask_parts import Bases, Head, Pyramid  # noqa: E402

CONFIG = {
    "MODEL": {
        "META_ARCHITECTURE": "BlendMask",
        "PIXEL_MEAN": [123.675, 116.28, 103.53],
        "PIXEL_STD": [58.395, 57.12, 57.375],
        "BACKBONE": {"NAME": "build_fcos_resnet_fpn_backbone"},
        "RESNETS": {
            "DEPTH": 50,
            "NORM": "BN",
            "STEM_OUT_CHANNELS": 16,
            "RES2_OUT_CHANNELS": 64,
            "WIDTH_PER_GROUP": 16,
            "NUM_GROUPS": 1,
            "STRIDE_IN_1X1": False,
        },
        "FPN": {
            "IN_FEATURES": ["res3", "res4", "res5"],
            "OUT_CHANNELS": 64,
            "NORM": "",
            "FUSE_TYPE": "sum",
        },
        "FCOS": {
            "NUM_CLASSES": len(CLASSES),
            "IN_FEATURES": ["p3", "p4", "p5"],
            "FPN_STRIDES": [8, 16, 32],
            "TOP_LEVELS": 0,
            "NORM": "BN",
            "NUM_CLS_CONVS": 2,
            "NUM_BOX_CONVS": 2,
            "NUM_SHARE_CONVS": 0,
            "USE_SCALE": False,
            "THRESH_WITH_CTR": True,
            "INFERENCE_TH_TEST": 0.05,
            "NMS_TH": 0.6,
            "PRE_NMS_TOPK_TEST": 1000,
            "POST_NMS_TOPK_TEST": 100,
        },
        "BASIS_MODULE": {
            "NUM_BASES": 4,
            "CONVS_DIM": 32,
            "IN_FEATURES": ["p3", "p4", "p5"],
            "NORM": "BN",
            "NUM_CONVS": 2,
            "LOSS_ON": False,
            "NUM_CLASSES": len(CLASSES),
        },
        "BLENDMASK": {
            "ATTN_SIZE": 7,
            "TOP_INTERP": "bilinear",
            "BOTTOM_RESOLUTION": 28,
            "POOLER_TYPE": "ROIAlignV2",
            "POOLER_SAMPLING_RATIO": 1,
            "POOLER_SCALES": [0.25],
        },
        "PANOPTIC_FPN": {"COMBINE": {"ENABLED": False}},
    },
    "INPUT": {"FORMAT": "RGB", "FIXED_SIZE": [SIZE, SIZE]},
}
MODEL = CONFIG["MODEL"]
FCOS, BLEND = MODEL["FCOS"], MODEL["BLENDMASK"]


class HeadToTrain(Head):
    """With the first weights that the focal loss wants."""

    def __init__(self, wide):
        super().__init__(wide, FCOS)
        for predictor in (self.cls_logits, self.bbox_pred, self.ctrness):
            nn.init.normal_(predictor.weight, std=0.01)
        nn.init.constant_(self.cls_logits.bias, -4.6)  # a share of 0.01, as the focal loss wants
        nn.init.constant_(self.bbox_pred.bias, 2.0)  # alive: a ReLU follows


class BlendMask(nn.Module):
    def __init__(self):
        super().__init__()
        wide = MODEL["FPN"]["OUT_CHANNELS"]
        self.backbone = Pyramid(MODEL)
        self.proposal_generator = nn.Module()
        self.proposal_generator.fcos_head = HeadToTrain(wide)
        self.basis_module = Bases(wide, MODEL["BASIS_MODULE"])
        attention = MODEL["BASIS_MODULE"]["NUM_BASES"] * BLEND["ATTN_SIZE"] ** 2
        self.top_layer = nn.Conv2d(wide, attention, 3, padding=1)
        nn.init.normal_(self.top_layer.weight, std=0.01)
        nn.init.zeros_(self.top_layer.bias)

    def forward(self, pictures):
        """The head's outputs for each level, and the bases; pictures as `normalised` gives them."""
        pyramid = self.backbone(pictures)
        head = self.proposal_generator.fcos_head
        return [head(x, level) for level, x in enumerate(pyramid)], self.basis_module(pyramid)

    def attentions(self, features, at):
        """top_layer at chosen places only: rows of `at` are (picture, y, x). [rows, bases, 7, 7]"""
        padded = functional.pad(features, (1, 1, 1, 1))
        picture, y, x = at.unbind(1)
        near = torch.arange(3)
        window = padded.permute(0, 2, 3, 1)[
            picture[:, None, None], (y[:, None] + near)[:, :, None], (x[:, None] + near)[:, None]
        ]
        flat = window.permute(0, 3, 1, 2).flatten(1)
        top = functional.linear(flat, self.top_layer.weight.flatten(1), self.top_layer.bias)
        return top.unflatten(1, (-1, BLEND["ATTN_SIZE"], BLEND["ATTN_SIZE"]))


def normalised(pictures):
    """uint8 [n, height, width, 3] to f32 [n, 3, height, width]."""
    mean, std = torch.tensor(MODEL["PIXEL_MEAN"]), torch.tensor(MODEL["PIXEL_STD"])
    values = (torch.as_tensor(pictures).float() - mean) / std
    return values.permute(0, 3, 1, 2)


def blend(bases, boxes, attention):
    """Mask logits [rows, 28, 28]; rows of boxes are (picture, x0, y0, x1, y1)."""
    side = BLEND["BOTTOM_RESOLUTION"]
    pooled = torchvision.ops.roi_align(
        bases, boxes, side, BLEND["POOLER_SCALES"][0], BLEND["POOLER_SAMPLING_RATIO"], aligned=True
    )
    shares = functional.interpolate(attention, (side, side), mode="bilinear").softmax(1)
    return (pooled * shares).sum(1)


def locations(height, width, stride):
    """[height * width, 2] of (x, y) in pixels, row by row."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x, y], -1).flatten(0, 1) * stride + stride // 2


@torch.inference_mode()
def detect(model, pictures):
    """For each picture (boxes, scores, classes, masks [n, 192, 192]), best first."""
    levels, bases = model(normalised(pictures))
    found = []
    for picture in range(len(pictures)):
        parts = []
        for stride, (logits, distances, centres, features) in zip(FCOS["FPN_STRIDES"], levels):
            height, width = logits.shape[2:]
            both = logits[picture].sigmoid() * centres[picture].sigmoid()
            at, kind = (both.flatten(1).T > FCOS["INFERENCE_TH_TEST"]).nonzero(as_tuple=True)
            score = both.flatten(1)[kind, at].sqrt()
            place = locations(height, width, stride)[at].float()
            reach = distances[picture].flatten(1)[:, at].T * stride
            boxes = torch.cat([place - reach[:, :2], place + reach[:, 2:]], 1)
            where = torch.stack([torch.full_like(at, picture), at // width, at % width], 1)
            parts.append((boxes, score, kind, model.attentions(features, where)))
        boxes, scores, kinds, attention = (torch.cat(part) for part in zip(*parts))
        kept = torchvision.ops.batched_nms(boxes, scores, kinds, FCOS["NMS_TH"])
        kept = kept[: FCOS["POST_NMS_TOPK_TEST"]]
        boxes, scores, kinds = boxes[kept], scores[kept], kinds[kept]
        rows = torch.cat([torch.full((len(kept), 1), picture), boxes], 1)
        shares = blend(bases, rows, attention[kept]).sigmoid()
        clipped = boxes.clamp(0, SIZE)
        alive = ((clipped[:, 2:] - clipped[:, :2]) > 0).all(1)
        masks = paste(shares[alive], clipped[alive])
        found.append((clipped[alive], scores[alive], kinds[alive], masks))
    return found


def paste(shares, boxes):
    """bool [n, 192, 192]: the soft masks sampled at pixel centres within their boxes."""
    centres = torch.arange(SIZE) + 0.5
    x0, y0, x1, y1 = boxes[:, :, None].unbind(1)
    x = (centres - x0) / (x1 - x0) * 2 - 1
    y = (centres - y0) / (y1 - y0) * 2 - 1
    grid = torch.stack([x[:, None].expand(-1, SIZE, -1), y[:, :, None].expand(-1, -1, SIZE)], -1)
    soft = functional.grid_sample(shares[:, None], grid, align_corners=False)
    return soft[:, 0] >= 0.5
