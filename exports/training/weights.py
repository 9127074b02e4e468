"""The shapes of a model's weights, read from the heads of its files; no weight is loaded.

A safetensors file begins with the length of its head as eight bytes, little-endian, and the head as
JSON: name → `{"dtype", "shape", "data_offsets"}` (format of safetensors 0.7).
"""

import json
from math import prod
from pathlib import Path

Shapes = dict[str, tuple[int, ...]]
LONGEST_HEAD = 100 << 20


def read_shapes(folder: Path) -> Shapes:
    """The shape of every tensor in a folder; empty where there is none that can be read."""
    found: Shapes = {}
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= LONGEST_HEAD:
                continue
            try:
                head = json.loads(file.read(length))
            except ValueError:
                continue
        found |= {
            name: tuple(each["shape"]) for name, each in head.items() if name != "__metadata__"
        }
    return found


def count_parameters(shapes: Shapes) -> int:
    """How many numbers the tensors hold."""
    return sum(prod(shape) for shape in shapes.values())
