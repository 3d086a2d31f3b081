"""Uses the raw kernels from Python: raw.py simd128.wasm

softmax(relu(A B^T + bias)), two records of one tape, compared with the same in plain Python. docs/ABI.md has every record.
"""

import math
import random
import struct
import sys

from wasmtime import Engine, Instance, Limits, Memory, MemoryType, Module, Store

MATMUL, SOFTMAX, RELU = 1, 17, 1
TILE = 5, 8
M, K, N = 7, 100, 10

store = Store(Engine())
memory = Memory(store, MemoryType(Limits(64, 65536)))
exports = Instance(store, Module.from_file(store.engine, sys.argv[1]), [memory]).exports(store)
top = exports["reservedBytes"](store)


def allocate(size):
    """Tensors start at multiples of 64, and the host says where."""
    global top
    at = -(-top // 64) * 64
    top = at + size
    if top > memory.data_len(store):
        memory.grow(store, -(-(top - memory.data_len(store)) // 65536))
    return at


def tensor(values):
    at = allocate(4 * len(values))
    memory.write(store, struct.pack(f"<{len(values)}f", *values), at)
    return at


def floats(count):
    return list(struct.unpack(f"<{count}f", struct.pack(f"<{count}f", *(random.uniform(-1, 1) for _ in range(count)))))


random.seed(1)
a, b, bias = floats(M * K), floats(N * K), floats(N)
y, scratch = allocate(4 * M * N), allocate(exports["scratchBytes"](store))
product = [tensor(a), tensor(b), tensor(bias), y, 1, M, N, K, 0, 0, K, 1, 1, K, N, RELU, 0, *TILE, scratch, 0, 0]
records = [[MATMUL, *product], [SOFTMAX, y, y, M, N]]
words = [word for code, *rest in records for word in (code, len(rest) + 2, *rest)]
tape = allocate(4 * len(words))
memory.write(store, struct.pack(f"<{len(words)}I", *words), tape)
exports["run"](store, tape, tape + 4 * len(words), 0, 1, 0, 0)
result = struct.unpack(f"<{M * N}f", memory.read(store, y, y + 4 * M * N))

for i in range(M):
    row = [max(0, bias[j] + sum(a[i * K + k] * b[j * K + k] for k in range(K))) for j in range(N)]
    total = sum(math.exp(x) for x in row)
    if any(abs(math.exp(x) / total - result[i * N + j]) > 1e-6 for j, x in enumerate(row)):
        sys.exit(f"row {i} is wrong: {result[i * N : i * N + N]}")
print("right")
