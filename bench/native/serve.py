"""Runs cases of the benchmark in Python, for a parent process that asks through pipes.

    python serve.py ENGINE THREADS        ENGINE: NAME_engine.py beside this file, with a class Engine(threads), or a path to one

A message, either way, is a length (u32, little-endian), that many bytes of JSON, and then the arrays that the JSON lists under
"arrays" ({"dtype", "shape"}), one after the other. Requests are {"do": "prepare", "problem": ...} and
{"do": "sample", "seconds", "fewest"}; a reply is {"answer": true} with arrays, {"unsupported": true}, {"samples": [ms, ...]}
or {"error": text}. The first reply, unasked, is {"ready": true, "threads", "version"}.
"""

import importlib.util
import json
import os
import struct
import sys
import time

SIZES = {"f32": 4, "i32": 4, "u8": 1, "i8": 1}


def receive(stream):
    """A header and its arrays as (dtype, shape, bytes); None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    header = json.loads(stream.read(struct.unpack("<I", head)[0]))
    arrays = []
    for spec in header.get("arrays", []):
        count = 1
        for n in spec["shape"]:
            count *= n
        arrays.append((spec["dtype"], spec["shape"], stream.read(count * SIZES[spec["dtype"]])))
    return header, arrays


def send(stream, header, arrays=()):
    header = dict(header, arrays=[{"dtype": d, "shape": list(s)} for d, s, _ in arrays])
    text = json.dumps(header).encode()
    stream.write(struct.pack("<I", len(text)) + text)
    for _, _, data in arrays:
        stream.write(data)
    stream.flush()


def sample(run, seconds, fewest):
    """Milliseconds of one run, sample by sample: each is the mean of as many runs as fill a twentieth of a second or so."""
    run()
    begin = time.perf_counter()
    run()
    once = max(time.perf_counter() - begin, 1e-7)
    group = max(1, round(min(0.05, seconds / 4) / once))
    samples = []
    end = time.perf_counter() + seconds
    while len(samples) < fewest or time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(group):
            run()
        samples.append((time.perf_counter() - begin) / group * 1e3)
    return samples


def load(name):
    path = name if name.endswith(".py") else os.path.join(os.path.dirname(os.path.abspath(__file__)), name + "_engine.py")
    spec = importlib.util.spec_from_file_location("engine", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    # What libraries print must not get among the messages.
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    name, threads = sys.argv[1], int(sys.argv[2])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    try:
        engine = load(name).Engine(threads)
    except Exception as error:
        return send(replies, {"error": f"{type(error).__name__}: {error}"})
    send(replies, {"ready": True, "threads": engine.threads, "version": engine.version})
    run = None
    while (message := receive(requests)) is not None:
        header, arrays = message
        try:
            if header["do"] == "prepare":
                prepared = engine.prepare(header["problem"], arrays)
                if prepared is None:
                    send(replies, {"unsupported": True})
                else:
                    answer, run = prepared
                    send(replies, {"answer": True}, answer)
            else:
                send(replies, {"samples": sample(run, header["seconds"], header["fewest"])})
        except Exception as error:
            send(replies, {"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main()
