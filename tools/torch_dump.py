#!/usr/bin/env python3
"""Records what every module of a PyTorch model takes and gives, as a dump to compare with.

Your own PyTorch run, on any device, becomes the reference. As a library, around any forward pass:

    from torch_dump import TorchDump
    with TorchDump(model, "reference", include=["encoder.layer.*"]):
        model(**inputs)

As a command, for checkpoints that transformers loads:

    python tools/torch_dump.py --model DIR --image chart.png --out reference

Each tensor is written to DIR/<name>.npy as soon as it is there and then let go; manifest.json comes
last, so that a folder without one is a dump that did not end (docs/reference/dump.md). Half
precision is stored as f32, which holds each of its values. Names:

    encoder.layer.3              what the module gives (the first tensor, if several)
    encoder.layer.3#1, …#key     its further tensors: place in a tuple, key of a dict or dataclass
    encoder.layer.3#input        the first tensor that it takes; …#input.1, …#input.key the others
    encoder.layer.3#call2        the same in the module's second call
    pixel_values, logits         what the whole model takes and gives, by the reference's own names
"""
import argparse
import dataclasses
import fnmatch
import inspect
import json
import re
import sys
from pathlib import Path

import numpy as np
import torch

NPY_TYPES = {  # vernier's names; every other type is stored as f32
    torch.float64: "f64",
    torch.int64: "i64",
    torch.int32: "i32",
    torch.int16: "i16",
    torch.int8: "i8",
    torch.uint8: "u8",
    torch.bool: "bool",
}


def tensors_in(value, path=()):
    """(path, tensor) for every tensor in nested tuples, lists, dicts and dataclasses, in order."""
    if isinstance(value, torch.Tensor):
        yield path, value
    elif isinstance(value, dict):  # transformers' ModelOutput is one
        for key, item in value.items():
            yield from tensors_in(item, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from tensors_in(item, (*path, str(index)))
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from tensors_in(getattr(value, field.name), (*path, field.name))


class TorchDump:
    """Writes a dump of `module` to `folder` while it is open (a context manager).

    include, exclude  globs over names as they are written, where * matches anything, dots too
    inputs            whether what modules inside take is recorded; the whole model's inputs always are
    strip_prefix      a task model's name for the model inside it ("vit", say), dropped from names;
                      taken from transformers' models by itself
    facts             more for manifest.json
    """

    def __init__(
        self,
        module,
        folder,
        include=("*",),
        exclude=(),
        *,
        inputs=True,
        strip_prefix=None,
        facts=None,
    ):
        self._module = module
        self._folder = Path(folder)
        self._include, self._exclude = list(include), list(exclude)
        self._inputs = inputs
        if strip_prefix is None:
            prefix = getattr(module, "base_model_prefix", "")
            strip_prefix = prefix if prefix and hasattr(module, prefix) else ""
        self._prefix = strip_prefix
        self._facts = dict(facts or {})
        self._entries, self._absent, self._files = [], [], set()
        self._calls, self._hooks = {}, []

    def __enter__(self):
        self._folder.mkdir(parents=True, exist_ok=True)
        # An old manifest would vouch for files that this dump is about to replace.
        (self._folder / "manifest.json").unlink(missing_ok=True)
        for path, module in self._module.named_modules():
            inside_task_model = path and path == self._prefix
            wanted = self._inputs and not inside_task_model or not path
            taken = self._take_inputs if wanted else None
            self._hooks.append(
                module.register_forward_pre_hook(self._before(path, taken), with_kwargs=True)
            )
            self._hooks.append(module.register_forward_hook(self._after(path)))
        return self

    def __exit__(self, kind, *_):
        for hook in self._hooks:
            hook.remove()
        if kind is None:
            self._finish()

    @property
    def count(self):
        """Tensors written so far."""
        return len(self._entries)

    def _name(self, path):
        """Of a module; empty for the whole model and for the model inside a task model."""
        if path == self._prefix:
            return ""
        return path.removeprefix(self._prefix + ".") if self._prefix else path

    def _before(self, path, taken):
        def hook(module, args, kwargs):
            self._calls[path] = self._calls.get(path, 0) + 1
            if taken:
                taken(path, module, args, kwargs)

        return hook

    def _take_inputs(self, path, module, args, kwargs):
        name = self._name(path)
        if not name:  # by their names, also if they were given by place
            kwargs = inspect.signature(module.forward).bind_partial(*args, **kwargs).arguments
            args = ()
        for index, ((_, *place), tensor) in enumerate(tensors_in((args, dict(kwargs)))):
            place = ".".join(place)
            inside = f"{name}#input" if index == 0 else f"{name}#input.{place}"
            self._write(path, inside if name else place, tensor)

    def _after(self, path):
        name = self._name(path)

        def hook(module, args, output):
            for index, (place, tensor) in enumerate(tensors_in(output)):
                inside = name if index == 0 else f"{name}#{'.'.join(place)}"
                by_key = place and not place[0].isdigit()
                whole = ".".join(place if by_key else ("output", *place))
                self._write(path, inside if name else whole, tensor)

        return hook

    def _write(self, path, name, tensor):
        call = self._calls[path]
        if call > 1:
            name = f"{name}#call{call}"
        if not any(fnmatch.fnmatchcase(name, glob) for glob in self._include):
            return
        if any(fnmatch.fnmatchcase(name, glob) for glob in self._exclude):
            return
        file = re.sub(r"[^\w.#@-]", "_", name) + ".npy"
        if file in self._files:
            if not self._name(path):
                return  # a task model hands on what the model inside it gave under that name
            raise ValueError(f"two names become the file {file}, the second is {name}; exclude one")
        if tensor.is_complex() or tensor.layout != torch.strided:
            kind = str(tensor.dtype if tensor.is_complex() else tensor.layout)
            self._absent.append({"name": name, "reason": f"a {kind} tensor has no .npy form here"})
            return
        stored = NPY_TYPES.get(tensor.dtype, "f32")
        host = tensor.detach().to("cpu", torch.float32 if stored == "f32" else None).contiguous()
        np.save(self._folder / file, host.numpy())
        self._files.add(file)
        self._entries.append(
            {
                "name": name,
                "file": file,
                "shape": list(host.shape),
                "dtype": stored,
                "aliases": [],
                "tap": "exact",
                "op": "torch",
                "device": str(tensor.device),
                "kernel": str(tensor.dtype),
            }
        )

    def _finish(self):
        if not self._calls:
            raise ValueError("nothing was recorded: the model was not called within the dump")
        if not self._entries:
            raise ValueError(f"nothing was recorded: no name matches {' '.join(self._include)}")
        manifest = {
            "version": f"torch {torch.__version__}",
            **self._facts,
            "tensors": self._entries,
            "absent": self._absent,
        }
        part = self._folder / "manifest.json.part"
        part.write_text(json.dumps(manifest, indent=1) + "\n")
        part.rename(self._folder / "manifest.json")


def load_model(folder, device, dtype):
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder)
    names = config.architectures or []
    kind = getattr(transformers, names[0], None) if names else None
    kind = kind or transformers.AutoModel
    return kind.from_pretrained(folder, dtype=getattr(torch, dtype)).to(device).eval()


