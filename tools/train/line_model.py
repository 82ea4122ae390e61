"""The small PaddleOCR-VL: transformers' module, with a quicker forward pass for training on a CPU.

`see`, `project` and `decode` compute what PaddleOCRVLForConditionalGeneration computes, on its
weights, for a batch of lines of one width. `check_against_the_module` compares; training starts
with it.
"""

import torch
from torch import nn
from torch.nn import functional
from transformers import PaddleOCRVLConfig, PaddleOCRVLForConditionalGeneration

from line_tokenizer import AFTER, BEFORE, END, IDS, PLACEHOLDER
from lines import CHARACTERS, HEIGHT, LONGEST

PATCH, MERGE = 8, 2
ROWS = HEIGHT // PATCH  # of patches
VISION = {
    "hidden_size": 160,
    "intermediate_size": 480,
    "num_hidden_layers": 5,
    "num_attention_heads": 5,
}
TEXT = {
    "hidden_size": 192,
    "intermediate_size": 384,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
}
NONE = -100  # what cross entropy ignores
CLASSES = len(CHARACTERS) + 1  # and nothing


def make_model():
    config = PaddleOCRVLConfig(
        vision_config={
            **VISION,
            "patch_size": PATCH,
            "image_size": ROWS * PATCH,  # the learnt positions: 4 x 4, stretched over the width
            "spatial_merge_size": MERGE,
            "hidden_act": "gelu_pytorch_tanh",
        },
        text_config={
            **TEXT,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "vocab_size": len(IDS),
            "max_position_embeddings": 1024,
            "bos_token_id": IDS["<s>"],
            "eos_token_id": END,
            "pad_token_id": IDS["<unk>"],
            "rope_parameters": {
                "rope_type": "default",
                # A line is short: most frequencies go to the columns, none of them idle.
                "rope_theta": 100.0,
                "mrope_section": [2, 2, 12],
            },
        },
        image_token_id=PLACEHOLDER,
        video_token_id=IDS["<|video_pad|>"],
        vision_start_token_id=IDS["<|IMAGE_START|>"],
        vision_end_token_id=IDS["<|IMAGE_END|>"],
        tie_word_embeddings=True,
    )
    model = PaddleOCRVLForConditionalGeneration(config)
    model.generation_config.eos_token_id = END
    model.generation_config.pad_token_id = IDS["<unk>"]
    model.generation_config.max_new_tokens = LONGEST + 8
    model.generation_config._from_model_config = False  # it is to be kept as it stands here
    return model


