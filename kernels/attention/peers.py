#!/usr/bin/env python3
"""Times PyTorch's attention backends and ours in one process, in the same way on the same random data:
python3 peers.py libcheckride_attention.so [--cudnn-e4m3 libcheckride_peer.so] > peers.jsonl. Needs PyTorch and
an NVIDIA GPU. Each line is one problem, times are microseconds a launch as ../measure/graph_timer.h takes them:
in one graph N launches to lead, N timed, 2 N timed, and the difference over N; the median over its replays.
`hot` and `cold` are of N = 100, `apart_pct` is how far N = 20 is from that. Cold: launches go round sets of
inputs that together are 2.5 times the L2 cache. `quotient_us` is the plain time of 20 launches over 20, events
and all, as others report it. Errors are the largest against fp64. A backend that refuses a problem is null and
its words go to standard error. In the rows of e4m3 the 16-bit backends run the same problem in fp16."""
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
TYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "e4m3": torch.float16}
FEW, MANY = 20, 100
E4M3_MAX = 448.0


class Graph:
    """The graphs of one measurement: together they visit every set of inputs before any comes again."""

    def __init__(self, call, nodes, sets):
        self.nodes, self.graphs, self.turn = nodes, [], 0
        self.events = [torch.cuda.Event(enable_timing=True, external=True) for _ in range(3)]
        stream = torch.cuda.current_stream()
        call(0)
        stream.synchronize()
        for first in range(0, max(sets, 4 * nodes), 4 * nodes):
            graph, node = torch.cuda.CUDAGraph(), first
            with torch.cuda.graph(graph, stream=stream):
                for times, event in zip((1, 1, 2), self.events):
                    for _ in range(times * nodes):
                        call(node % sets)
                        node += 1
                    event.record(stream)
            self.graphs.append(graph)

    def sample(self):
        """Microseconds a launch, and the plain quotient."""
        self.graphs[self.turn].replay()
        self.turn = (self.turn + 1) % len(self.graphs)
        torch.cuda.current_stream().synchronize()
        first, second = (self.events[i].elapsed_time(self.events[i + 1]) * 1000.0 for i in (0, 1))
        return (second - first) / self.nodes, first / self.nodes

    def medians(self, samples):
        taken = [self.sample() for _ in range(samples + 10)][10:]
        return tuple(statistics.median(values) for values in zip(*taken))


def cold_sets(needed, nodes):
    """At least so many sets that the graphs' rounds end where they began."""
    sets = needed
    while (4 * nodes) % sets != 0 and sets % (4 * nodes) != 0:
        sets += 1
    return sets


def times(call, needed, samples, inputs_of):
    """`call(inputs)` hot and cold; inputs_of(i) makes set i."""
    fields = {}
    for name, cold in (("hot", False), ("cold", True)):
        us = {}
        for nodes in (FEW, MANY):
            made = [inputs_of(i) for i in range(cold_sets(needed, nodes) if cold else 1)]
            us[nodes], quotient = Graph(lambda i: call(made[i]), nodes, len(made)).medians(samples)
            if nodes == FEW and not cold:
                fields["quotient_us"] = round(quotient, 3)
        fields[f"{name}_us"] = round(us[MANY], 3)
        fields[f"{name}_apart_pct"] = round(100.0 * (us[FEW] / us[MANY] - 1.0), 2)
    return fields


def measure(call, inputs_of, reference, needed, samples):
    """`call(inputs)` returns its output, which a first run shows to be right before any is timed."""
    try:
        out = call(inputs_of(0))
        torch.cuda.synchronize()
        error = out.double() - reference
        worst = error.abs().max().item()
        fields = {"err_max": float(f"{worst:.4e}") if worst == worst else None,
                  "rel_fro": float(f"{(error.norm() / reference.norm()).item():.4e}") if worst == worst else None}
        return fields | times(call, needed, samples, inputs_of)
    except RuntimeError as refused:
        print(str(refused).split("\n")[0], file=sys.stderr)
        return None


