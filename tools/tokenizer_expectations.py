#!/usr/bin/env python3
"""Trains small tokenizers on the test corpus and writes what the published libraries make of it.

usage: tools/tokenizer_expectations.py FOLDER

Writes corpus.txt, one folder for each tokenizer, and expected.json: for each tokenizer (and each
variant of it with other steps) the ids of some lines in full, and hashes of ids and decoded texts for
all of them, block by block. Needs tokenizers, transformers and sentencepiece from PyPI; the tests
need none of them.
"""

import copy
import json
import pathlib
import subprocess
import sys

import sentencepiece
import tokenizers
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers import AddedToken, Regex
from tokenizers.processors import TemplateProcessing

LINES = 10_000
BLOCK = 20  # lines that share a hash
FULL_EVERY = 100
VOCABULARY = 4000
HERE = pathlib.Path(__file__).resolve().parent


def fnv1a(data, state=0xCBF29CE484222325):
    for byte in data:
        state = (state ^ byte) * 0x100000001B3 % 2**64
    return state


def expectations(tokenizer, lines, patch=None):
    """What the C++ test compares with; every text ends with id -1, or a zero byte, in the hash."""
    hashes, decoded_hashes, full = [], [], {}
    for start in range(0, len(lines), BLOCK):
        ids_bytes, text_bytes = bytearray(), bytearray()
        for number in range(start, start + BLOCK):
            ids = tokenizer.encode(lines[number]).ids
            for token in ids + [-1]:
                ids_bytes += token.to_bytes(4, "little", signed=True)
            text_bytes += tokenizer.decode(ids).encode() + b"\0"
            if number % FULL_EVERY == 0:
                full[str(number)] = ids
        hashes.append(f"{fnv1a(ids_bytes):016x}")
        decoded_hashes.append(f"{fnv1a(text_bytes):016x}")
    return {"patch": patch or {}, "ids": hashes, "texts": decoded_hashes, "lines": full}


def every_character():
    """By normaliser, a hash of what it makes of all characters, one after the other."""
    steps = {"NFC": normalizers.NFC(), "NFD": normalizers.NFD(), "NFKC": normalizers.NFKC(),
             "NFKD": normalizers.NFKD(), "StripAccents": normalizers.StripAccents()}
    characters = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000]
    return {name: f"{fnv1a(b''.join(step.normalize_str(c).encode() + bytes(1) for c in characters)):016x}"
            for name, step in steps.items()}


def train_sentencepiece(folder, corpus, kind, options):
    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "trained"), model_type=kind,
        vocab_size=VOCABULARY, character_coverage=0.98, num_threads=1, minloglevel=2, **options)
    (folder / "trained.vocab").unlink()
    return folder / "trained.model"


def unigram_json(model_path):
    """The pieces of a SentencePiece file with every step that this family of files uses."""
    from transformers.convert_slow_tokenizer import import_protobuf
    proto = import_protobuf().ModelProto()
    proto.ParseFromString(model_path.read_bytes())
    tokenizer = Tokenizer(models.Unigram([(p.piece, p.score) for p in proto.pieces], unk_id=2,
                                         byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
        normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(),
                                           decoders.Metaspace(prepend_scheme="first")])
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False)
                                  for t in ("<pad>", "</s>", "<unk>", "<ctrl>")])
    tokenizer.add_tokens([AddedToken("[MASK]", lstrip=True, normalized=False),
                          AddedToken("keep", single_word=True, normalized=False),
                          AddedToken("##", rstrip=True, normalized=False),
                          AddedToken("Σ ＡＢＣ", normalized=True),
                          AddedToken("ＡＢＣ", normalized=True)])
    tokenizer.post_processor = TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>",
                                                  special_tokens=[("</s>", 1)])
    return tokenizer


