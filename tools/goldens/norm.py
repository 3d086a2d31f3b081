"""Batch normalization, as trained: torch.nn.functional.batch_norm over (rows, channels)."""
import torch.nn.functional as F
from kit import Goldens, normal

goldens = Goldens("norm")
for rows, channels, eps in [(4, 3, 1e-5), (17, 5, 1e-3), (2, 1, 1e-5)]:
    goldens.add(
        "batch_norm",
        [normal(rows, channels, seed=1, mean=3), normal(channels, seed=2), normal(channels, seed=3)],
        lambda x, weight, bias: F.batch_norm(x, None, None, weight, bias, training=True, eps=eps),
        {"eps": eps},
    )
goldens.write()