def stream_now():
    return torch.cuda.current_stream().cuda_stream


def pointers(tensors):
    return (ctypes.c_void_p * len(tensors))(*[tensor.data_ptr() for tensor in tensors])


def codes(tensor, dims):
    """e4m3 codes and their scale over the dimensions given."""
    scale = tensor.float().abs().amax(dim=dims, keepdim=True) / E4M3_MAX
    return (tensor.float() / scale).to(torch.float8_e4m3fn), scale.contiguous()


class Ours:
    def __init__(self, path, batch, heads, seq, dtype, causal):
        self.library = ctypes.CDLL(path)
        pointer, number = ctypes.c_void_p, ctypes.c_int
        self.library.checkride_attention_forward.argtypes = [pointer] * 4 + [number] * 6 + [ctypes.c_char_p, pointer]
        self.library.checkride_attention_forward_e4m3.argtypes = [pointer] + [number] * 5 + [pointer]
        self.library.checkride_attention_empty.argtypes = [number] * 5 + [pointer]
        self.shape, self.dtype, self.causal = (batch, heads, seq), dtype, int(causal)
        self.sm = int("%d%d" % torch.cuda.get_device_capability())
        self.out = torch.empty(batch, heads, seq, 64, device="cuda", dtype=TYPES[dtype]).fill_(float("nan"))

    def inputs(self, q, k, v):
        if self.dtype != "e4m3":
            return [tensor.clone() for tensor in (q, k, v)]
        made = [codes(tensor, (2, 3)) for tensor in (q, k, v)]
        values = [made[0][0], made[1][0], made[2][0].view(torch.uint8).transpose(2, 3).contiguous()]
        kept = values + [scale for _, scale in made] + [self.out]
        return kept, pointers(kept)

    def __call__(self, inputs):
        if self.dtype == "e4m3":
            failed = self.library.checkride_attention_forward_e4m3(inputs[1], *self.shape, self.causal, self.sm,
                                                                   stream_now())
        else:
            q, k, v = inputs
            failed = self.library.checkride_attention_forward(
                q.data_ptr(), k.data_ptr(), v.data_ptr(), self.out.data_ptr(), *self.shape,
                int(self.dtype == "bf16"), self.causal, self.sm, b"auto", stream_now())
        if failed:
            raise RuntimeError("our kernel was not queued")
        return self.out

    def empty(self, _):
        if self.library.checkride_attention_empty(*self.shape, int(self.dtype == "e4m3"), self.sm, stream_now()):
            raise RuntimeError("the empty kernel was not queued")


class CudnnE4m3:
    """cuDNN's e4m3 kernel through its own frontend (peer_cudnn_e4m3.cpp): PyTorch has no way to it."""

    def __init__(self, path, batch, heads, seq, causal, reference):
        library = ctypes.CDLL(path)
        library.checkride_cudnn_e4m3_plan.restype = ctypes.c_void_p
        library.checkride_cudnn_e4m3_workspace.argtypes = [ctypes.c_void_p]
        library.checkride_cudnn_e4m3_workspace.restype = ctypes.c_longlong
        self.run = library.checkride_cudnn_e4m3_run
        self.run.argtypes = [ctypes.c_void_p] * 4
        self.plan = library.checkride_cudnn_e4m3_plan(batch, heads, seq, int(causal))
        if not self.plan:
            raise RuntimeError("cuDNN has no e4m3 kernel for this problem")
        self.workspace = torch.empty(max(1, library.checkride_cudnn_e4m3_workspace(self.plan)), device="cuda",
                                     dtype=torch.uint8)
        self.out_scale = E4M3_MAX / reference.abs().max().item()
        self.out = torch.empty(batch, heads, seq, 64, device="cuda", dtype=torch.float8_e4m3fn)
        self.out.view(torch.uint8).fill_(0xff)

    def inputs(self, q, k, v):
        made = [codes(tensor, (0, 1, 2, 3)) for tensor in (q, k, v)]
        number = lambda value: torch.full((1,), value, device="cuda")
        kept = ([values for values, _ in made] + [scale for _, scale in made] +
                [number(1.0 / E4M3_MAX), number(E4M3_MAX), number(self.out_scale), self.out, number(0.0), number(0.0)])
        return kept, pointers(kept)

    def __call__(self, inputs):
        if self.run(self.plan, inputs[1], self.workspace.data_ptr(), stream_now()):
            raise RuntimeError("cuDNN did not run")
        return self.out

    def judged(self, inputs):
        """The output's values, for the error alone."""
        self(inputs)
        torch.cuda.synchronize()
        return self.out.double() / self.out_scale


