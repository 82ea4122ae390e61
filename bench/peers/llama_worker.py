#!/usr/bin/env python3
"""llama.cpp reading a picture, behind the protocol of `vernier bench --lockstep`.

A PaddleOCR-VL checkpoint goes through llama.cpp's own converter (llama_files.py); the picture is
noise, the prompt as long as that of `vernier bench`, the answer greedy and of --new-tokens whatever
its tokens are. int8 is q8_0, in the vision encoder too. --check reads a picture and asks for its text
instead, and shows prompt and answer as ids, to be held beside `vernier run --task ocr --json -`.
Needs llama-cpp-python, and its sources for the converter (bench/peers/README.md).
"""

import argparse
import ctypes
import os
import sys
from pathlib import Path

import llama_cpp
import numpy as np
from llama_cpp import mtmd_cpp
from llama_files import TYPES, default_folder, gguf_files
from turns import answer_turns

PATCH, CONTEXT, BATCH = 14, 4096, 2048
ERROR_LEVEL = 4  # GGML_LOG_LEVEL_ERROR
PROMPT = "<|begin_of_sentence|>User: {}OCR:\nAssistant:\n"
# With characters, of one token each, up to as much text as there is around vernier's noise.
TIMED_PROMPT = "<|begin_of_sentence|>User: abc{}OCR:defg\nAssistant:\n"
TEXT_TOKENS = 15


def checked(value, what):
    if not value:
        raise SystemExit(f"llama.cpp did not {what}")
    return value


@llama_cpp.llama_log_callback
def only_errors(level, text, _):
    if level == ERROR_LEVEL:
        print(text.decode(errors="replace"), end="", file=sys.stderr)


def be_quiet():
    llama_cpp.llama_log_set(only_errors, ctypes.c_void_p(0))
    mtmd_cpp.mtmd_log_set(only_errors, ctypes.c_void_p(0))
    mtmd_cpp.mtmd_helper_log_set(only_errors, ctypes.c_void_p(0))


class Reader:
    def __init__(self, decoder, vision, threads):
        llama_cpp.llama_backend_init()
        model = llama_cpp.llama_model_load_from_file(
            os.fsencode(decoder), llama_cpp.llama_model_default_params()
        )
        self.model = checked(model, f"load {decoder}")
        options = llama_cpp.llama_context_default_params()
        options.n_ctx, options.n_batch, options.n_ubatch = CONTEXT, BATCH, BATCH
        options.n_threads = options.n_threads_batch = threads
        self.context = checked(
            llama_cpp.llama_init_from_model(self.model, options), "make a context"
        )
        settings = mtmd_cpp.mtmd_context_params_default()
        settings.use_gpu, settings.n_threads, settings.warmup = False, threads, False
        self.vision = checked(
            mtmd_cpp.mtmd_init_from_file(os.fsencode(vision), self.model, settings),
            f"load {vision}",
        )
        vocabulary = llama_cpp.llama_model_get_vocab(self.model)
        self.words = llama_cpp.llama_vocab_n_tokens(vocabulary)

    def prepare(self, pixels, prompt):
        """A picture, [height, width, 3], in the prompt; the chunks' tokens."""
        height, width, _ = pixels.shape
        self.pixels = np.ascontiguousarray(pixels)
        bytes_at = self.pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        bitmap = checked(mtmd_cpp.mtmd_bitmap_init(width, height, bytes_at), "take the picture")
        text = prompt.format(mtmd_cpp.mtmd_default_marker().decode()).encode()
        prompt = mtmd_cpp.mtmd_input_text(text, len(text), False, True)
        self.chunks = mtmd_cpp.mtmd_input_chunks_init()
        bitmaps = (ctypes.c_void_p * 1)(bitmap)
        failed = mtmd_cpp.mtmd_tokenize(self.vision, self.chunks, ctypes.byref(prompt), bitmaps, 1)
        checked(failed == 0, "tokenize the prompt")
        parts = range(mtmd_cpp.mtmd_input_chunks_size(self.chunks))
        return [mtmd_cpp.mtmd_input_chunks_get(self.chunks, part) for part in parts]

    def answer(self, new_tokens):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        end = llama_cpp.llama_pos(0)
        failed = mtmd_cpp.mtmd_helper_eval_chunks(
            self.vision, self.context, self.chunks, 0, 0, BATCH, True, ctypes.byref(end)
        )
        checked(failed == 0, "read the prompt")
        tokens = [self.best()]
        while len(tokens) < new_tokens:
            last = (llama_cpp.llama_token * 1)(tokens[-1])
            failed = llama_cpp.llama_decode(self.context, llama_cpp.llama_batch_get_one(last, 1))
            checked(failed == 0, "decode a token")
            tokens.append(self.best())
        return tokens

    def best(self):
        logits = llama_cpp.llama_get_logits_ith(self.context, -1)
        return int(np.ctypeslib.as_array(logits, (self.words,)).argmax())


def noise(patches):
    side = int(patches**0.5) * PATCH
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)


def ids_of(chunk):
    """The chunk's ids, or how many tokens its picture has."""
    count = ctypes.c_size_t()
    ids = mtmd_cpp.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
    size = mtmd_cpp.mtmd_input_chunk_get_n_tokens(chunk)
    return [ids[i] for i in range(count.value)] if count.value else f"{size} of the picture"


def check(reader, picture, new_tokens):
    from PIL import Image

    pixels = np.asarray(Image.open(picture).convert("RGB"))
    print("prompt:", *map(ids_of, reader.prepare(pixels, PROMPT)))
    print("answer:", reader.answer(new_tokens))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--llama-cpp", type=default_folder, required=True, help="its sources")
    parser.add_argument("--dtype", choices=tuple(TYPES), default="bf16")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--patches", type=int, default=784)
    parser.add_argument("--new-tokens", type=int, default=12)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--check", metavar="PICTURE")
    arguments = parser.parse_args()
    decoder, vision = gguf_files(arguments.checkpoint, arguments.dtype, arguments.llama_cpp)
    be_quiet()
    reader = Reader(decoder, vision, arguments.threads)
    if arguments.check:
        return check(reader, arguments.check, arguments.new_tokens)
    chunks = reader.prepare(noise(arguments.patches), TIMED_PROMPT)
    counts = [mtmd_cpp.mtmd_input_chunk_get_n_tokens(chunk) for chunk in chunks]
    picture = arguments.patches // 4
    if picture not in counts or sum(counts) != picture + TEXT_TOKENS:
        raise SystemExit(f"the prompt became {counts} tokens, not {picture} and {TEXT_TOKENS}")
    version = f"llama.cpp, llama-cpp-python {llama_cpp.__version__}"
    answer_turns(lambda: reader.answer(arguments.new_tokens), version, arguments.warmup)


if __name__ == "__main__":
    main()
