"""
Right values by PyTorch, for the tests: `python tools/goldens/FAMILY.py` writes test/goldens/FAMILY.json, which
test/goldens/FAMILY.test.ts compares with this library. The file is kept, so tests need no Python.

A case is a call by name, its attributes, its inputs and what came out; and the gradients of the weighted sum of all
floating outputs with respect to each floating input, where the weights are cos(1), cos(2), ... in row-major order.
Inputs are rounded to f32; PyTorch computes in f64, so that the values are right to the last digit of an f32.
"""
import json
import math
from pathlib import Path

import torch

DTYPES = {torch.float64: "f32", torch.int64: "i32", torch.int32: "i32", torch.bool: "u8", torch.uint8: "u8", torch.int8: "i8"}
GOLDENS = Path(__file__).resolve().parents[2] / "test" / "goldens"


def tensor(values, dtype=None):
    """A tensor of f32 values, kept as f64; whole numbers and booleans stay what they are."""
    t = torch.as_tensor(values, dtype=dtype)
    return t.float().double() if t.is_floating_point() else t


def normal(*shape, seed=0, scale=1.0, mean=0.0):
    """Normally distributed values, the same on every machine."""
    made = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return tensor(made * scale + mean)


def weighted(outputs):
    """One number that depends on every element of the floating outputs."""
    total = torch.zeros((), dtype=torch.float64)
    for y in outputs:
        if y.is_floating_point():
            weights = torch.cos(torch.arange(1, y.numel() + 1, dtype=torch.float64)).reshape(y.shape)
            total = total + (y * weights).sum()
    return total


def number(x):
    if isinstance(x, float) and not math.isfinite(x):
        return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
    return float(f"{x:.9g}") if isinstance(x, float) else int(x)


def stored(t):
    return {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "values": [number(x) for x in t.flatten().tolist()]}


class Goldens:
    """The cases of one family."""

    def __init__(self, family):
        self.family = family
        self.cases = []

    def add(self, call, inputs, compute, attrs=None, gradients=True):
        """`compute(*inputs)` gives a tensor or a list of them. `gradients`: whether they are taken, where an input is floating; or of which."""
        wanted = range(len(inputs)) if gradients is True else gradients or []
        leaves = [x.detach().clone().requires_grad_(i in wanted and x.is_floating_point()) for i, x in enumerate(inputs)]
        made = compute(*leaves)
        outputs = list(made) if isinstance(made, (list, tuple)) else [made]
        case = {"call": call, "attrs": attrs or {}, "inputs": [stored(x) for x in inputs], "outputs": [stored(y.detach()) for y in outputs]}
        if any(x.requires_grad for x in leaves):
            loss = weighted(outputs)
            grads = torch.autograd.grad(loss, [x for x in leaves if x.requires_grad], allow_unused=True)
            given = iter(grads)
            case["gradients"] = [
                None if not x.requires_grad else stored(torch.zeros_like(x) if (g := next(given)) is None else g)["values"] for x in leaves
            ]
        self.cases.append(case)

    def write(self):
        path = GOLDENS / f"{self.family}.json"
        rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in self.cases)
        path.write_text(f'{{"by":"PyTorch {torch.__version__.split("+")[0]}","cases":[\n{rows}\n]}}\n')
        print(f"{path.name}: {len(self.cases)} cases")
