#!/usr/bin/env python3
"""transformers writing answers, behind the protocol of `vernier bench --lockstep`.

Pix2Struct of base size with random weights and random patches; greedy, with its KV cache, which the
published configuration leaves off. End tokens are put off, so that every answer has --new-tokens.
Needs torch and transformers (bench/peers/README.md).
"""
import argparse
import os

import torch
import transformers
from turns import answer_turns


def load(dtype):
    model = transformers.Pix2StructForConditionalGeneration(transformers.Pix2StructConfig())
    options = model.generation_config
    options.use_cache = True
    options.decoder_start_token_id = options.pad_token_id = 0
    options.eos_token_id = None
    return model.eval().to(dtype)


def picture(patches, dtype):
    columns = int(patches**0.5) + 1
    place = torch.arange(patches)
    flattened = torch.randn(1, patches, 770)
    flattened[0, :, 0] = place // columns + 1
    flattened[0, :, 1] = place % columns + 1
    return {"flattened_patches": flattened.to(dtype), "attention_mask": torch.ones(1, patches)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--patches", type=int, default=2048)
    parser.add_argument("--new-tokens", type=int, default=12)
    parser.add_argument("--warmup", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    dtype = torch.bfloat16 if arguments.dtype == "bf16" else torch.float32
    model, inputs = load(dtype), picture(arguments.patches, dtype)

    def answer():
        with torch.inference_mode():
            model.generate(**inputs, max_new_tokens=arguments.new_tokens, do_sample=False)

    answer_turns(answer, f"transformers {transformers.__version__}", arguments.warmup)


if __name__ == "__main__":
    main()