def bpe_json(lines):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"),
                                                 normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")  # for training only
    tokenizer.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, limit_alphabet=1200, show_progress=False))
    # As published: <0xNN> are pieces of the model, not added tokens, and nothing cuts words.
    file = json.loads(tokenizer.to_str())
    file["added_tokens"] = [dict(token, special=True) for token in file["added_tokens"][:3]]
    file["pre_tokenizer"] = None
    file["decoder"] = json.loads(decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
        decoders.Strip(" ", 1, 0)]).__getstate__())
    tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.add_special_tokens(["<|LOC_7|>"])
    tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def variants(name):
    """Parts of tokenizer.json that are replaced in the files above, to see more steps."""
    def steps(*kinds):
        return {"type": "Sequence", "normalizers": list(kinds)}
    if name == "bpe":
        pairs_as_text = {"model": {"merges": "as text"}}
        return [pairs_as_text, {"model": {"ignore_merges": True, "fuse_unk": False},
                                "pre_tokenizer": {"type": "Metaspace", "replacement": "▁",
                                                  "prepend_scheme": "never", "split": True}},
                {"model": {"byte_fallback": False}, "normalizer": {"type": "NFC"},
                 "decoder": None}]
    return [{"normalizer": steps({"type": "NFKC"}, {"type": "Lowercase"}),
             "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                 {"type": "WhitespaceSplit"},
                 {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}]}},
            {"normalizer": steps({"type": "NFD"}, {"type": "StripAccents"},
                                 {"type": "Strip", "strip_left": True, "strip_right": True}),
             "model": {"byte_fallback": False}},
            {"normalizer": {"type": "NFKD"}, "pre_tokenizer": None,
             "decoder": {"type": "Sequence", "decoders": [
                 {"type": "Fuse"}, {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                 {"type": "Strip", "content": " ", "start": 2, "stop": 1}]}}]


def patched(tokenizer, patch):
    file = json.loads(tokenizer.to_str())
    for key, value in patch.items():
        if key == "model":
            file["model"].update({k: v for k, v in value.items() if v != "as text"})
        else:
            file[key] = value
    return Tokenizer.from_str(json.dumps(file))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    corpus = folder / "corpus.txt"
    corpus.write_bytes(subprocess.check_output(
        [sys.executable, HERE / "tokenizer_corpus.py", str(LINES)]))
    lines = corpus.read_bytes().decode().split("\n")[:LINES]
    layout = dict(pad_id=0, eos_id=1, unk_id=2, bos_id=-1, control_symbols=["<ctrl>"],
                  user_defined_symbols=["[MASK]"])

    unigram_model = train_sentencepiece(folder / "unigram_model", corpus, "unigram",
                                        dict(layout, byte_fallback=True))
    bpe_model = train_sentencepiece(
        folder / "bpe_model", corpus, "bpe",
        dict(byte_fallback=True, normalization_rule_name="identity", add_dummy_prefix=False,
             remove_extra_whitespaces=False, control_symbols=["<|LOC_7|>"],
             user_defined_symbols=["[MASK]"]))

    expected = {"made_with": {m.__name__: m.__version__
                              for m in (sentencepiece, tokenizers, transformers)},
                "block": BLOCK, "every_character": every_character()}
    for name, tokenizer in (("unigram", unigram_json(unigram_model)), ("bpe", bpe_json(lines))):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "tokenizer.json").write_text(
            json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")),
            encoding="utf-8")
        expected[name] = [expectations(tokenizer, lines)] + [
            expectations(patched(tokenizer, copy.deepcopy(patch)), lines, patch)
            for patch in variants(name)]

    unigram_model = unigram_model.rename(unigram_model.with_name("spiece.model"))
    settings = {"tokenizer_class": "T5Tokenizer", "extra_ids": 3}
    (unigram_model.parent / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")
    bpe_model = bpe_model.rename(bpe_model.with_name("tokenizer.model"))
    for name, kind in (("unigram_model", transformers.T5Tokenizer),
                       ("bpe_model", transformers.TokenizersBackend)):
        loaded = kind.from_pretrained(folder / name)
        expected[name] = [expectations(loaded.backend_tokenizer, lines)]
    (folder / "expected.json").write_text(
        json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