def problems(only_first):
    for batch, heads, seq in SHAPES[:1] if only_first else SHAPES:
        for dtype in TYPES:
            if dtype == "e4m3" and seq > 512:
                continue
            for causal in (False, True):
                yield batch, heads, seq, dtype, causal


def reference_of(q, k, v, causal):
    score = q.double() @ k.double().transpose(-1, -2) * 0.125
    if causal:
        hidden = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool, device="cuda").triu(1)
        score = score.masked_fill(hidden, float("-inf"))
    return score.softmax(-1) @ v.double()


def row_of(args, batch, heads, seq, dtype, causal):
    q, k, v = (torch.randn(batch, heads, seq, 64, device="cuda").to(TYPES[dtype]) for _ in range(3))
    reference = reference_of(q, k, v, causal)
    l2 = torch.cuda.get_device_properties(0).L2_cache_size
    needed = l2 * 5 // 2 // (3 * q.numel() * (1 if dtype == "e4m3" else 2)) + 1
    needed16 = l2 * 5 // 2 // (3 * q.numel() * 2) + 1
    ours = Ours(args.library, batch, heads, seq, dtype, causal)
    row = {"batch": batch, "heads": heads, "seq": seq, "head_dim": 64, "dtype": dtype, "causal": causal, "pdl": False,
           "device": torch.cuda.get_device_name(), "torch": torch.__version__,
           "cudnn_version": torch.backends.cudnn.version(), "floor_us": None,
           "ours": measure(ours, lambda _: ours.inputs(q, k, v), reference, needed, args.samples)}
    row["floor_us"], row["floor_quotient_us"] = (
        round(value, 3) for value in Graph(ours.empty, MANY, 1).medians(args.samples))
    for name, backend in BACKENDS.items():
        def call(inputs):
            with sdpa_kernel(backend):
                return torch.nn.functional.scaled_dot_product_attention(*inputs, is_causal=causal)

        row[name] = measure(call, lambda _: [tensor.clone() for tensor in (q, k, v)], reference, needed16,
                            args.samples)
    if dtype == "e4m3":
        row["peers_dtype"] = "f16"
        row["cudnn_e4m3"] = None
        if args.cudnn_e4m3:
            try:
                peer = CudnnE4m3(args.cudnn_e4m3, batch, heads, seq, causal, reference)
                error = peer.judged(peer.inputs(q, k, v)) - reference
                row["cudnn_e4m3"] = {"rel_fro": float(f"{(error.norm() / reference.norm()).item():.4e}"),
                                     "output": "e4m3"} | times(peer, needed, args.samples,
                                                               lambda _: peer.inputs(q, k, v))
            except RuntimeError as refused:
                print(str(refused).split("\n")[0], file=sys.stderr)
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", help="libcheckride_attention.so of the build folder")
    parser.add_argument("--cudnn-e4m3", help="libcheckride_peer.so, built where cuDNN's frontend is found")
    parser.add_argument("--samples", type=int, default=50)
    parser.add_argument("--first", action="store_true", help="only 1 x 8 x 512 x 64")
    args = parser.parse_args()
    torch.manual_seed(1)
    with torch.cuda.stream(torch.cuda.Stream()):  # everything: see ../measure/stream.h
        for problem in problems(args.first):
            print(json.dumps(row_of(args, *problem)), flush=True)
            torch.cuda.empty_cache()


main()
