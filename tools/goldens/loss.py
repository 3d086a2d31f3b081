"""Losses: torch.nn.functional's, and torchvision's sigmoid focal loss by its formula, with their options and gradients."""
import math

import torch
import torch.nn.functional as F
from kit import Goldens, normal, tensor

goldens = Goldens("loss")
labels = torch.tensor([2, 0, 1, 4, 4, 3])
some_ignored = torch.tensor([2, -100, 1, -100, 4, 3])
weights = tensor([0.5, 2.0, 1.0, 0.25, 3.0])
logits = normal(6, 5, seed=1, scale=2)


def classes(call, x, targets, **how):
    function = {"cross_entropy": F.cross_entropy, "nll": lambda x, *a, **k: F.nll_loss(F.log_softmax(x, -1), *a, **k)}[call]
    names = {"label_smoothing": "labelSmoothing", "ignore_index": "ignoreIndex"}
    attrs = {names.get(k, k): (v.tolist() if isinstance(v, torch.Tensor) else v) for k, v in how.items()}
    goldens.add(call, [x, targets], lambda x, t: function(x, t.long(), **how), attrs)


for reduction in ["mean", "sum", "none"]:
    for more in [{}, {"weight": weights}]:
        for smoothing in [0.0, 0.1]:
            classes("cross_entropy", logits, some_ignored, reduction=reduction, label_smoothing=smoothing, **more)
        classes("nll", logits, some_ignored, reduction=reduction, **more)