def processed(arguments):
    """The model's inputs, from pictures and text by the checkpoint's own processor."""
    import transformers
    from PIL import Image

    images = [Image.open(file) for file in arguments.image]
    if arguments.prompt is None:
        processor = transformers.AutoImageProcessor.from_pretrained(arguments.model)
        return dict(processor(images, return_tensors="pt"))
    processor = transformers.AutoProcessor.from_pretrained(arguments.model)
    return dict(processor(images=images, text=arguments.prompt, return_tensors="pt"))


def gather_inputs(arguments):
    inputs = processed(arguments) if arguments.image else {}
    for item in arguments.input:
        name, sign, file = item.partition("=")
        if not sign:
            raise ValueError(f"--input {item}: expected NAME=FILE.npy")
        inputs[name] = torch.from_numpy(np.load(file, allow_pickle=False))
    if not inputs:
        raise ValueError("nothing to run on: give --image FILE or --input NAME=FILE.npy")
    dtype = getattr(torch, arguments.dtype)
    return {
        name: value.to(arguments.device, dtype if value.is_floating_point() else None)
        for name, value in inputs.items()
    }


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="a checkpoint folder for transformers")
    parser.add_argument("--out", required=True, type=Path, help="the dump's folder")
    parser.add_argument("--image", nargs="+", default=[], help="pictures, for the processor")
    parser.add_argument("--prompt", help="text for the processor, as a chart's question")
    parser.add_argument(
        "--input",
        nargs="+",
        default=[],
        metavar="NAME=FILE.npy",
        help="inputs as they are; they win over the processor's",
    )
    parser.add_argument("--include", nargs="+", default=["*"], metavar="GLOB")
    parser.add_argument("--exclude", nargs="+", default=[], metavar="GLOB")
    parser.add_argument("--no-inputs", action="store_true", help="of modules only what they give")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    inputs = gather_inputs(arguments)
    model = load_model(arguments.model, arguments.device, arguments.dtype)
    facts = {"model": arguments.model, "device": arguments.device, "dtype": arguments.dtype}
    dump = TorchDump(
        model,
        arguments.out,
        arguments.include,
        arguments.exclude,
        inputs=not arguments.no_inputs,
        facts=facts,
    )
    with torch.inference_mode(), dump:
        model(**inputs)
    print(f"{arguments.out}: {dump.count} tensors")


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        sys.exit(f"torch_dump: {error}")
