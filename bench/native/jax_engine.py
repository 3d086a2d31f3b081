"""JAX on the CPU, everything under jit, memory of weights and moments given up to their successors."""

import os

import numpy as np

os.environ["JAX_PLATFORMS"] = "cpu"

DTYPES = {"f32": np.float32, "i32": np.int32, "u8": np.uint8, "i8": np.int8}


class Engine:
    def __init__(self, threads):
        # The process may use just so many processors, which is what XLA makes its threads by; this says it once more.
        os.environ["NPROC"] = str(threads)
        if threads == 1:
            os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")
        import jax

        self.threads = threads
        self.version = jax.__version__

    def prepare(self, problem, arrays):
        values = [np.frombuffer(b, DTYPES[d]).reshape(s) for d, s, b in arrays]
        if problem["kind"] == "op":
            return op(problem, values)
        if problem["kind"] == "train":
            return train(values)
        return infer(values) if problem["precision"] == "f32" else None


def packed(*arrays):
    return [("f32", a.shape, np.ascontiguousarray(np.asarray(a), np.float32).tobytes()) for a in arrays]


def op(problem, values):
    import jax
    import jax.numpy as jnp

    name, attrs = problem["op"], problem["attrs"]
    turn = lambda t, swapped: t.T if swapped else t
    functions = {
        "matmul": lambda a, b: turn(a, attrs["transposeA"]) @ turn(b, attrs["transposeB"]),
        "relu": jax.nn.relu,
        "silu": jax.nn.silu,
        "sigmoid": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "softplus": jax.nn.softplus,
        "hardswish": jax.nn.hard_swish,
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "softmax": jax.nn.softmax,
    }
    if name not in functions:
        return None
    f = jax.jit(functions[name])
    arrays = [jnp.asarray(v) for v in values]
    run = lambda: f(*arrays).block_until_ready()
    return packed(run()), run


def forward(weights, x):
    import jax

    for i in range(0, len(weights), 2):
        x = x @ weights[i].T + weights[i + 1]
        if i + 2 < len(weights):
            x = jax.nn.relu(x)
    return x


def train(values):
    import jax
    import jax.numpy as jnp
    from functools import partial

    *layers, x_small, t_small, x, t = values

    def loss_of(weights, x, t):
        logits = jax.nn.log_softmax(forward(weights, x))
        return -jnp.mean(jnp.take_along_axis(logits, t[:, None], 1))

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def update(weights, m, v, count, x, t):
        """Kingma & Ba 2015, algorithm 1."""
        loss, g = jax.value_and_grad(loss_of)(weights, x, t)
        count += 1
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g)]
        v = [0.999 * a + 0.001 * b * b for a, b in zip(v, g)]
        first, second = 1 - 0.9**count, 1 - 0.999**count
        change = [a / first / (jnp.sqrt(b / second) + 1e-8) for a, b in zip(m, v)]
        return [w - 1e-3 * c for w, c in zip(weights, change)], m, v, count, loss

    def stepper(x, t):
        state = [[jnp.array(w) for w in layers], *([jnp.zeros_like(w) for w in layers] for _ in range(2)), jnp.float32(0)]
        x, t = jnp.asarray(x), jnp.asarray(t)

        def step():
            *state[:], loss = update(*state, x, t)
            return float(loss)

        return step

    small = stepper(x_small, t_small)
    return packed(np.float32([small(), small()])), stepper(x, t)


def infer(values):
    import jax
    import jax.numpy as jnp

    *layers, x = values
    weights = [jnp.asarray(w) for w in layers]
    f = jax.jit(forward)
    run = lambda: np.asarray(f(weights, x))
    return packed(run()), run
