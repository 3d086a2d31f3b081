"""Learning rates of torch.optim.lr_scheduler, 30 steps each: test/goldens/schedules.json, which its own test reads."""
import json
import warnings

import torch
from kit import GOLDENS
from torch.optim import lr_scheduler as s

warnings.filterwarnings("ignore")
STEPS = 30
cases = []


def rates(make, lr, metrics=None):
    p = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([p], lr=lr)
    schedule = make(optimizer)
    out = []
    for i in range(STEPS):
        out.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if metrics is None:
            try:
                schedule.step()
            except ValueError:
                break
        elif metrics[i] is not None:
            schedule.step(metrics[i])
    return out


def add(call, options, make, lr, metrics=None):
    case = {"call": call, "options": options, "rates": rates(make, lr, metrics)}
    if metrics:
        case["metrics"] = ["NaN" if m != m else m for m in metrics]
    cases.append(case)


for size, gamma in [(7, 0.1), (1, 0.9), (40, 0.5)]:
    add("step", {"lr": 0.4, "stepSize": size, "gamma": gamma}, lambda o: s.StepLR(o, size, gamma), 0.4)
for marks in [[3, 10, 11], [29], [5, 5]]:
    add("multiStep", {"lr": 0.3, "milestones": marks, "gamma": 0.5}, lambda o: s.MultiStepLR(o, marks, 0.5), 0.3)
add("exponential", {"lr": 0.2, "gamma": 0.93}, lambda o: s.ExponentialLR(o, 0.93), 0.2)
for total, power in [(20, 1.0), (12, 2.0), (30, 0.5)]:
    add("polynomial", {"lr": 0.1, "totalIters": total, "power": power}, lambda o: s.PolynomialLR(o, total, power), 0.1)
add("linear", {"lr": 0.1}, lambda o: s.LinearLR(o), 0.1)
add("linear", {"lr": 0.5, "startFactor": 0.01, "endFactor": 0.8, "totalIters": 13}, lambda o: s.LinearLR(o, 0.01, 0.8, 13), 0.5)
add("constant", {"lr": 0.1}, lambda o: s.ConstantLR(o), 0.1)
add("constant", {"lr": 0.2, "factor": 0.25, "totalIters": 9}, lambda o: s.ConstantLR(o, 0.25, 9), 0.2)
for total, least in [(30, 0.0), (45, 0.01)]:
    add("cosine", {"lr": 0.5, "total": total, "least": least}, lambda o: s.CosineAnnealingLR(o, total, least), 0.5)
for t0, mult, least in [(5, 1, 0.0), (4, 2, 0.01), (1, 1, 0.1), (3, 3, 0.0)]:
    add(
        "cosineRestarts",
        {"lr": 0.5, "t0": t0, "tMult": mult, "etaMin": least},
        lambda o: s.CosineAnnealingWarmRestarts(o, t0, mult, least),
        0.5,
    )
for total, more in [
    (30, {}),
    (40, {"pct_start": 0.1, "anneal_strategy": "linear", "div_factor": 10.0, "final_div_factor": 100.0}),
    (30, {"three_phase": True}),
    (30, {"three_phase": True, "anneal_strategy": "linear", "pct_start": 0.25}),
    (30, {"pct_start": 0.9}),
]:
    names = {"pct_start": "pctStart", "anneal_strategy": "annealStrategy", "div_factor": "divFactor", "final_div_factor": "finalDivFactor", "three_phase": "threePhase"}
    add(
        "oneCycle",
        {"maxLr": 0.6, "totalSteps": total, **{names[k]: v for k, v in more.items()}},
        lambda o: s.OneCycleLR(o, 0.6, total, cycle_momentum=False, **more),
        0.1,
    )
for up, down, mode, gamma in [(4, None, "triangular", 1.0), (3, 6, "triangular2", 1.0), (5, 2, "exp_range", 0.95)]:
    add(
        "cyclic",
        {"baseLr": 0.1, "maxLr": 0.5, "stepSizeUp": up, **({"stepSizeDown": down} if down else {}), "mode": mode, "gamma": gamma},
        lambda o: s.CyclicLR(o, 0.1, 0.5, up, down, mode, gamma, cycle_momentum=False),
        0.1,
    )
noise = [1 / (1 + i) if i < 8 else 0.2 + 0.01 * ((i * 7) % 5) for i in range(STEPS)]
rising = [i if i < 4 else 4 - 0.1 * i for i in range(STEPS)]
plateau = {"factor": 0.5, "patience": 2}
names = {"thresholdMode": "threshold_mode", "minLr": "min_lr"}
for metrics, more in [
    (noise, {}),
    (noise, plateau),
    (noise, {**plateau, "cooldown": 4}),
    (rising, {**plateau, "mode": "max"}),
    (rising, {**plateau, "mode": "max", "thresholdMode": "abs", "threshold": 1.5, "minLr": 0.05}),
    (noise, {"factor": 0.5, "patience": 0, "eps": 0.02}),
    ([float("nan")] * STEPS, plateau),
    ([-x for x in noise], {**plateau, "threshold": 0.1}),
    ([x if i % 3 == 2 else None for i, x in enumerate(noise)], {"factor": 0.1, "patience": 1}),
]:
    args = {names.get(k, k): v for k, v in more.items()}
    add("reduceOnPlateau", {"lr": 0.4, **more}, lambda o: s.ReduceLROnPlateau(o, **args), 0.4, metrics)
add(
    "warm-up, then exponential",
    {},
    lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, 6), s.ExponentialLR(o, 0.9)], [6]),
    0.3,
)
add(
    "warm-up, then cosine",
    {},
    lambda o: s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, 6), s.CosineAnnealingLR(o, 24)], [6]),
    0.3,
)
add("constant and exponential", {}, lambda o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)]), 0.3)
add("linear and step", {}, lambda o: s.ChainedScheduler([s.LinearLR(o, 0.2, 1.0, 10), s.StepLR(o, 7, 0.5)]), 0.3)

rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
(GOLDENS / "schedules.json").write_text(f'{{"by":"PyTorch {torch.__version__.split("+")[0]}","cases":[\n{rows}\n]}}\n')
print(len(cases), "cases")
