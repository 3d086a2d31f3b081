"""Reductions, cumsum, sort and topk: torch.sum, amax, prod, var, std, logsumexp, vector_norm, any, all, argmin and their like."""
import math

import torch
from kit import Goldens, normal, tensor

goldens = Goldens("reduce")
inf, nan = math.inf, math.nan
AXES = [None, [1], [0, 2], [-1, 0], [0, 1, 2, 3]]


def named(axes, keep, **more):
    return {**({} if axes is None else {"axes": axes}), **({"keepDims": True} if keep else {}), **more}


def over(call, compute, axes_list=AXES, x=None, **more):
    for i, axes in enumerate(axes_list):
        keep = i % 2 == 1
        dims = list(range(4)) if axes is None else axes
        goldens.add(call, [normal(2, 3, 2, 3, seed=i) if x is None else x], lambda t: compute(t, dims, keep), named(axes, keep, **more))


def one(call, values, compute, gradients=True, **attrs):
    """Over the last axis."""
    goldens.add(call, [tensor(values)], compute, {"axes": -1, **attrs}, gradients)


def prod(t, dims, keep):
    for d in sorted((d % 4 for d in dims), reverse=True):
        t = torch.prod(t, d, keepdim=keep)
    return t


over("sum", lambda t, d, k: torch.sum(t, d, keepdim=k))
over("mean", lambda t, d, k: torch.mean(t, d, keepdim=k), AXES[1:4])
over("max", lambda t, d, k: torch.amax(t, d, keepdim=k), AXES[1:4])
over("min", lambda t, d, k: torch.amin(t, d, keepdim=k))
over("prod", prod)
over("logsumexp", lambda t, d, k: torch.logsumexp(t, d, keepdim=k))
for correction in (0, 1, 2):
    over("variance", lambda t, d, k: torch.var(t, d, correction=correction, keepdim=k), AXES[: 5 - correction], correction=correction)
    over("std", lambda t, d, k: torch.std(t, d, correction=correction, keepdim=k), AXES[1 : 4 - correction], correction=correction)
for p in (1, 2, 3, 0.5, inf):
    more = {"p": "Infinity" if p == inf else p}
    over("norm", lambda t, d, k: torch.linalg.vector_norm(t, p, d, keepdim=k), [None, [0, 2], [-1]], **more)
    one("norm", [[3.0, -4.0], [0.0, 0.0], [0.0, 2.0], [2.0, -2.0], [nan, 1.0]], lambda t: torch.linalg.vector_norm(t, p, -1), **more)

