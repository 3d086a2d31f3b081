"""Normalization: torch.nn.functional.batch_norm as trained, layer_norm, rms_norm, group_norm, instance_norm."""
import torch
import torch.nn.functional as F
from kit import Goldens, normal, tensor

goldens = Goldens("norm")
for rows, channels, eps in [(4, 3, 1e-5), (17, 5, 1e-3), (2, 1, 1e-5)]:
    goldens.add(
        "batch_norm",
        [normal(rows, channels, seed=1, mean=3), normal(channels, seed=2), normal(channels, seed=3)],
        lambda x, weight, bias: F.batch_norm(x, None, None, weight, bias, training=True, eps=eps),
        {"eps": eps},
    )


def rows(call, x, shape, vectors, **how):
    function = getattr(F, call)
    vs = [normal(*shape, seed=5 + i, mean=1.0 if i == 0 else 0.0) for i in range(vectors)]
    x = x if isinstance(x, torch.Tensor) else normal(*x, seed=4, mean=0.5)
    goldens.add(call, [x, *vs], lambda x, *v: function(x, shape, *v, **how), {"shape": shape, **how})


rows("layer_norm", (4, 7), [7], 2)
rows("layer_norm", (4, 7), [7], 1)
rows("layer_norm", (4, 7), [7], 0, eps=0.1)
rows("layer_norm", (2, 3, 4, 5), [4, 5], 2)
rows("layer_norm", (2, 130), [130], 2)
rows("layer_norm", (9, 1), [1], 2)
# What rounding or one pass over the row gets wrong: a large mean, a row of equal values.
rows("layer_norm", tensor([[40000.0, 40001.0, 40002.0, 40003.0]]), [4], 0)
rows("layer_norm", tensor([[0.1, 0.1, 0.1, 0.1]]), [4], 0)
rows("rms_norm", (4, 7), [7], 1)
rows("rms_norm", (4, 7), [7], 0)
rows("rms_norm", (3, 2, 5), [2, 5], 1, eps=1e-3)
rows("rms_norm", tensor([[0.001, 0.001]]), [2], 0, eps=1e-5)
rows("rms_norm", tensor([[3.0, 4.0]]), [2], 0, eps=0.0)
rows("rms_norm", tensor([[0.0, 0.0, 0.0]]), [3], 0, eps=1e-5)
for shape, groups, affine in [((2, 6, 4, 3), 3, True), ((2, 6, 4, 3), 1, False), ((3, 8), 2, True), ((2, 5, 7), 5, True)]:
    vectors = [normal(shape[1], seed=6, mean=1.0), normal(shape[1], seed=7)] if affine else []
    goldens.add("group_norm", [normal(*shape, seed=8), *vectors], lambda x, *v: F.group_norm(x, groups, *v), {"groups": groups})
goldens.add("group_norm", [normal(2, 3, 5, 4, seed=9)], lambda x: F.instance_norm(x), {"groups": 3})
goldens.add(
    "batch_norm_2d",
    [normal(3, 4, 5, 2, seed=1, mean=3), normal(4, seed=2), normal(4, seed=3)],
    lambda x, weight, bias: F.batch_norm(x, None, None, weight, bias, training=True, eps=1e-5),
    {"features": 4},
)
# Statistics that are given: what batch norm is in inference, with the axis of channels in the middle. (F.batch_norm gives these no gradient.)
def fixed(x, weight, bias, mean, variance):
    y = F.batch_norm(x, mean.detach(), variance.detach(), weight, bias, training=False)
    of = lambda v: v.reshape(-1, *[1] * (x.dim() - 2))
    formula = (x - of(mean)) / torch.sqrt(of(variance) + 1e-5) * of(weight) + of(bias)
    assert torch.allclose(y, formula)
    return formula


for shape in [(5, 3), (2, 3, 4), (2, 3, 4, 2)]:
    c = shape[1]
    vectors = [normal(c, seed=12), normal(c, seed=13), normal(c, seed=14), tensor(normal(c, seed=15).abs() + 0.1)]
    goldens.add(
        "fixed_batch_norm",
        [normal(*shape, seed=11), *vectors],
        fixed,
    )
# Rows of equal values and rows of 0 have a gradient all the same.
for call, values, how in [("layer_norm", [[1.0] * 4], {}), ("rms_norm", [[0.0] * 3], {"eps": 1e-5})]:
    rows(call, tensor(values), [len(values[0])], 1, **how)
goldens.write()
