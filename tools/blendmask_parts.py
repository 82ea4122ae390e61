"""What BlendMask is built of, in torch: the measured network and the trained one share it.

Modules carry AdelaiDet's names. `c` are the MODEL sections of its configuration, or one of them.
The order in which modules are made is that of their random weights: a seed gives the same ones.
"""

from torch import nn
from torch.nn import functional

BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


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
    """p3 to p5, and where the configuration has TOP_LEVELS p6 and p7, which grow on p5."""

    def __init__(self, c):
        super().__init__()
        self.bottom_up = ResNet(c["RESNETS"])
        wide, inside = c["FPN"]["OUT_CHANNELS"], c["RESNETS"]["RES2_OUT_CHANNELS"]
        for level in (3, 4, 5):
            inside *= 2
            setattr(self, f"fpn_lateral{level}", nn.Conv2d(inside, wide, 1))
            setattr(self, f"fpn_output{level}", nn.Conv2d(wide, wide, 3, padding=1))
        self.top_block = nn.Module() if c["FCOS"]["TOP_LEVELS"] > 0 else None
        if self.top_block is not None:
            self.top_block.p6 = nn.Conv2d(wide, wide, 3, 2, 1)
            self.top_block.p7 = nn.Conv2d(wide, wide, 3, 2, 1)

    def forward(self, x):
        res3, res4, res5 = self.bottom_up(x)
        top = self.fpn_lateral5(res5)
        middle = self.fpn_lateral4(res4) + functional.interpolate(top, scale_factor=2)
        bottom = self.fpn_lateral3(res3) + functional.interpolate(middle, scale_factor=2)
        p5 = self.fpn_output5(top)
        levels = [self.fpn_output3(bottom), self.fpn_output4(middle), p5]
        if self.top_block is not None:
            p6 = self.top_block.p6(p5)
            levels += [p6, self.top_block.p7(functional.relu(p6))]
        return levels


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
        """Class logits, distances in strides, centre-ness, and what the masks are made from."""
        mask_features = self.bbox_tower(x, level)
        return (
            self.cls_logits(self.cls_tower(x, level)),
            functional.relu(self.bbox_pred(mask_features)),
            self.ctrness(mask_features),
            mask_features,
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
