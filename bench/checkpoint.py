"""What a checkpoint folder's safetensors files say of themselves in their headers."""
import json
import math
import struct
from pathlib import Path


def count_weights(checkpoint, prefixes=("",)):
    """Number of elements in the tensors whose names begin with one of `prefixes`."""
    total = 0
    for file in sorted(Path(checkpoint).glob("*.safetensors")):
        with open(file, "rb") as data:
            (length,) = struct.unpack("<Q", data.read(8))
            header = json.loads(data.read(length))
        for name, tensor in header.items():
            if name != "__metadata__" and name.startswith(tuple(prefixes)):
                total += math.prod(tensor["shape"])
    if total == 0:
        names = " or ".join(f"{prefix}…" for prefix in prefixes if prefix)
        raise SystemExit(f"{checkpoint}: no safetensors weights {names and f'named {names} '}found")
    return total
