"""PyTorch on the CPU: whichever is faster, eager with fused optimizers or torch.compile."""

import logging
import time

import numpy as np
import torch
import torch.nn.functional as F

# Only what breaks, not what the compiler thinks of the code.
torch._logging.set_logs(all=logging.ERROR)

DTYPES = {"f32": np.float32, "i32": np.int32, "u8": np.uint8, "i8": np.int8}

ACTIVATIONS = {
    "relu": F.relu,
    "silu": F.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": F.softplus,
    "hardswish": F.hardswish,
    "gelu": F.gelu,
    "softmax": lambda x: F.softmax(x, -1),
}


class Engine:
    def __init__(self, threads):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.threads = threads
        self.version = torch.__version__

    def prepare(self, problem, arrays):
        tensors = [torch.from_numpy(np.frombuffer(b, DTYPES[d]).reshape(s).copy()) for d, s, b in arrays]
        if problem["kind"] == "op":
            return op(problem, tensors)
        if problem["kind"] == "train":
            return train(tensors)
        return infer(tensors) if problem["precision"] == "f32" else None


def packed(*tensors):
    return [("f32", t.shape, np.ascontiguousarray(t.detach().numpy(), np.float32).tobytes()) for t in tensors]


def op(problem, x):
    name, attrs = problem["op"], problem["attrs"]
    turn = lambda t, swapped: t.t() if swapped else t
    if name == "matmul":
        run = lambda: torch.matmul(turn(x[0], attrs["transposeA"]), turn(x[1], attrs["transposeB"]))
    elif name in ACTIVATIONS:
        run = lambda: ACTIVATIONS[name](x[0])
    elif name == "cross_entropy":
        target = x[1].long()
        run = lambda: F.cross_entropy(x[0], target, reduction="none", label_smoothing=attrs["labelSmoothing"])
    elif name == "adamw":
        return adamw(attrs, x)
    elif name == "sgd" and attrs["momentum"] == 0:
        return sgd(x)
    else:
        return None
    run = no_grad(run)
    return packed(run()), run


def no_grad(f):
    def run():
        with torch.inference_mode():
            return f()

    return run


def sgd(x):
    weight = torch.nn.Parameter(x[0].clone())
    weight.grad = x[1]
    step = torch.optim.SGD([weight], lr=float(x[2][1]), fused=True).step
    step()
    return packed(weight), step


def adamw(attrs, x):
    """Moments and rates as the case has them: bias corrections of 1 are those of a step far away."""
    p, g, m, v, hyper = x
    weight = torch.nn.Parameter(p.clone())
    weight.grad = g
    betas, eps, decay = (attrs["beta1"], attrs["beta2"]), attrs["eps"], attrs["weightDecay"]
    optimizer = torch.optim.AdamW([weight], lr=float(hyper[0]), betas=betas, eps=eps, weight_decay=decay, fused=True)
    state = optimizer.state[weight]
    state.update(step=torch.tensor(1e6), exp_avg=m.clone(), exp_avg_sq=v.clone())
    optimizer.step()
    return packed(weight, state["exp_avg"], state["exp_avg_sq"]), optimizer.step


def forward(x, weights):
    for i in range(0, len(weights), 2):
        x = F.linear(x, weights[i], weights[i + 1])
        if i + 2 < len(weights):
            x = F.relu(x)
    return x


def fastest(runs):
    """The one with the lowest time of 20 runs, after it has been compiled and warmed."""
    best, least = None, float("inf")
    for make in runs:
        try:
            run = make()
            for _ in range(5):
                run()
        except Exception as error:  # torch.compile needs a C++ compiler: eager runs without.
            print(f"PyTorch: {type(error).__name__}: {str(error).splitlines()[0]}", flush=True)
            continue
        times = []
        for _ in range(20):
            begin = time.perf_counter()
            run()
            times.append(time.perf_counter() - begin)
        if sorted(times)[10] < least:
            best, least = run, sorted(times)[10]
    return best


def train(tensors):
    *layers, x_small, t_small, x, t = tensors

    def stepper(x, t, compile_loss, compile_update):
        weights = [torch.nn.Parameter(w.clone()) for w in layers]
        optimizer = torch.optim.Adam(weights, lr=1e-3, fused=True)
        target = t.long()
        loss_of = lambda x, target: F.cross_entropy(forward(x, weights), target)
        loss_of = torch.compile(loss_of) if compile_loss else loss_of
        update = torch.compile(optimizer.step) if compile_update else optimizer.step

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(x, target)
            loss.backward()
            update()
            return loss.item()

        return step

    small = stepper(x_small, t_small, False, False)
    losses = torch.tensor([small(), small()])
    choices = [(False, False), (True, False), (True, True)]
    return packed(losses), fastest([lambda c=c: stepper(x, t, *c) for c in choices])


def infer(tensors):
    *weights, x = tensors
    values = x.numpy()
    plain = lambda: forward(torch.from_numpy(values), weights).numpy()

    def compiled():
        f = torch.compile(forward)
        return no_grad(lambda: f(torch.from_numpy(values), weights).numpy())

    run = fastest([lambda: no_grad(plain), compiled])
    return packed(torch.from_numpy(run())), run
