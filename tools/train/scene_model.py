"""BlendMask-Lite in torch: FCOS finds boxes, and each box blends bases into a mask.

Modules carry AdelaiDet's names, so that the state's keys are those of its checkpoints. Settings are
AdelaiDet's yaml keys, plus FIXED_SIZE for the picture's size.
"""

import torch
import torchvision
from scenes import CLASSES, SIZE
from torch import nn
from torch.nn import functional

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
BLOCKS = (3, 4, 6, 3)  # of ResNet-50


class NormedConv(nn.Conv2d):
    """Convolution without bias, and its batch norm as a part of it."""

    def __init__(self, inside, outside, kernel, stride=1):
        super().__init__(inside, outside, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outside)

    def forward(self, x):
        return self.norm(super().forward(x))


class Bottleneck(nn.Module):
    def __init__(self, inside, middle, outside, stride):
        super().__init__()
        self.shortcut = NormedConv(inside, outside, 1, stride) if inside != outside else None
        self.conv1 = NormedConv(inside, middle, 1)
        self.conv2 = NormedConv(middle, middle, 3, stride)
        self.conv3 = NormedConv(middle, outside, 1)

    def forward(self, x):
        y = functional.relu(self.conv1(x), inplace=True)
        y = functional.relu(self.conv2(y), inplace=True)
        kept = x if self.shortcut is None else self.shortcut(x)
        return functional.relu(self.conv3(y) + kept, inplace=True)


class ResNet(nn.Module):
    def __init__(self, resnets):
        super().__init__()
        inside, middle = resnets["STEM_OUT_CHANNELS"], resnets["WIDTH_PER_GROUP"]
        outside = resnets["RES2_OUT_CHANNELS"]
        self.stem = nn.Module()
        self.stem.conv1 = NormedConv(3, inside, 7, 2)
        for stage, count in zip(range(2, 6), BLOCKS):
            blocks = []
            for index in range(count):
                stride = 2 if index == 0 and stage > 2 else 1
                blocks.append(Bottleneck(inside, middle, outside, stride))
                inside = outside
            setattr(self, f"res{stage}", nn.Sequential(*blocks))
            middle, outside = 2 * middle, 2 * outside

    def forward(self, x):
        x = functional.relu(self.stem.conv1(x), inplace=True)
        x = self.res2(functional.max_pool2d(x, 3, 2, 1))
        res3 = self.res3(x)
        res4 = self.res4(res3)
        return res3, res4, self.res5(res4)


class Pyramid(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.bottom_up = ResNet(model["RESNETS"])
        wide, inside = model["FPN"]["OUT_CHANNELS"], model["RESNETS"]["RES2_OUT_CHANNELS"]
        for level in (3, 4, 5):
            inside *= 2
            setattr(self, f"fpn_lateral{level}", nn.Conv2d(inside, wide, 1))
            setattr(self, f"fpn_output{level}", nn.Conv2d(wide, wide, 3, padding=1))

    def forward(self, x):
        res3, res4, res5 = self.bottom_up(x)
        top = self.fpn_lateral5(res5)
        middle = self.fpn_lateral4(res4) + functional.interpolate(top, scale_factor=2)
        bottom = self.fpn_lateral3(res3) + functional.interpolate(middle, scale_factor=2)
        return self.fpn_output3(bottom), self.fpn_output4(middle), self.fpn_output5(top)


class Tower(nn.Sequential):
    """Convolutions shared by the levels, with a batch norm for each level."""

    def __init__(self, wide, count):
        parts = []
        for _ in range(count):
            norms = nn.ModuleList(nn.BatchNorm2d(wide) for _ in FCOS["IN_FEATURES"])
            parts += [nn.Conv2d(wide, wide, 3, padding=1), norms, nn.ReLU(inplace=True)]
        super().__init__(*parts)

    def forward(self, x, level):
        for part in self:
            x = part[level](x) if isinstance(part, nn.ModuleList) else part(x)
        return x


class Head(nn.Module):
    def __init__(self, wide):
        super().__init__()
        self.cls_tower = Tower(wide, FCOS["NUM_CLS_CONVS"])
        self.bbox_tower = Tower(wide, FCOS["NUM_BOX_CONVS"])
        self.cls_logits = nn.Conv2d(wide, FCOS["NUM_CLASSES"], 3, padding=1)
        self.bbox_pred = nn.Conv2d(wide, 4, 3, padding=1)
        self.ctrness = nn.Conv2d(wide, 1, 3, padding=1)
        for predictor in (self.cls_logits, self.bbox_pred, self.ctrness):
            nn.init.normal_(predictor.weight, std=0.01)
        nn.init.constant_(self.cls_logits.bias, -4.6)  # a share of 0.01, as the focal loss wants
        nn.init.constant_(self.bbox_pred.bias, 2.0)  # alive: a ReLU follows

    def forward(self, x, level):
        """Class logits, distances in strides, centre-ness, and what the masks are made from."""
        mask_features = self.bbox_tower(x, level)
        return (
            self.cls_logits(self.cls_tower(x, level)),
            functional.relu(self.bbox_pred(mask_features)),
            self.ctrness(mask_features),
            mask_features,
        )


def refined(inside, outside):
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class Bases(nn.Module):
    def __init__(self, wide, basis):
        super().__init__()
        width = basis["CONVS_DIM"]
        self.refine = nn.ModuleList(refined(wide, width) for _ in basis["IN_FEATURES"])
        self.tower = nn.Sequential(
            *(refined(width, width) for _ in range(basis["NUM_CONVS"])),
            nn.Upsample(scale_factor=2, mode="bilinear"),
            refined(width, width),
            nn.Conv2d(width, basis["NUM_BASES"], 1),
        )

    def forward(self, pyramid):
        fine, *coarse = (refine(level) for refine, level in zip(self.refine, pyramid))
        for level in coarse:
            fine = fine + functional.interpolate(level, fine.shape[2:], mode="bilinear")
        return self.tower(fine)


class BlendMask(nn.Module):
    def __init__(self):
        super().__init__()
        wide = MODEL["FPN"]["OUT_CHANNELS"]
        self.backbone = Pyramid(MODEL)
        self.proposal_generator = nn.Module()
        self.proposal_generator.fcos_head = Head(wide)
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
