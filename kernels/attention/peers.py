#!/usr/bin/env python3
"""Times PyTorch's attention backends and ours in one process, by the same graph replay on the same random
data: python3 peers.py libcheckride_attention.so > peers.json. Needs PyTorch and an NVIDIA GPU. Each line is
one problem; a backend that refuses a problem is null. Times are microseconds a launch, the median over
replays of a graph of N serial calls; errors are the largest against fp64."""
import argparse
import ctypes
import json
import statistics
import sys

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

BACKENDS = {"cudnn": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION,
            "efficient": SDPBackend.EFFICIENT_ATTENTION}
SHAPES = [(1, 8, 512), (1, 8, 128), (4, 8, 512), (1, 8, 2048)]


def load(path):
    function = ctypes.CDLL(path).checkride_attention_forward
    function.argtypes = [ctypes.c_void_p] * 4 + [ctypes.c_int] * 6 + [ctypes.c_char_p, ctypes.c_void_p]
    function.restype = ctypes.c_int
    return function


def graph_us(call, nodes, samples):
    """Median microseconds a call. A replay goes ahead of the timed one, so the device never waits for us."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            for _ in range(nodes):
                call()
        times = []
        for _ in range(samples + 10):
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            graph.replay()
            begin.record(stream)
            graph.replay()
            end.record(stream)
            end.synchronize()
            times.append(begin.elapsed_time(end) * 1000.0 / nodes)
    return statistics.median(times[10:])


def measure(call, result, reference, samples):
    result().fill_(float("nan"))
    try:
        call()
        torch.cuda.synchronize()
        error = (result().double() - reference).abs().max().item()
        hot20, hot100 = graph_us(call, 20, samples), graph_us(call, 100, samples)
    except RuntimeError as refused:
        print(str(refused).split("\n")[0], file=sys.stderr)
        return None
    return {"latency_us_per_launch": round(hot100, 3), "nodes_20_us": round(hot20, 3),
            "err_max": float(f"{error:.4e}") if error == error else None}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--samples", type=int, default=100)
    args = parser.parse_args()
    ours = load(args.library)
    sm = int("%d%d" % torch.cuda.get_device_capability())
    torch.manual_seed(1)
    for batch, heads, seq in SHAPES:
        for dtype in (torch.float16, torch.bfloat16):
            for causal in (False, True):
                q, k, v = (torch.randn(batch, heads, seq, 64, device="cuda").to(dtype) for _ in range(3))
                score = q.double() @ k.double().transpose(-1, -2) * 0.125
                if causal:
                    hidden = torch.ones(seq, seq, dtype=torch.bool, device="cuda").triu(1)
                    score = score.masked_fill(hidden, float("-inf"))
                reference = score.softmax(-1) @ v.double()
                row = {"batch": batch, "heads": heads, "seq": seq, "head_dim": 64,
                       "dtype": "f16" if dtype == torch.float16 else "bf16", "causal": causal,
                       "timing_mode": "graph_hot", "pdl": False, "device": torch.cuda.get_device_name(),
                       "torch": torch.__version__, "cudnn": torch.backends.cudnn.version()}
                out = torch.empty_like(q)

                def call_ours():
                    if ours(q.data_ptr(), k.data_ptr(), v.data_ptr(), out.data_ptr(), batch, heads, seq,
                            int(dtype == torch.bfloat16), int(causal), sm, b"auto",
                            torch.cuda.current_stream().cuda_stream):
                        raise RuntimeError("our kernel was not queued")

                row["ours"] = measure(call_ours, lambda: out, reference, args.samples)
                for name, backend in BACKENDS.items():
                    held = [torch.empty_like(q)]

                    def call_peer():
                        with sdpa_kernel(backend):
                            held[0] = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

                    row[name] = measure(call_peer, lambda: held[0], reference, args.samples)
                print(json.dumps(row), flush=True)


main()