def patches(pictures):
    """uint8 [n, 32, width, 3] to f32 [n, patches, 3 * 8 * 8], by rows, as the processor does."""
    values = torch.as_tensor(pictures).float().mul(1 / 127.5).sub(1)
    n, height, width, _ = values.shape
    cut = values.view(n, height // PATCH, PATCH, width // PATCH, PATCH, 3)
    return cut.permute(0, 1, 3, 5, 2, 4).reshape(n, -1, 3 * PATCH * PATCH)


def turn(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


def heads(x, count):
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


def attend(query, key, value, is_causal=False):
    """In f32: the fused attention's way back takes eight times longer in bfloat16."""
    with torch.autocast("cpu", enabled=False):
        query, key, value = query.float(), key.float(), value.float()
        return functional.scaled_dot_product_attention(query, key, value, is_causal=is_causal)


def see(model, cut):
    """[n, patches, 192] to the values after the middle layer and the last, [n, patches, width]."""
    vision = model.model.visual.vision_model
    embeddings = vision.embeddings
    columns = cut.shape[1] // ROWS
    x = functional.linear(
        cut, embeddings.patch_embedding.weight.flatten(1), embeddings.patch_embedding.bias
    )
    grid = embeddings.position_embedding.weight.unflatten(0, (ROWS, ROWS)).permute(2, 0, 1)
    stretched = functional.interpolate(grid[None], (ROWS, columns), mode="bilinear")[0]
    x = x + stretched.flatten(1).T
    at = torch.stack(
        [torch.arange(ROWS).repeat_interleave(columns), torch.arange(columns).repeat(ROWS)], -1
    )
    rotary = next(part for part in vision.modules() if hasattr(part, "inv_freq"))
    angles = (at[..., None] * rotary.inv_freq).flatten(1).repeat(1, 2)
    cos, sin = angles.cos(), angles.sin()
    count = VISION["num_attention_heads"]
    layers = vision.encoder.layers
    for index, layer in enumerate(layers):
        attention = layer.self_attn
        normed = layer.layer_norm1(x)
        query = turn(heads(attention.q_proj(normed), count), cos, sin)
        key = turn(heads(attention.k_proj(normed), count), cos, sin)
        value = heads(attention.v_proj(normed), count)
        mixed = attend(query, key, value)
        x = x + attention.out_proj(mixed.transpose(1, 2).flatten(2))
        hidden = functional.gelu(layer.mlp.fc1(layer.layer_norm2(x)), approximate="tanh")
        x = x + layer.mlp.fc2(hidden)
        if index == len(layers) // 2:
            middle = x
    return middle, vision.post_layernorm(x)


def project(model, seen):
    """To image tokens [n, 2 * columns, width of the decoder]."""
    projector = model.model.projector
    n, count, width = seen.shape
    x = projector.pre_norm(seen).view(n, ROWS // MERGE, MERGE, -1, MERGE, width)
    x = x.transpose(2, 3).reshape(n, count // MERGE**2, MERGE**2 * width)
    return projector.linear_2(functional.gelu(projector.linear_1(x)))


def positions(columns, length):
    """[3, 1, tokens] for a line whose image tokens stand in two rows."""
    before, after = torch.arange(len(BEFORE)), torch.arange(length - len(BEFORE) - 2 * columns)
    row = torch.arange(2).repeat_interleave(columns)
    column = torch.arange(columns).repeat(2)
    jump = len(BEFORE) + max(columns, 2)
    axes = [torch.zeros_like(row), row, column]
    return torch.stack(
        [torch.cat([before, len(BEFORE) + axis, jump + after]) for axis in axes]
    ).unsqueeze(1)


def rms(layer, x):
    return functional.rms_norm(x, layer.weight.shape, layer.weight, layer.variance_epsilon)


def decode(model, image, ids, pointing=()):
    """Logits for the character behind each of [prompt's end, *ids], and for the layers in
    `pointing` the first head's log attention of these positions to the image tokens."""
    text, n = model.model.language_model, len(image)
    embed = text.embed_tokens
    before = embed(torch.tensor(BEFORE)).expand(n, -1, -1)
    after = embed(torch.cat([torch.tensor(AFTER).expand(n, -1), ids], 1))
    x = torch.cat([before, image.to(before.dtype), after], 1)
    length, columns = x.shape[1], image.shape[1] // 2
    start = length - ids.shape[1] - 1
    cos, sin = text.rotary_emb(x, positions(columns, length))
    cos, sin = cos[:, None], sin[:, None]
    mask = torch.full((ids.shape[1] + 1, length), -torch.inf).triu(start + 1)
    looked = []
    for index, layer in enumerate(text.layers):
        attention = layer.self_attn
        normed = rms(layer.input_layernorm, x)
        query = turn(heads(attention.q_proj(normed), attention.num_heads), cos, sin)
        groups = attention.num_key_value_heads
        key = turn(heads(attention.k_proj(normed), groups), cos, sin)
        value = heads(attention.v_proj(normed), groups)
        every = attention.num_key_value_groups
        mixed = attend(
            query,
            key.repeat_interleave(every, 1),
            value.repeat_interleave(every, 1),
            is_causal=True,
        )
        if index in pointing:
            scores = query[:, 0, start:] @ key[:, 0].transpose(1, 2) * attention.scaling
            scores = (scores.float() + mask).log_softmax(-1)
            looked.append(scores[..., len(BEFORE) : len(BEFORE) + 2 * columns])
        x = x + attention.o_proj(mixed.transpose(1, 2).flatten(2))
        normed = rms(layer.post_attention_layernorm, x)
        x = x + layer.mlp.down_proj(
            functional.silu(layer.mlp.gate_proj(normed)) * layer.mlp.up_proj(normed)
        )
    return functional.linear(rms(text.norm, x[:, start:]), model.lm_head.weight), looked


@torch.inference_mode()
def read(model, pictures, longest=LONGEST + 8):
    """Greedy ids [n, length], ended by and padded with the end."""
    image = project(model, see(model, patches(pictures))[1])
    ids = torch.zeros(len(image), 0, dtype=torch.long)
    ended = torch.zeros(len(image), dtype=torch.bool)
    while ids.shape[1] < longest and not ended.all():
        best = decode(model, image, ids)[0][:, -1].argmax(-1).masked_fill(ended, END)
        ids = torch.cat([ids, best[:, None]], 1)
        ended |= best == END
    return ids


@torch.inference_mode()
def check_against_the_module(model, picture, ids):
    """The largest difference of a logit from the module's own; one picture [32, width, 3]."""
    cut = patches(picture[None])
    count = cut.shape[1]
    image_tokens = [PLACEHOLDER] * (count // MERGE**2)
    whole = torch.tensor([[*BEFORE, *image_tokens, *AFTER, *ids]])
    expected = model(
        input_ids=whole,
        attention_mask=torch.ones_like(whole),
        pixel_values=cut.view(count, 3, PATCH, PATCH),
        image_grid_thw=torch.tensor([[1, ROWS, count // ROWS]]),
        mm_token_type_ids=(whole == PLACEHOLDER).int(),
    ).logits[:, -len(ids) - 1 :]
    found, _ = decode(model, project(model, see(model, cut)[1]), torch.tensor([ids]))
    return (found - expected).abs().max().item()


class GuideHeads(nn.Module):
    """Says which character stands in each quarter of an image token's width, and which one of the
    line it is: from the middle of the encoder, from its end, and from the projector's output.

    Only for training: from texts alone the decoder takes many times longer to find out that there
    are characters to be read, in an order. Not part of the published checkpoint.
    """

    def __init__(self):
        super().__init__()
        self.sizes = [CLASSES, LONGEST]
        wide, both = VISION["hidden_size"] * ROWS, sum(self.sizes)
        self.middle = nn.Linear(wide, 2 * both)
        self.end = nn.Linear(wide, 2 * both)
        self.tokens = nn.Linear(TEXT["hidden_size"] * ROWS // MERGE, 4 * both)

    def forward(self, middle, end, tokens, frames):
        """frames [n, quarters, 2]: class of the character and its number in the line."""
        return [
            self._loss(self.middle(stacked(middle, ROWS)), frames),
            self._loss(self.end(stacked(end, ROWS)), frames),
            self._loss(self.tokens(stacked(tokens, ROWS // MERGE)), frames),
        ]

    def _loss(self, scores, frames):
        scores = scores.float().reshape(-1, sum(self.sizes)).split(self.sizes, -1)
        return [
            functional.cross_entropy(part, of, ignore_index=NONE)
            for part, of in zip(scores, frames.flatten(0, 1).unbind(1))
        ]


def stacked(x, rows):
    """[n, rows * columns, width] to [n, columns, rows * width]."""
    return x.unflatten(1, (rows, -1)).transpose(1, 2).flatten(2)
