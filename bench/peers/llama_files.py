"""A PaddleOCR-VL checkpoint as llama.cpp's two files, made by its own converter on first use.

Random weights come without a tokenizer, which the converter asks for: a small one is put beside
them that holds characters, bytes, and the published specials at their published ids.
"""

import json
import subprocess
import sys
from pathlib import Path

TYPES = {"f32": "f32", "bf16": "bf16", "int8": "q8_0"}
SPECIALS = {
    100273: "<|begin_of_sentence|>",
    100295: "<|IMAGE_PLACEHOLDER|>",
    101305: "<|IMAGE_START|>",
    101306: "<|IMAGE_END|>",
}
PHRASES = {103000: "User: ", 103001: "OCR:", 103002: "Assistant:"}


def write_tokenizer(folder):
    from sentencepiece import sentencepiece_model_pb2 as proto

    kinds = proto.ModelProto.SentencePiece
    model = proto.ModelProto()
    model.pieces.add(piece="<unk>", score=0, type=kinds.UNKNOWN)
    for piece in ("<s>", "</s>"):
        model.pieces.add(piece=piece, score=0, type=kinds.CONTROL)
    for byte in range(256):
        model.pieces.add(piece=f"<0x{byte:02X}>", score=0, type=kinds.BYTE)
    for index, character in enumerate(["\u2581", *map(chr, range(33, 127))]):
        model.pieces.add(piece=character, score=-index, type=kinds.NORMAL)
    model.trainer_spec.model_type = proto.TrainerSpec.BPE
    model.trainer_spec.byte_fallback = True
    model.trainer_spec.vocab_size = len(model.pieces)
    (folder / "tokenizer.model").write_bytes(model.SerializeToString())
    added = {
        str(index): {"content": content, "special": special}
        for table, special in ((SPECIALS, True), (PHRASES, False))
        for index, content in table.items()
    }
    config = {"add_bos_token": False, "add_prefix_space": False, "added_tokens_decoder": added}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def make_source(checkpoint, folder):
    """The checkpoint's weights by links, and beside them what the converter asks for."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in checkpoint.glob("*.safetensors*"):
        link = folder / file.name
        if not link.exists():
            link.symlink_to(file.resolve())
    config = json.loads((checkpoint / "config.json").read_text())
    config["architectures"] = ["PaddleOCRVLForConditionalGeneration"]
    config["vision_config"]["architectures"] = ["PaddleOCRVisionModel"]
    (folder / "config.json").write_text(json.dumps(config))
    published = {
        "min_pixels": 147384,
        "max_pixels": 2822400,
        "patch_size": 14,
        "merge_size": 2,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(published))
    write_tokenizer(folder)


def gguf_files(checkpoint, dtype, llama_cpp):
    """(decoder, vision encoder) beside the checkpoint; `llama_cpp` is a folder of its sources."""
    source = checkpoint.with_name(checkpoint.name + "_gguf")
    files = []
    for part, flags in (("decoder", []), ("vision", ["--mmproj"])):
        file = source / f"{part}_{dtype}.gguf"
        files.append(file)
        if file.exists():
            continue
        make_source(checkpoint, source)
        unfinished = file.with_suffix(".part")
        command = [sys.executable, llama_cpp / "convert_hf_to_gguf.py", source, *flags]
        command += ["--outtype", TYPES[dtype], "--outfile", unfinished]
        subprocess.run([str(word) for word in command], check=True, stdout=sys.stderr)
        unfinished.rename(file)
    return files


def default_folder(llama_cpp):
    """The sources of llama.cpp inside an unpacked llama-cpp-python, or themselves."""
    inside = Path(llama_cpp) / "vendor/llama.cpp"
    return inside if inside.exists() else Path(llama_cpp)
