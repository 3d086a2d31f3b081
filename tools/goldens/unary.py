"""Functions of one number, activations, and functions of two: torch's, with values where they turn, end or are not defined."""
import math

import torch
import torch.nn.functional as F
from kit import Goldens, normal, tensor

goldens = Goldens("unary")
INF, NAN = math.inf, math.nan
TURNS = tensor([NAN, INF, -INF, 0.0, 0.5, -0.5, 1.0, -1.0, 1.5, -1.5, 2.5, -2.5, 3.0, -3.0, 6.0, 7.0, -20.0, 21.0, 1e-7, -1e-7])
# The ends are left out where PyTorch's formulas make NaN of infinities, and lose NaN: here functions have their limits, and NaN stays.
FINITE = TURNS[3:]

for name in ["abs", "sign"]:
    goldens.add(name, [FINITE], getattr(torch, name))
everywhere = [
    "floor", "ceil", "round", "trunc", "exp", "expm1", "erf", "sin", "cos", "tan", "atan", "sinh", "cosh", "neg",
    "reciprocal", "square", "sqrt", "rsqrt", "log", "log1p", "log2", "log10",
]
for name in everywhere:
    goldens.add(name, [TURNS], getattr(torch, name))
goldens.add("exp", [tensor([88.7, -87.3, -103.0, -104.0])], torch.exp)
goldens.add("log", [tensor([1e-38, 3e38, 1.0000001, 0.9999999, 2.0])], torch.log)
goldens.add("sin", [tensor([1e5, 12345678.0, 1e15, 3e30, 4189921792.0])], torch.sin)
goldens.add("cos", [tensor([1e5, 12345678.0, 1e15, 3e30, 4189921792.0])], torch.cos)
goldens.add("sinh", [tensor([89.0, 88.0, -88.0, 9.0, 9.1, 1e-6])], torch.sinh)
goldens.add("round", [tensor([0.5, 1.5, 2.5, -0.5, -1.5, 4194303.5, 8388609.0])], torch.round)
for low, high in [(-1.0, 2.5), (0.5, None), (None, 0.5), (2.0, 1.0)]:
    bounds = {k: v for k, v in [("min", low), ("max", high)] if v is not None}
    goldens.add("clip", [TURNS], lambda x: torch.clamp(x, low, high), bounds)
for name in ["relu6", "hardsigmoid", "hardtanh", "mish", "selu", "logsigmoid", "softsign", "hardswish"]:
    goldens.add(name, [FINITE], getattr(F, name))
goldens.add("hardtanh", [FINITE], lambda x: F.hardtanh(x, -0.5, 2.5), {"min": -0.5, "max": 2.5})
goldens.add("celu", [FINITE], lambda x: F.celu(x, 0.7), {"alpha": 0.7})
goldens.add("softplus", [normal(20, seed=1)], lambda x: F.softplus(x, 3.0), {"beta": 3})
goldens.add("prelu", [normal(2, 3, 4, seed=2), tensor([0.25, 0.0, -1.0])], F.prelu)
goldens.add("prelu", [tensor([1.0, -2.0, 0.0]), tensor([0.25])], F.prelu)
goldens.add("prelu", [normal(5, 2, seed=3), tensor([0.1])], F.prelu)
goldens.add("glu", [normal(3, 8, seed=4)], lambda x: F.glu(x, -1), {"axis": -1})
goldens.add("glu", [normal(4, 3, seed=5)], lambda x: F.glu(x, 0), {"axis": 0})

A = tensor([1.0, 2.0, -3.0, 0.0, 5.5, -5.5, 2.0, NAN, 1.0, 9.5, -7.0, 0.5])
B = tensor([1.0, -1.0, 2.0, 0.0, 2.0, 2.0, 0.5, 1.0, NAN, 3.0, -3.0, 0.5])
for name in ["maximum", "minimum", "fmod", "remainder", "atan2"]:
    goldens.add(name, [A, B], getattr(torch, name))
    goldens.add(name, [normal(4, 3, seed=6), normal(3, seed=7)], getattr(torch, name))
goldens.add("fmod", [tensor([1e30, 7.0, -1e10]), tensor([3.0, INF, 0.1])], torch.fmod, gradients=False)
goldens.add("atan2", [tensor([0.0, -0.0, 0.0, -0.0, 1.0, INF, INF, -INF]), tensor([1.0, 1.0, -1.0, -1.0, 0.0, INF, -INF, -INF])], torch.atan2, gradients=False)
BASE = tensor([2.0, 3.0, 0.0, 0.0, -2.0, -2.0, -8.0, 1.0, 1.5, 0.0, 4.0, INF])
POWER = tensor([3.0, -2.0, 0.0, 2.0, 3.0, 2.0, 0.5, NAN, 0.0, -1.0, 0.5, -1.0])
goldens.add("pow", [BASE, POWER], torch.pow)
goldens.add("pow", [normal(4, 3, seed=8).abs(), normal(3, seed=9)], torch.pow)
for power in [2, 3, 0.5, -1, -0.5, 1, 2.5]:
    goldens.add("pow_number", [tensor([0.5, 2.0, 1.0, 3.25])], lambda x: x**power, {"power": power})
goldens.add("lerp", [normal(5, seed=1), normal(5, seed=2), tensor([0.0, 0.25, 0.5, 0.75, 1.0])], torch.lerp)
goldens.add("lerp_number", [normal(5, seed=1), normal(5, seed=2)], lambda a, b: torch.lerp(a, b, 0.3), {"weight": 0.3})
for name in ["eq", "ne", "lt", "le", "gt", "ge"]:
    goldens.add(name, [A, B], getattr(torch, name), gradients=False)
    goldens.add(name, [torch.tensor([3, -2, 7]).int(), torch.tensor([[3], [7]]).int()], getattr(torch, name), gradients=False)
MASK = torch.tensor([True, False, True, False])
for name in ["logical_and", "logical_or", "logical_xor"]:
    goldens.add(name, [MASK, torch.tensor([True, True, False, False])], getattr(torch, name))
goldens.add("logical_not", [MASK], torch.logical_not)
goldens.add("isnan", [A], torch.isnan, gradients=False)
goldens.add("isfinite", [A], torch.isfinite, gradients=False)
goldens.add("where", [MASK, normal(3, 4, seed=1), normal(4, seed=2)], torch.where)
# The square root that is not chosen has no gradient at -1, and must not make one.
goldens.add("where_sqrt", [tensor([4.0, -1.0, 0.25])], lambda x: torch.where(x > 0, x, -x).sqrt())
goldens.add("masked_fill", [MASK, normal(2, 4, seed=3)], lambda m, x: x.masked_fill(m, -INF), gradients=False)
goldens.add("masked_fill_two", [MASK, normal(2, 4, seed=3)], lambda m, x: x.masked_fill(m, 2.0))
for name in ["add", "sub", "mul", "maximum", "minimum"]:
    goldens.add(name, [torch.tensor([2147483647, -5, 65537]).int(), torch.tensor([2, 7, 65537]).int()], getattr(torch, name))
goldens.write()
