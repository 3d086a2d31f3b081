"""What moves elements: padding, parts, repetition, order."""
import torch
import torch.nn.functional as F
from kit import Goldens, normal, tensor

goldens = Goldens("movers")
x = normal(2, 3, 4, seed=1)


def add(call, compute, attrs, x=x):
    goldens.add(call, [x], compute, attrs)


for mode, shape, pads in [
    ("constant", (2, 3), [1, 2]), ("constant", (2, 3, 4), [1, -1, 2, 0, 0, 3]), ("constant", (4,), [-1, -2]),
    ("reflect", (1, 3), [2, 2]), ("reflect", (2, 4, 5), [1, 3, 2, 1]), ("reflect", (1, 6), [-2, 3]),
    ("replicate", (1, 3), [2, 2]), ("replicate", (2, 4, 5), [3, 0, 1, 6]), ("replicate", (1, 6), [-3, 2]),
    ("circular", (1, 3), [2, 2]), ("circular", (2, 4, 5), [1, 3, 4, 1]), ("circular", (1, 6), [2, -3]),
]:
    value = -1.5 if mode == "constant" else 0
    # PyTorch takes other modes with a batch and channels only.
    whole = (lambda t: t) if mode == "constant" else (lambda t: t[None])
    add("pad", lambda t: F.pad(whole(t), pads, mode, value).reshape(F.pad(whole(t), pads, mode, value).shape[0 if mode == "constant" else 1:]),
        {"pads": pads, "mode": mode, "value": value}, normal(*shape, seed=2))

add("squeeze", lambda t: torch.squeeze(t), {}, normal(1, 3, 1, seed=3))
add("squeeze", lambda t: torch.squeeze(t, (0, 1)), {"axes": [0, 1]}, normal(1, 3, 1, seed=3))
for axis in [0, 2, -1]:
    add("unsqueeze", lambda t: torch.unsqueeze(t, axis), {"axis": axis})
add("flatten", lambda t: torch.flatten(t, 1), {"start": 1, "end": -1})
add("flatten", lambda t: torch.flatten(t, 0, 1), {"start": 0, "end": 1})
add("unflatten", lambda t: torch.unflatten(t, -1, (2, -1)), {"axis": -1, "shape": [2, -1]})
add("permute", lambda t: torch.permute(t, (2, 0, -2)), {"perm": [2, 0, -2]})
add("swapaxes", lambda t: torch.swapaxes(t, 0, -1), {"a": 0, "b": -1})
add("movedim", lambda t: torch.movedim(t, 0, -1), {"source": 0, "destination": -1})
add("movedim", lambda t: torch.movedim(t, (2, 0), (0, 1)), {"source": [2, 0], "destination": [0, 1]})
add("split", lambda t: torch.split(t, 3, -1), {"size": 3, "axis": -1})
add("split", lambda t: torch.split(t, [1, 0, 2], 1), {"size": [1, 0, 2], "axis": 1})
add("chunk", lambda t: torch.chunk(t, 3, 2), {"chunks": 3, "axis": 2})
add("expand", lambda t: t.expand(2, -1, 4), {"shape": [2, -1, 4]}, normal(3, 1, seed=4))
add("tile", lambda t: torch.tile(t, (2, 3)), {"repeats": [2, 3]})
add("tile", lambda t: torch.tile(t, (2, 1, 3, 2)), {"repeats": [2, 1, 3, 2]})
add("repeat", lambda t: t.repeat(2, 1, 1, 2), {"repeats": [2, 1, 1, 2]})
add("repeatInterleave", lambda t: torch.repeat_interleave(t, 2, 1), {"repeats": 2, "axis": 1})
add("repeatInterleave", lambda t: torch.repeat_interleave(t, 3), {"repeats": 3})
add("flip", lambda t: torch.flip(t, (0, -1)), {"axes": [0, -1]})
add("roll", lambda t: torch.roll(t, 5), {"shifts": 5})
add("roll", lambda t: torch.roll(t, (-1, 2), (0, 2)), {"shifts": [-1, 2], "axes": [0, 2]})
add("roll", lambda t: torch.roll(t, 9, 2), {"shifts": 9, "axes": 2}, torch.arange(24, dtype=torch.int32).reshape(2, 3, 4))
for axis in [0, 1, -1]:
    goldens.add("stack", [x, normal(2, 3, 4, seed=5)], lambda a, b: torch.stack((a, b), axis), {"axis": axis})

indices = torch.tensor([[1, 0, 1, 1], [2, 2, 0, 1]])
goldens.add("gather", [x, torch.tensor([2, 0, 2, 2])], lambda t, i: torch.index_select(t, 1, i), {"axis": 1})
goldens.add("indexSelect", [x, torch.tensor([2, 0, 2, 2])], lambda t, i: torch.index_select(t, 1, i), {"axis": 1})
flat = normal(3, 4, seed=6)
for axis in [0, -1]:
    goldens.add("gatherElements", [flat, indices], lambda t, i: torch.gather(t, axis, i), {"axis": axis})