one("min", [[1.0, 0.0, 0.0], [nan, 1.0, 2.0], [inf, -inf, 1.0]], lambda t: torch.amin(t, -1))
one("min", [[1.0, 0.0, 0.0], [2.0, 2.0, 2.0]], lambda t: torch.amin(t, -1))
one("prod", [[0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [1.5, -2.0, 4.0]], lambda t: torch.prod(t, -1))
one("logsumexp", [[-inf, 0.0, 1.0], [1000.0, 1001.0, 1002.0], [-100.0, -100.0, -inf]], lambda t: torch.logsumexp(t, -1))
one("logsumexp", [[-inf, -inf], [inf, 1.0], [nan, 1.0]], lambda t: torch.logsumexp(t, -1))
one("variance", [[40000.0, 40001.0, 40002.0, 40003.0], [5.0, 5.0, 5.0, 5.0]], lambda t: torch.var(t, -1, correction=0), correction=0)
one("std", [[1.0, 3.0], [4.0, 4.0]], lambda t: torch.std(t, -1))
one("variance", [[1.0, 3.0], [2.0, 2.0]], lambda t: torch.var(t, -1, correction=2), False, correction=2)
one("variance", [[1.0], [inf]], lambda t: torch.var(t, -1), False)

zeros = tensor([[[0.0, -0.0, nan], [0.0, 1.0, 0.0]], [[0.0, 0.0, 0.0], [2.0, 3.0, -1.0]]])
for axes in ([2], [0, 2], [1]):
    goldens.add("any", [zeros], lambda t: torch.any(t != 0, axes), {"axes": axes}, False)
    goldens.add("all", [zeros], lambda t: torch.all(t != 0, axes), {"axes": axes}, False)
    goldens.add("countNonzero", [zeros], lambda t: torch.count_nonzero(t, axes), {"axes": axes}, False)
whole = torch.tensor([[0, 1, -2], [0, 0, 0]], dtype=torch.int32)
goldens.add("any", [whole], lambda t: torch.any(t, 1), {"axes": 1})
goldens.add("all", [whole.abs().to(torch.uint8)], lambda t: torch.all(t, 0).bool(), {"axes": 0})

equals = tensor([[[2.0, 1.0, 2.0], [nan, 1.0, nan]], [[0.0, -0.0, 0.0], [inf, -inf, -inf]]])
for axis in (0, 1, -1):
    for keep in (False, True):
        attrs = {"axis": axis, **({"keepDims": True} if keep else {})}
        goldens.add("argmax", [equals], lambda t: torch.argmax(t, axis, keepdim=keep), attrs, False)
        goldens.add("argmin", [equals], lambda t: torch.argmin(t, axis, keepdim=keep), attrs, False)

for axis in (0, 1, -1):
    goldens.add("cumsum", [normal(3, 4, 5, seed=7)], lambda t: torch.cumsum(t, axis), {"axis": axis})
goldens.add("cumsum", [tensor([16777216.0, 1.0, 1.0, 1.0, 1.0])], lambda t: torch.cumsum(t, 0))
goldens.add("cumsum", [normal(2, 6, seed=8)], lambda t: torch.flip(torch.cumsum(torch.flip(t, [-1]), -1), [-1]), {"reverse": True})
goldens.add("cumsum", [normal(2, 6, seed=9)], lambda t: torch.cumsum(t, -1) - t, {"exclusive": True})

mixed = tensor([[3.0, nan, 1.0, -inf, inf, nan, -0.0, 0.0], [1.0, 1.0, 2.0, 0.0, 0.0, 2.0, 1.0, 0.0]])
for descending in (False, True):
    sort = lambda t, axis=-1: list(torch.sort(t, dim=axis, descending=descending, stable=True))
    goldens.add("sort", [normal(3, 40, seed=10)], sort, {"descending": descending})
    goldens.add("sort", [mixed], sort, {"descending": descending}, False)
    goldens.add("sort", [normal(3, 4, 2, seed=11)], lambda t: sort(t, 1), {"axis": 1, "descending": descending})
for largest in (True, False):
    topk = lambda t, k, axis=-1: list(torch.topk(t, k, dim=axis, largest=largest, sorted=True))
    goldens.add("topk", [normal(3, 50, seed=12)], lambda t: topk(t, 4), {"k": 4, "largest": largest})
    goldens.add("topk", [normal(5, 3, seed=13)], lambda t: topk(t, 2, 0), {"k": 2, "axis": 0, "largest": largest})
    goldens.add("topk", [normal(2, 60, seed=14)], lambda t: topk(t, 40), {"k": 40, "largest": largest})
goldens.add("softmax", [tensor([[1000.0, 1001.0, 1002.0], [0.0, -inf, -inf], [-inf, 2.0, 2.0]])], lambda t: torch.softmax(t, -1))
goldens.add("logSoftmax", [tensor([[1000.0, 1001.0, 1002.0], [0.0, 1.0, -1.0]])], lambda t: torch.log_softmax(t, -1))
goldens.add("softmax", [tensor([[-inf, -inf, -inf], [inf, 1.0, 2.0], [nan, 1.0, 2.0]])], lambda t: torch.softmax(t, -1), {}, False)
goldens.add("logSoftmax", [tensor([[0.0, -inf], [-inf, -inf], [inf, 0.0]])], lambda t: torch.log_softmax(t, -1), {}, False)
goldens.add("softmax", [tensor([[-inf, -inf, -inf, -inf, 0.0]])], lambda t: torch.softmax(t, -1))
goldens.add("softmax", [tensor([[7.0]])], lambda t: torch.softmax(t, -1))
goldens.write()
