"""The small Pix2Struct: transformers' module, with a quicker forward pass for training on a CPU.

`encode` and `decode` compute what Pix2StructForConditionalGeneration computes, on its weights, with
fused attention, norm and activation; half the time of the module's own forward here.
"""
import torch
from torch import nn
from torch.nn import functional
from transformers import Pix2StructConfig, Pix2StructForConditionalGeneration

from chart_batches import NONE, WORDS
from chart_inputs import MAX_PATCHES

WIDTH, HEADS, HIDDEN = 128, 4, 256
ENCODER_LAYERS, DECODER_LAYERS = 4, 2
LONGEST_ANSWER = 24
EPSILON = 1e-6


def make_model(vocabulary):
    shared = {"hidden_size": WIDTH, "d_ff": HIDDEN, "d_kv": WIDTH // HEADS, "dropout_rate": 0.0}
    config = Pix2StructConfig(
        vision_config={
            **shared,
            "num_hidden_layers": ENCODER_LAYERS,
            "num_attention_heads": HEADS,
            "seq_len": MAX_PATCHES + 1,  # ids start at 1
        },
        text_config={
            **shared,
            "vocab_size": vocabulary,
            "num_layers": DECODER_LAYERS,
            "num_heads": HEADS,
        },
        is_vqa=True,
    )
    return Pix2StructForConditionalGeneration(config)


def norm(layer, x):
    return functional.rms_norm(x, layer.weight.shape, layer.weight, EPSILON)


def heads(x):
    return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)


def attend(module, x, source, mask=None):
    """No scaling of the scores: T5's way."""
    query, key, value = heads(module.query(x)), heads(module.key(source)), heads(module.value(source))
    mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=1.0)
    return module.output(mixed.transpose(1, 2).flatten(2))


def feed_forward(module, x):
    gate = functional.gelu(module.wi_0(x), approximate="tanh")
    return module.wo(gate * module.wi_1(x))


def encode(model, patches):
    """The values after half of the layers, and the memory; patches without padding."""
    x = model.encoder.embeddings(patches)
    layers = model.encoder.encoder.layer
    for index, layer in enumerate(layers):
        if index == len(layers) // 2:
            hidden = x
        normed = norm(layer.pre_attention_layer_norm, x)
        x = x + attend(layer.attention, normed, normed)
        x = x + feed_forward(layer.mlp, norm(layer.pre_mlp_layer_norm, x))
    return hidden, norm(model.encoder.layernorm, x)


def pairing_loss(model, hidden, pairs):
    """On one head of the first layer behind `hidden`: a label should look at its number, and back."""
    layers = model.encoder.encoder.layer
    layer = layers[len(layers) // 2]
    normed = norm(layer.pre_attention_layer_norm, hidden)
    row, patch, partner = pairs.unbind(1)
    query = functional.linear(normed[row, patch], layer.attention.query.weight[: WIDTH // HEADS])
    key = functional.linear(normed, layer.attention.key.weight[: WIDTH // HEADS])
    scores = (key[row] @ query[..., None]).squeeze(-1)
    return functional.cross_entropy(scores, partner)


def decode(model, memory, ids):
    """Logits [batch, position, vocabulary], and each layer's cross scores [batch, head, position,
    patch] before their softmax."""
    decoder, length = model.decoder, ids.shape[1]
    x = decoder.embed_tokens(ids)
    first = decoder.layer[0].self_attention.attention
    mask = first.compute_bias(length, length)
    mask = mask + torch.full((length, length), -torch.inf).triu(1)
    all_scores = []
    for layer in decoder.layer:
        attention = layer.self_attention
        normed = norm(attention.layer_norm, x)
        x = x + attend(attention.attention, normed, normed, mask)
        cross = layer.encoder_decoder_attention.attention
        query = heads(cross.query(norm(layer.encoder_decoder_attention.layer_norm, x)))
        scores = query @ heads(cross.key(memory)).transpose(-1, -2)
        mixed = scores.softmax(-1) @ heads(cross.value(memory))
        x = x + cross.output(mixed.transpose(1, 2).flatten(2))
        x = x + feed_forward(layer.mlp.DenseReluDense, norm(layer.mlp.layer_norm, x))
        all_scores.append(scores)
    return decoder.lm_head(norm(decoder.final_layer_norm, x)), all_scores


def teacher_forced_loss(model, memory, batch):
    """The loss on the answers, and on where cross-attention looks for them."""
    labels = batch["labels"]
    start = torch.zeros_like(labels[:, :1])
    ids = torch.cat([start, labels[:, :-1].clamp(min=0)], 1)
    logits, scores = decode(model, memory, ids)
    answers = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=NONE)
    row, position, layer, head, patch = batch["pointers"].unbind(1)
    looked = torch.stack(scores)[layer, row, head, position]
    return answers, functional.cross_entropy(looked, patch)


def answer(model, batch):
    """Greedy ids [batch, length] without the start, padded after the end."""
    _, memory = encode(model, batch["patches"])
    ids = torch.zeros(len(memory), 1, dtype=torch.long)
    ended = torch.zeros(len(memory), dtype=torch.bool)
    while ids.shape[1] <= LONGEST_ANSWER and not ended.all():
        best = decode(model, memory, ids)[0][:, -1].argmax(-1).masked_fill(ended, 0)
        ids = torch.cat([ids, best[:, None]], 1)
        ended |= best == 1
    return ids[:, 1:]


class GuideHeads(nn.Module):
    """Says what stands in a patch, from the middle of the encoder and from its end, and from there
    also what belongs to it: a label's number, a number's label, and whether it is an extreme.

    Only for training: a model that must find out from answers alone that there are words and
    numbers at all takes many times longer. Not part of the published checkpoint.
    """

    def __init__(self, width):
        super().__init__()
        self.sizes = [len(WORDS), 11, 10]
        self.middle = nn.Linear(width, sum(self.sizes))
        self.end = nn.Linear(width, sum(self.sizes))
        self.related = nn.Linear(width, sum(self.sizes) + 3)

    def forward(self, hidden, memory, marks):
        row, patch, classes = marks[:, 0], marks[:, 1], marks[:, 2:]
        own, partner = classes[:, :3], classes[:, 3:]
        middle, end = hidden[row, patch], memory[row, patch]
        return (
            self._loss(self.middle(middle), self.sizes, own)
            + self._loss(self.end(end), self.sizes, own)
            + self._loss(self.related(end), [*self.sizes, 3], partner)
        ) / 6

    @staticmethod
    def _loss(scores, sizes, classes):
        parts = zip(scores.split(sizes, -1), classes.unbind(1))
        return sum(functional.cross_entropy(part, of, ignore_index=NONE) for part, of in parts)