goldens.add("gatherElements", [tensor([[0.1]]), torch.tensor([[0, 0]])], lambda t, i: torch.gather(t, 1, i), {"axis": 1})
goldens.add("takeAlongDim", [normal(2, 1, 4, seed=7), indices.reshape(1, 2, 4)], lambda t, i: torch.take_along_dim(t, i, 2), {"axis": 2})
goldens.add("takeAlongDim", [flat, torch.argsort(flat, 1)], lambda t, i: torch.take_along_dim(t, i, 1), {"axis": 1})
goldens.add("scatterAdd", [flat, indices, normal(2, 4, seed=8)], lambda t, i, s: torch.scatter_add(t, 0, i, s), {"axis": 0})
goldens.add("scatterAdd", [flat, indices.t().contiguous()[:3], normal(3, 2, seed=9)], lambda t, i, s: torch.scatter_add(t, 1, i, s), {"axis": 1})
goldens.add("oneHot", [indices], lambda i: F.one_hot(i, 4).double(), {"classes": 4})
goldens.add("embedding", [torch.tensor([1, 1, 2]), normal(3, 1, seed=10)], lambda i, w: F.embedding(i, w), {})
goldens.add("embedding", [torch.tensor([0, 1, 0, 2]), tensor([[5.0], [1], [2]])], lambda i, w: F.embedding(i, w, 0), {"paddingIdx": 0})
goldens.add("embedding", [indices, normal(3, 5, seed=11)], lambda i, w: F.embedding(i, w, -1), {"paddingIdx": -1})

for offset, a, b in [(0, 0, 1), (1, 1, 2), (-2, 2, 0)]:
    add("diagonal", lambda t: torch.diagonal(t, offset, a, b), {"offset": offset, "axis1": a, "axis2": b})
a, b, square = normal(2, 3, seed=12), normal(3, 4, seed=13), normal(3, 3, seed=14)
for equation, given in [
    ("ij,jk", [a, b]), ("ij,jk->ki", [a, b]), ("ij->ji", [a]), ("ij->", [a]), ("ba", [a]), ("ij->i", [a]), ("ii", [square]), ("ii->i", [square]),
    ("bij,bjk->bik", [normal(5, 2, 3, seed=15), normal(5, 3, 4, seed=16)]), ("bhqd,bhkd->bhqk", [normal(2, 2, 3, 4, seed=17), normal(2, 2, 5, 4, seed=18)]),
    ("i,j->ij", [normal(3, seed=19), normal(4, seed=20)]), ("i,i->", [normal(3, seed=19), normal(3, seed=21)]), ("i,i->i", [normal(3, seed=19), normal(3, seed=21)]),
    ("...ij,jk->...ik", [normal(2, 2, 2, 3, seed=22), b]), ("...i,...i", [normal(2, 1, 3, seed=23), normal(4, 3, seed=24)]), ("i...->...", [x]),
    ("ij,jk,kl->il", [a, b, normal(4, 2, seed=25)]), ("bn,anm,bm->ba", [normal(2, 3, seed=26), normal(4, 3, 5, seed=27), normal(2, 5, seed=28)]),
    ("ij,kj->", [a, normal(4, 3, seed=29)]), ("ij,jk->ik", [normal(2, 1, seed=30), b]), ("ji,jk->ik", [b, square]), ("Zi,iA", [a, b]), ("abc,bad->cd", [x, normal(3, 2, 5, seed=31)]),
]:
    goldens.add("einsum", given, lambda *t: torch.einsum(equation, *t), {"equation": equation})
for diagonal in [0, 1, -2, 9]:
    add("tril", lambda t: torch.tril(t, diagonal), {"diagonal": diagonal})
    add("triu", lambda t: torch.triu(t, diagonal), {"diagonal": diagonal})
add("pixelShuffle", lambda t: F.pixel_shuffle(t, 2), {"factor": 2}, normal(2, 8, 3, 4, seed=5))
add("pixelUnshuffle", lambda t: F.pixel_unshuffle(t, 3), {"factor": 3}, normal(2, 2, 6, 9, seed=6))


def interpolate(mode, shape, **how):
    size, factor, corners = (how.get(k) for k in ("size", "scaleFactor", "alignCorners"))
    compute = lambda t: F.interpolate(t, size=size, scale_factor=factor, mode=mode, align_corners=corners)
    add("interpolate", compute, {"mode": mode, **how}, normal(*shape, seed=7))


for mode in ["nearest", "nearest-exact", "bilinear", "bicubic"]:
    interpolate(mode, (1, 2, 3, 4), scaleFactor=2)
    interpolate(mode, (2, 1, 5, 4), size=[7, 3])
    interpolate(mode, (1, 1, 5, 6), scaleFactor=[1.5, 0.6])
    interpolate(mode, (1, 1, 1, 3), size=[4, 3])
for mode in ["bilinear", "bicubic"]:
    interpolate(mode, (1, 2, 3, 4), size=[6, 5], alignCorners=True)
    interpolate(mode, (1, 1, 3, 4), size=[1, 8], alignCorners=True)
goldens.write()
