"""The small PaddleOCR-VL's tokenizer: characters, bytes for all others, and the published specials.

The sentences around a picture are whole pieces, so that a prompt takes eight tokens besides it.
"""

import json

from lines import CHARACTERS

SPACE = "\u2581"
SPECIAL = [
    "<unk>", "<s>", "</s>", "<|begin_of_sentence|>", "<|end_of_sentence|>", "<mask:1>",
    "<|IMAGE_PLACEHOLDER|>", "<|video_pad|>", "<|IMAGE_START|>", "<|IMAGE_END|>",
]  # fmt: skip
PHRASES = ["User:" + SPACE, "OCR:", "Assistant:"]
TASK = "OCR:"
TEMPLATE = """\
{%- if add_generation_prompt is not defined %}{% set add_generation_prompt = true %}{% endif -%}
{{- "<|begin_of_sentence|>" -}}
{%- for message in messages -%}
{%- if message.role == "user" -%}
{{- "User: " -}}
{%- for part in message.content if part.type == "image" -%}
{{- "<|IMAGE_START|><|IMAGE_PLACEHOLDER|><|IMAGE_END|>" -}}
{%- endfor -%}
{%- for part in message.content if part.type == "text" -%}{{- part.text -}}{%- endfor -%}
{{- "\\n" -}}
{%- elif message.role == "assistant" -%}
{{- "Assistant:\\n" -}}
{%- for part in message.content if part.type == "text" -%}{{- part.text -}}{%- endfor -%}
{{- "</s>" -}}
{%- else -%}
{%- for part in message.content if part.type == "text" -%}{{- part.text ~ "\\n" -}}{%- endfor -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- "Assistant:\\n" -}}{%- endif -%}
"""


def pieces():
    """Every piece by its id, and the merges that build the phrases from the left."""
    every = [*SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256)), "\n", SPACE]
    printable = (chr(code) for code in range(33, 127))
    every += [character for character in printable]
    merges = []
    for phrase in PHRASES:
        for end in range(1, len(phrase)):
            merges.append([phrase[:end], phrase[end]])
            every.append(phrase[: end + 1])
    return every, merges


IDS = {piece: index for index, piece in enumerate(pieces()[0])}
END = IDS["</s>"]
PLACEHOLDER = IDS["<|IMAGE_PLACEHOLDER|>"]
BEFORE = [IDS[piece] for piece in ("<|begin_of_sentence|>", PHRASES[0], "<|IMAGE_START|>")]
AFTER = [IDS[piece] for piece in ("<|IMAGE_END|>", "OCR:", "\n", "Assistant:", "\n")]
READABLE = {character: IDS[character.replace(" ", SPACE)] for character in CHARACTERS}
LETTERS = {index: character for character, index in READABLE.items()}


def write_tokenizer(folder):
    every, merges = pieces()
    swap = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
    back = {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": index, "content": piece, **flags, "special": True}
            for index, piece in enumerate(SPECIAL)
        ],
        "normalizer": {"type": "Sequence", "normalizers": [swap]},
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"}],
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": "<unk>",
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": {piece: index for index, piece in enumerate(every)},
            "merges": merges,
        },
    }
    write_json(folder / "tokenizer.json", tokenizer)
    write_json(
        folder / "tokenizer_config.json",
        {
            "add_bos_token": False,
            "add_eos_token": False,
            "add_prefix_space": False,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "<unk>",
            "cls_token": "<|begin_of_sentence|>",
            "sep_token": "<|end_of_sentence|>",
            "mask_token": "<mask:1>",
            "image_token": "<|IMAGE_PLACEHOLDER|>",
            "clean_up_tokenization_spaces": False,
            "spaces_between_special_tokens": False,
            "model_max_length": 1024,
            "tokenizer_class": "LlamaTokenizer",
            "processor_class": "PaddleOCRVLProcessor",
        },
    )
    (folder / "chat_template.jinja").write_text(TEMPLATE)


def write_json(file, value):
    file.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
