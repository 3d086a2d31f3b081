"""Pooling: torch.nn.functional.max_pool1d/2d, avg_pool1d/2d, adaptive_avg_pool2d, adaptive_max_pool2d."""
import torch.nn.functional as F
from kit import Goldens, normal, tensor

goldens = Goldens("pool")
CAMEL = {"ceil_mode": "ceilMode", "count_include_pad": "countIncludePad", "divisor_override": "divisorOverride"}


def pool(kind, axes, shape, size, **how):
    call = getattr(F, f"{kind}_pool{axes}d")
    attrs = {"size": size, "options": {CAMEL.get(k, k): v for k, v in how.items()}}
    goldens.add(f"{kind}Pool{axes}d", [normal(*shape, seed=1)], lambda x: call(x, size, **how), attrs)


pool("max", 2, (2, 3, 6, 8), 2)
pool("max", 2, (2, 3, 7, 8), 3, stride=2, padding=1)
pool("max", 2, (3, 7, 8), [2, 3], stride=[1, 2], dilation=[2, 1])
pool("max", 2, (1, 2, 6, 7), 3, stride=2, ceil_mode=True)
pool("max", 2, (1, 2, 7, 7), 2, stride=3, padding=1, ceil_mode=True)
pool("max", 1, (2, 3, 9), 3, stride=2, padding=1)
pool("max", 1, (3, 8), 2)
pool("avg", 2, (2, 3, 6, 8), 2)
pool("avg", 2, (2, 3, 7, 8), 3, stride=2, padding=1)
pool("avg", 2, (2, 3, 7, 8), 3, stride=2, padding=1, count_include_pad=False)
pool("avg", 2, (1, 2, 6, 7), [3, 2], stride=2, padding=[1, 1], ceil_mode=True)
pool("avg", 2, (1, 2, 6, 7), [3, 2], stride=2, padding=[1, 1], ceil_mode=True, count_include_pad=False)
pool("avg", 2, (3, 5, 5), 3, stride=1, divisor_override=4)
pool("avg", 1, (2, 3, 9), 4, stride=3, padding=2)
# What hangs over the end never counts.
for pad in (True, False):
    goldens.add(
        "avgPool1d",
        [tensor([[[1.0, 2.0, 3.0, 4.0, 5.0]]])],
        lambda x: F.avg_pool1d(x, 2, stride=2, ceil_mode=True, count_include_pad=pad),
        {"size": 2, "options": {"stride": 2, "ceilMode": True, "countIncludePad": pad}},
    )
    goldens.add(
        "avgPool1d",
        [tensor([[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]])],
        lambda x: F.avg_pool1d(x, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=pad),
        {"size": 3, "options": {"stride": 2, "padding": 1, "ceilMode": True, "countIncludePad": pad}},
    )
# The first of equals takes the gradient; NaN stays.
goldens.add("maxPool1d", [tensor([[[1.0, 2.0, 2.0, 2.0]]])], lambda x: F.max_pool1d(x, 4), {"size": 4, "options": {}})
goldens.add("maxPool1d", [tensor([[[1.0, 3.0, 2.0]]])], lambda x: F.max_pool1d(x, 2, stride=1), {"size": 2, "options": {"stride": 1}})
goldens.add("maxPool1d", [tensor([[[-5.0, -3.0, -4.0]]])], lambda x: F.max_pool1d(x, 3, stride=1, padding=1), {"size": 3, "options": {"stride": 1, "padding": 1}})
for size, shape in [(1, (2, 3, 5, 6)), ([2, 3], (2, 3, 4, 6)), ([3, 2], (2, 3, 7, 5)), ([5, 4], (1, 2, 3, 6)), (3, (2, 5, 5))]:
    goldens.add("adaptiveAvgPool2d", [normal(*shape, seed=2)], lambda x: F.adaptive_avg_pool2d(x, size), {"size": size})
    goldens.add("adaptiveMaxPool2d", [normal(*shape, seed=2)], lambda x: F.adaptive_max_pool2d(x, size), {"size": size})
goldens.write()
