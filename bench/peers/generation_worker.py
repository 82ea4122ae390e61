#!/usr/bin/env python3
"""transformers writing answers, behind the protocol of `vernier bench --lockstep`.

Full-size models with random weights and random patches; greedy, with the KV cache, which the
published configurations leave off. End tokens are put off, so that every answer has --new-tokens.
Needs torch and transformers (bench/peers/README.md).
"""

import argparse
import os

import torch
import transformers
from turns import answer_turns


def pix2struct(patches, dtype):
    """The model, and its inputs for one picture."""
    model = transformers.Pix2StructForConditionalGeneration(transformers.Pix2StructConfig())
    model.generation_config.decoder_start_token_id = model.generation_config.pad_token_id = 0
    columns = int(patches**0.5) + 1
    place = torch.arange(patches)
    flattened = torch.randn(1, patches, 770)
    flattened[0, :, 0] = place // columns + 1
    flattened[0, :, 1] = place % columns + 1
    return model, {
        "flattened_patches": flattened.to(dtype),
        "attention_mask": torch.ones(1, patches),
    }


def paddleocr_vl(patches, dtype):
    """Likewise; the classes' defaults are the sizes of the published checkpoint."""
    side = int(patches**0.5)
    if side * side != patches or side % 2:
        raise SystemExit(f"{patches} patches make no square of an even side")
    config = transformers.PaddleOCRVLConfig()
    model = transformers.PaddleOCRVLForConditionalGeneration(config)
    before, after = torch.randint(3, 90000, (8,)), torch.randint(3, 90000, (7,))
    start, end = config.vision_start_token_id, config.vision_end_token_id
    image = torch.full((patches // 4,), config.image_token_id)
    before[-1], after[0] = start, end
    ids = torch.cat([before, image, after])[None]
    return model, {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == config.image_token_id).int(),
        "pixel_values": torch.randn(patches, 3, 14, 14).to(dtype),
        "image_grid_thw": torch.tensor([[1, side, side]]),
    }


MODELS = {"pix2struct_base": pix2struct, "paddleocr_vl_0_9b": paddleocr_vl}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=tuple(MODELS), default="pix2struct_base")
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--patches", type=int, default=2048)
    parser.add_argument("--new-tokens", type=int, default=12)
    parser.add_argument("--warmup", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    dtype = torch.bfloat16 if arguments.dtype == "bf16" else torch.float32
    torch.set_default_dtype(dtype)
    model, inputs = MODELS[arguments.model](arguments.patches, dtype)
    model = model.eval().to(dtype)
    model.generation_config.use_cache = True
    model.generation_config.eos_token_id = None

    def answer():
        with torch.inference_mode():
            model.generate(**inputs, max_new_tokens=arguments.new_tokens, do_sample=False)

    answer_turns(answer, f"transformers {transformers.__version__}", arguments.warmup)


if __name__ == "__main__":
    main()