classes("cross_entropy", logits, labels)
classes("cross_entropy", logits, labels, ignore_index=4)
classes("cross_entropy", logits, labels, label_smoothing=1.0, weight=weights)
# What is known of ignored targets and weights of classes.
classes("cross_entropy", tensor([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([0, -100]))
for reduction in ["mean", "sum", "none"]:
    classes("cross_entropy", tensor([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([-100, -100]), reduction=reduction)
# Of one class alone its weight does not matter.
classes("cross_entropy", logits, torch.tensor([1, 1, 1, 1, 1, 1]), weight=weights)
for reduction in ["none", "sum", "mean"]:
    two = tensor([[0.2, 0.3, 0.5], [0.5, 0.2, 0.3]])
    classes("cross_entropy", two, torch.tensor([2, 1]), weight=tensor([2.0, 4.0, 6.0]), reduction=reduction)

x = normal(4, 3, seed=2, scale=1.5)
near = normal(4, 3, seed=3)
chances = tensor(torch.sigmoid(normal(4, 3, seed=4)))
others = tensor(torch.sigmoid(normal(4, 3, seed=5)))
signs = tensor([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0], [1.0, 1.0, -1.0], [-1.0, 1.0, -1.0]])
counts = tensor([[0.0, 3.0, 1.0], [2.0, 7.0, 0.0], [1.0, 1.0, 4.0], [0.0, 2.0, 12.0]])
logs = tensor(F.log_softmax(normal(4, 3, seed=6), -1))
shares = tensor([[0.0, 0.25, 0.75], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])


def elements(call, function, x, t, attrs=None, **how):
    for reduction in ["mean", "sum", "none"]:
        # Of most the target has no gradient here.
        both = call in ["mse", "l1", "smooth_l1", "huber"]
        compute = lambda x, t: function(x, t, reduction=reduction, **how)
        goldens.add(call, [x, t], compute, {**(attrs or {}), "reduction": reduction}, gradients=both or [0])


elements("mse", F.mse_loss, x, near)
elements("l1", F.l1_loss, x, near)
for beta in [1.0, 0.3, 0.0]:
    elements("smooth_l1", F.smooth_l1_loss, x, near, {"beta": beta}, beta=beta)
elements("huber", F.huber_loss, x, near, {"delta": 0.75}, delta=0.75)
elements("soft_margin", F.soft_margin_loss, x, signs)
for margin in [1.0, 0.2]:
    elements("hinge_embedding", F.hinge_embedding_loss, x, signs, {"margin": margin}, margin=margin)
elements("poisson_nll", F.poisson_nll_loss, x, counts)
elements("poisson_nll", F.poisson_nll_loss, chances, counts, {"logInput": False, "eps": 0.01}, log_input=False, eps=0.01)
elements("bce", F.binary_cross_entropy, chances, others)
three = tensor([0.5, 2.0, 1.0])
elements("bce", F.binary_cross_entropy, chances, others, {"weight": three.tolist()}, weight=three)
elements("bce_with_logits", F.binary_cross_entropy_with_logits, x, others)
how = {"pos_weight": tensor([3.0, 0.5, 1.0]), "weight": three}
elements("bce_with_logits", F.binary_cross_entropy_with_logits, x, others, {"posWeight": [3.0, 0.5, 1.0], "weight": three.tolist()}, **how)
elements("multi_label", F.multilabel_soft_margin_loss, x, tensor((signs > 0).double()), {"weight": three.tolist()}, weight=three)


def kl(x, t, **how):
    names = {"log_target": "logTarget"}
    goldens.add("kl_div", [x, t], lambda x, t: F.kl_div(x, t, **how), {names.get(k, k): v for k, v in how.items()}, gradients=[0])


for reduction in ["mean", "sum", "none", "batchmean"]:
    kl(logs, shares, reduction=reduction)
    kl(logs, tensor(F.log_softmax(normal(4, 3, seed=7), -1)), reduction=reduction, log_target=True)
# A share of nothing costs nothing: log 2.
kl(tensor([[math.log(0.5), math.log(0.5)]]), tensor([[0.0, 1.0]]), reduction="batchmean")


def sigmoid_focal_loss(x, t, reduction, alpha=0.25, gamma=2.0):
    """torchvision.ops.sigmoid_focal_loss, as its documentation defines it."""
    p = torch.sigmoid(x)
    right = p * t + (1 - p) * (1 - t)
    loss = F.binary_cross_entropy_with_logits(x, t, reduction="none") * (1 - right) ** gamma
    if alpha >= 0:
        loss = (alpha * t + (1 - alpha) * (1 - t)) * loss
    return {"mean": loss.mean, "sum": loss.sum, "none": lambda: loss}[reduction]()


hard = tensor((signs > 0).double())
for alpha, gamma in [(0.25, 2.0), (-1, 2.0), (0.6, 0.5), (0.25, 0.0)]:
    elements("sigmoid_focal", sigmoid_focal_loss, x, hard, {"alpha": alpha, "gamma": gamma}, alpha=alpha, gamma=gamma)


left, right, third = normal(4, 5, seed=10), normal(4, 5, seed=11), normal(4, 5, seed=12)
sides = tensor([1.0, -1.0, 1.0, -1.0])
for reduction in ["mean", "sum", "none"]:
    for margin in [0.0, 0.3]:
        how = {"margin": margin, "reduction": reduction}
        goldens.add("margin_ranking", [left, right, tensor(torch.sign(third))], lambda a, b, t: F.margin_ranking_loss(a, b, t, **how), how, gradients=[0, 1])
        goldens.add("cosine_embedding", [left, right, sides], lambda a, b, t: F.cosine_embedding_loss(a, b, t, **how), how, gradients=[0, 1])
    for more in [{}, {"swap": True, "margin": 2.5}, {"p": 1.0}]:
        how = {"reduction": reduction, **more}
        goldens.add("triplet", [left, right, third], lambda a, b, c: F.triplet_margin_loss(a, b, c, **how), how)


def distill(student, teacher, t, temperature, alpha):
    """Hinton, Vinyals, Dean 2015, as frameworks write it."""
    def compute(student, teacher, t):
        soft = F.kl_div(F.log_softmax(student / temperature, -1), F.softmax(teacher / temperature, -1), reduction="batchmean")
        return alpha * temperature**2 * soft + (1 - alpha) * F.cross_entropy(student, t.long())
    goldens.add("distill", [student, teacher, t], compute, {"temperature": temperature, "alpha": alpha}, gradients=[0])


own, taught = normal(6, 5, seed=8, scale=2), normal(6, 5, seed=9, scale=3)
for temperature in [1.0, 2.0, 4.0, 20.0]:
    for alpha in [1.0, 0.7, 0.1, 0.0]:
        distill(own, taught, labels, temperature, alpha)
distill(own, own, labels, 4.0, 1.0)
# 0.4437763, of one sample and of two that are the same; and a chance of 0, which costs nothing.
distill(tensor([[0.0, 0.0]]), tensor([[2.0, 0.0]]), torch.tensor([0]), 2.0, 1.0)
distill(tensor([[0.0, 0.0], [0.0, 0.0]]), tensor([[2.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 0]), 2.0, 1.0)
distill(tensor([[0.0, 0.0]]), tensor([[0.0, 400.0]]), torch.tensor([0]), 1.0, 1.0)
goldens.write()
