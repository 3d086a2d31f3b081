"""
Weights after each of 20 steps of torch.optim's optimizers, in f64, on a small problem: test/goldens/optimizers.json, which its own test
reads. The model is a linear layer of 3 inputs and 2 outputs, the loss the mean squared error; each step has a batch of 4 samples of its
own. Lion and LAMB, which PyTorch has not, are written down here from their papers.
"""
import json

import torch
from kit import GOLDENS, normal

STEPS = 20
WEIGHT, BIAS = normal(2, 3, seed=1), normal(2, seed=2)
XS, YS = normal(STEPS, 4, 3, seed=3), normal(STEPS, 4, 2, seed=4, scale=2.0)
cases = []


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, algorithm 2."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                update = (b1 * m + (1 - b1) * p.grad).sign()
                p -= group["lr"] * (update + group["weight_decay"] * p)
                m.mul_(b2).add_(p.grad, alpha=1 - b2)


class Lamb(torch.optim.Optimizer):
    """You et al. 2020, algorithm 2, with the identity as phi."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                s = self.state[p]
                if not s:
                    s.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                s["t"] += 1
                s["m"].mul_(b1).add_(p.grad, alpha=1 - b1)
                s["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                m, v = s["m"] / (1 - b1 ** s["t"]), s["v"] / (1 - b2 ** s["t"])
                way = m / (v.sqrt() + group["eps"]) + group["weight_decay"] * p
                a, b = p.norm(), way.norm()
                p -= group["lr"] * (a / b if a > 0 and b > 0 else 1.0) * way


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(w.capitalize() for w in rest)



def add(call, make, clip=None, clip_value=None, bias=None, frozen=None, schedule=None, **options):
    weight, b = WEIGHT.clone().requires_grad_(), BIAS.clone().requires_grad_()
    groups = [{"params": [weight]}, {"params": [b], **(bias or {})}]
    if frozen:
        groups = groups[:1]
    optimizer = make(groups, **options)
    scheduler = schedule and schedule(optimizer)
    steps = []
    for x, y in zip(XS, YS):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(x @ weight.T + b, y).backward()
        trained = [weight] if frozen else [weight, b]
        if clip_value:
            torch.nn.utils.clip_grad_value_(trained, clip_value)
        if clip:
            torch.nn.utils.clip_grad_norm_(trained, clip)
        optimizer.step()
        if scheduler:
            scheduler.step()
        steps.append([float(f"{v:.9g}") for v in [*weight.detach().flatten().tolist(), *b.detach().tolist()]])
    case = {"call": call, "options": {camel(k): v for k, v in options.items()}, "steps": steps}
    if clip:
        case["clipNorm"] = clip
    if clip_value:
        case["clipValue"] = clip_value
    if bias:
        case["bias"] = {camel(k): v for k, v in bias.items()}
    if frozen:
        case["bias"] = {"frozen": True}
    cases.append(case)


o = torch.optim
add("sgd", o.SGD, lr=0.1)
add("sgd", o.SGD, lr=0.05, momentum=0.9)
add("sgd", o.SGD, lr=0.05, momentum=0.9, dampening=0.3, weight_decay=0.1)
add("sgd", o.SGD, lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.01)
add("adam", o.Adam, lr=0.05)
add("adam", o.Adam, lr=0.05, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1)
add("adam", o.Adam, lr=0.05, amsgrad=True, betas=(0.9, 0.6))
add("adamw", o.AdamW, lr=0.05)
add("adamw", o.AdamW, lr=0.05, weight_decay=0.3, amsgrad=True, betas=(0.9, 0.6))
add("rmsprop", o.RMSprop)
add("rmsprop", o.RMSprop, lr=0.05, alpha=0.9, momentum=0.7)
add("rmsprop", o.RMSprop, lr=0.02, alpha=0.95, centered=True, weight_decay=0.1)
add("rmsprop", o.RMSprop, lr=0.02, alpha=0.9, centered=True, momentum=0.9, eps=1e-4)
add("adagrad", o.Adagrad)
add("adagrad", o.Adagrad, lr=0.3, lr_decay=0.05, weight_decay=0.1)
add("adagrad", o.Adagrad, lr=0.3, initial_accumulator_value=0.5, eps=1e-3)
add("adadelta", o.Adadelta)
add("adadelta", o.Adadelta, lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1)
add("nadam", o.NAdam)
add("nadam", o.NAdam, lr=0.05, betas=(0.8, 0.95), momentum_decay=0.05, weight_decay=0.1)
add("nadam", o.NAdam, lr=0.05, weight_decay=0.1, decoupled_weight_decay=True)
add("lion", Lion)
add("lion", Lion, lr=0.03, betas=(0.8, 0.95), weight_decay=0.2)
add("lamb", Lamb)
add("lamb", Lamb, lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1)
add("lamb", Lamb, lr=0.1, weight_decay=0.0)
add("sgd", o.SGD, lr=0.1, momentum=0.9, clip=0.5)
add("lamb", Lamb, lr=0.1, clip=0.5)
add("rmsprop", o.RMSprop, lr=0.05, clip=0.5)
add("adamw", o.AdamW, lr=0.05, clip=0.5, bias={"lr": 0.2, "weight_decay": 0.0})
add("sgd", o.SGD, lr=0.05, momentum=0.9, bias={"momentum": 0.0, "lr": 0.2, "weight_decay": 0.5})
add("lamb", Lamb, lr=0.1, bias={"weight_decay": 0.0, "lr": 0.02})
add("adam", o.Adam, lr=0.05, frozen=True)
add("sgd", o.SGD, lr=0.1, clip_value=0.2)
add("adam", o.Adam, lr=0.05, clip_value=0.3, clip=0.5)

numbers = lambda t: [float(f"{v:.9g}") for v in t.flatten().tolist()]
head = {"by": f"PyTorch {torch.__version__.split('+')[0]}", "weight": numbers(WEIGHT), "bias": numbers(BIAS), "xs": numbers(XS), "ys": numbers(YS)}
rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
(GOLDENS / "optimizers.json").write_text(f'{json.dumps(head)[:-1]},"cases":[\n{rows}\n]}}\n')
print(len(cases), "cases")
