"""What BlendMask is trained for: classes, boxes, centre-ness, and masks through the blender."""

import torch
import torchvision
from scene_model import BLEND, FCOS, blend, locations
from torch.nn import functional

RANGES = [(0, 28), (28, 56), (56, 1e6)]  # a level's farthest side of a box, in pixels
RADIUS = 1.5  # about a box's centre, in strides: where it is to be found
MASKS = 12  # of a picture, on average: blended for the loss
NO_SHAPE = -1


def targets(boxes, shapes):
    """For each level, which of the picture's boxes a location stands for, [height * width]."""
    found = []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    for (height, width), stride, (low, high) in zip(shapes, FCOS["FPN_STRIDES"], RANGES):
        at = locations(height, width, stride).float()[:, None]
        reach = torch.cat([at - boxes[:, :2], boxes[:, 2:] - at], 2)
        inside = reach.amin(2) > 0
        near = (at - middles).abs().amax(2) < RADIUS * stride
        fits = (reach.amax(2) >= low) & (reach.amax(2) < high)
        size = areas.masked_fill(~(inside & near & fits), torch.inf)
        smallest, which = size.min(1)
        found.append(which.masked_fill(smallest.isinf(), NO_SHAPE))
    return found


def batch_targets(scenes_boxes, shapes):
    """For each level [pictures, height, width]: the number of the box in the whole batch, or -1."""
    first, levels = 0, [[] for _ in shapes]
    for boxes in scenes_boxes:
        for level, which in enumerate(targets(boxes, shapes)):
            levels[level].append(torch.where(which < 0, which, which + first))
        first += len(boxes)
    return [torch.stack(level).unflatten(1, shape) for level, shape in zip(levels, shapes)]


def centreness(reach):
    left, top, right, bottom = reach.unbind(1)
    across = torch.minimum(left, right) / torch.maximum(left, right)
    down = torch.minimum(top, bottom) / torch.maximum(top, bottom)
    return (across * down).clamp(min=0).sqrt()


def losses(model, pictures, boxes, classes, masks):
    """Of classes, boxes, centre-ness and masks. Boxes [n, 4] in a list by picture; classes and
    masks of all of them in one row."""
    levels, bases = model(pictures)
    numbers = batch_targets(boxes, [tuple(logits.shape[2:]) for logits, *_ in levels])
    every = torch.cat(boxes)
    focal, chosen = 0.0, []
    for stride, number, (logits, distances, centres, features) in zip(
        FCOS["FPN_STRIDES"], numbers, levels
    ):
        wanted = functional.one_hot((classes[number] + 1) * (number >= 0), logits.shape[1] + 1)
        focal = focal + torchvision.ops.sigmoid_focal_loss(
            logits.float(), wanted[..., 1:].permute(0, 3, 1, 2).float(), 0.25, 2.0, "sum"
        )
        at = (number >= 0).nonzero()
        picture, y, x = at.unbind(1)
        which = number[picture, y, x]
        place = torch.stack([x, y], 1) * stride + stride // 2
        reach = torch.cat([place - every[which, :2], every[which, 2:] - place], 1) / stride
        chosen.append(
            (
                place / stride,
                reach,
                distances.permute(0, 2, 3, 1)[picture, y, x].float(),
                centres[picture, 0, y, x].float(),
                which,
                picture,
                model.attentions(features, at).float(),
            )
        )
    place, reach, distances, centres, which, picture, attention = (
        torch.cat(part) for part in zip(*chosen)
    )
    count = max(len(which), 1)
    weight = centreness(reach)
    found = torch.cat([place - distances[:, :2], place + distances[:, 2:]], 1)
    wanted = torch.cat([place - reach[:, :2], place + reach[:, 2:]], 1)
    overlap = torchvision.ops.generalized_box_iou_loss(found, wanted)
    box = (overlap * weight).sum() / weight.sum().clamp(min=1e-6)
    centre = functional.binary_cross_entropy_with_logits(centres, weight)

    some = torch.randperm(count)[: MASKS * len(pictures)]
    which, picture, attention = which[some], picture[some], attention[some]
    side = (every[which, 2:] - every[which, :2]).repeat(1, 2)
    loose = every[which] + 0.04 * side * torch.randn(len(which), 4)
    logits = blend(bases.float(), torch.cat([picture[:, None], loose], 1), attention)
    whole = masks[which][:, None].float()
    rows = torch.cat([torch.arange(len(which))[:, None], loose], 1)
    shown = torchvision.ops.roi_align(whole, rows, BLEND["BOTTOM_RESOLUTION"], aligned=True)[:, 0]
    mask = functional.binary_cross_entropy_with_logits(logits, (shown >= 0.5).float())
    return focal / count, box, centre, mask
