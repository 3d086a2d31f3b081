"""Convolutions and transposed convolutions: torch.nn.functional.conv1d, conv2d, conv_transpose1d, conv_transpose2d."""
import torch.nn.functional as F
from kit import Goldens, normal, tensor

goldens = Goldens("conv")


def conv(axes, x, w, bias=True, **how):
    """`how` as PyTorch names it; here in camel case."""
    transposed = how.pop("transposed", False)
    call = getattr(F, f"conv{'_transpose' if transposed else ''}{axes}d")
    filters = w[1] * how.get("groups", 1) if transposed else w[0]
    inputs = [normal(*x, seed=1), normal(*w, seed=2)] + ([normal(filters, seed=3)] if bias else [])
    attrs = {("outputPadding" if k == "output_padding" else k): v for k, v in how.items()}
    name = f"conv{'Transpose' if transposed else ''}{axes}d"
    goldens.add(name, inputs, lambda *t: call(*t, **how), attrs)


conv(2, (2, 3, 7, 8), (4, 3, 3, 3))
conv(2, (2, 3, 7, 8), (4, 3, 3, 3), bias=False, stride=2, padding=1)
conv(2, (1, 4, 6, 5), (6, 2, 3, 2), stride=[2, 1], padding=[1, 2], groups=2)
conv(2, (1, 2, 9, 9), (3, 2, 3, 3), dilation=[2, 3])
conv(2, (1, 3, 6, 7), (2, 3, 3, 2), padding="same")
conv(2, (1, 3, 7, 7), (5, 3, 4, 4), padding="same", dilation=2)
conv(2, (1, 3, 6, 6), (2, 3, 3, 3), padding="valid")
conv(2, (2, 6, 5, 6), (6, 1, 3, 3), padding=1, groups=6)
conv(2, (2, 6, 5, 6), (12, 1, 3, 3), padding=1, groups=6)
conv(2, (1, 8, 5, 5), (8, 1, 5, 5), padding=2, stride=2, groups=8)
conv(2, (2, 5, 4, 4), (7, 5, 1, 1))
conv(2, (2, 5, 5, 5), (7, 5, 1, 1), stride=2)
conv(2, (1, 1, 3, 3), (2, 1, 3, 3), padding=4)
conv(2, (3, 6, 7), (4, 3, 3, 3))
conv(1, (2, 3, 10), (4, 3, 3))
conv(1, (2, 4, 11), (6, 2, 4), stride=3, padding=2, dilation=2, groups=2)
conv(1, (3, 9), (2, 3, 2), padding="same")
conv(1, (1, 1, 6), (1, 1, 3), stride=2)
for how in [{}, {"stride": 2}, {"stride": 2, "padding": 1, "output_padding": 1}, {"stride": [2, 3], "padding": [1, 0], "dilation": [2, 1]}]:
    conv(2, (2, 3, 4, 5), (3, 4, 3, 3), transposed=True, **how)
conv(2, (1, 4, 3, 3), (4, 2, 3, 2), transposed=True, groups=2, stride=2, bias=False)
conv(2, (1, 4, 5, 4), (4, 1, 3, 3), transposed=True, groups=4, stride=2, padding=1)
conv(1, (2, 3, 5), (3, 2, 3), transposed=True, stride=2, padding=1, output_padding=1)
conv(1, (1, 1, 4), (1, 1, 3), transposed=True, dilation=2, output_padding=1)
conv(1, (3, 4), (3, 2, 4), transposed=True, stride=4)
# Known faults of other engines: order of a multiplier's channels, the pixels that a stride leaves over, a crop that is none.
goldens.add(
    "conv1d", [tensor([[[10.0], [100.0]]]), tensor([[[1.0]], [[2.0]], [[3.0]], [[4.0]]])], lambda x, w: F.conv1d(x, w, groups=2), {"groups": 2}
)
goldens.add("conv1d", [normal(1, 1, 8, seed=4), tensor([[[1.0, 2.0, 3.0]]])], lambda x, w: F.conv1d(x, w, stride=3), {"stride": 3})
for more in (0, 1):
    goldens.add(
        "convTranspose1d",
        [tensor([[[1.0, 10.0]]]), tensor([[[1.0, 2.0, 3.0]]])],
        lambda x, w: F.conv_transpose1d(x, w, stride=2, padding=1, output_padding=more),
        {"stride": 2, "padding": 1, "outputPadding": more},
    )
goldens.write()
