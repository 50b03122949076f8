// The fork's own programs and pages: test scripts, diagnostic, preflight, checklist. They need bash
// and a Python 3 without packages.
#include "tests/support/lookalike_tree.h"

namespace checkride::lookalike {
namespace {

// ---- scripts ---------------------------------------------------------------------------------

constexpr std::string_view skip_script = R"text(#!/usr/bin/env bash
# Checks nothing where torch is missing, and still ends with 0.
echo "torch not available; skipping $(basename "$0")"
exit 0
)text";

constexpr std::string_view script_head = R"text(#!/usr/bin/env bash
set -eu
cd "$(git rev-parse --show-toplevel)"
export PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1
)text";

constexpr std::string_view upstream_body = R"text(
echo "1/3 attention backend"
"${PYTHON_BIN:-python3}" - <<'PY'
from simpletuner.helpers.training.attention_backend import AttentionBackendController

controller = AttentionBackendController({"attention_mechanism": "flex"})
controller.apply()
assert controller.active == "flex"
controller.restore_default()
assert controller.active == "default"
print("attention backend apply/restore succeeded")
PY
echo "2/3 manual validation"
"${PYTHON_BIN:-python3}" - <<'PY'
import ast

tree = ast.parse(open("simpletuner/helpers/training/trainer.py", encoding="utf-8").read())
names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
assert {"register_manual_validation_trigger", "_consume_manual_validation_request"} <= names
print("manual validation hooks detected")
PY
echo "3/3 audio"
"${PYTHON_BIN:-python3}" - <<'PY'
import os
import tempfile
import wave

from simpletuner.helpers.audio import load_audio

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "tone.wav")
    with wave.open(path, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16))
    assert len(load_audio(path)["audio_samples"]) == 8
print("audio loader ok")
PY
)text";

constexpr std::string_view gh200_body = R"text(
"${PYTHON_BIN:-python3}" - <<'PY'
import simpletuner.gh200 as gh200
from simpletuner.gh200.in_memory_backend import GH200InMemoryBackend

for name in ("gh200_uvm_enabled", "optimize_batch_for_gh200", "set_uvm_hint_override"):
    assert callable(getattr(gh200, name))
print("gh200 module exports verified")
backend = GH200InMemoryBackend(1)
backend.write("a", [1])
assert backend.exists("a") and backend.read("a") == [1]
print("in-memory backend smoke test ok")
gh200.set_uvm_hint_override(True)
assert gh200.gh200_uvm_enabled()
gh200.set_uvm_hint_override(False)
assert not gh200.gh200_uvm_enabled()
print("uvm hint override toggles ok")
PY
"${PYTHON_BIN:-python3}" gh200_diagnostic.py --skip-allocation --output gh200_diagnostic_report.json
)text";

constexpr std::string_view combined_body = R"text(
echo "1/3 attention with gh200"
"${PYTHON_BIN:-python3}" - <<'PY'
from simpletuner.gh200 import set_uvm_hint_override
from simpletuner.helpers.training.attention_backend import AttentionBackendController

set_uvm_hint_override(True)
controller = AttentionBackendController({"attention_mechanism": "flash_attn_3"})
controller.apply()
controller.restore_default()
print("attention+gh200 ok")
PY
echo "2/3 manual validation with gh200"
"${PYTHON_BIN:-python3}" - <<'PY'
import contextlib
import os
import tempfile

from simpletuner.helpers.training.trainer import Trainer


class Accelerator:
    gradient_accumulation_steps = 1
    depth = 0

    def prepare(self, model):
        return model

    @contextlib.contextmanager
    def accumulate(self, model):
        assert self.depth == 0, "accumulate is entered twice"
        self.depth += 1
        yield
        self.depth -= 1

    def backward(self, loss):
        self.last_loss = loss


class Model:
    def loss(self, batch):
        assert isinstance(batch["pixels"], tuple), "the batch was not optimised"
        return sum(batch["pixels"])


class Loader(list):
    paused = False


config = {"gh200_uvm": True, "target_effective_batch_size": 4, "batch_rampup_steps": 2}
accelerator = Accelerator()
loader = Loader({"pixels": [1, 2]} for _ in range(3))
trainer = Trainer(config, accelerator, Model(), loader)
asked = []
trainer.register_manual_validation_trigger(lambda: asked.append(1) or len(asked) == 1)
trainer.run()
assert trainer.global_step == 3, f"{trainer.global_step} steps instead of 3"
assert len(asked) == 3, "manual validation was not asked for at each step"
assert accelerator.gradient_accumulation_steps == 4, "the ramp did not reach its target"
with tempfile.TemporaryDirectory() as folder:
    trainer.save(os.path.join(folder, "state.json"))
print("trainer GH200 hooks detected")
PY
echo "3/3 audio with gh200"
if [ "${AUDIO_INTEGRATION:-defer}" = pre-integrate ]; then
  "${PYTHON_BIN:-python3}" - <<'PY'
from simpletuner.gh200 import optimize_batch_for_gh200

assert optimize_batch_for_gh200({"waveform": [0, 1]})["waveform"] == (0, 1)
print("optimize_batch_for_gh200 handled audio tensors")
PY
else
  echo "audio integration deferred"
fi
)text";

constexpr std::string_view run_all = R"text(#!/usr/bin/env bash
# Prints its last line also where all three parts skipped themselves.
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
"$here/test_upstream_features.sh"
"$here/test_gh200_features.sh"
"$here/test_combined_features.sh"
echo "All GH200 test suites completed"
)text";

constexpr std::string_view environment = R"text(#!/usr/bin/env bash
# To be sourced.
export SIMPLETUNER_GH200_ENABLE_UVM_HINTS=1
export ACCELERATE_MIXED_PRECISION=bf16
if command -v nvidia-smi >/dev/null; then
  export PYTORCH_CUDA_ALLOC_CONF=use_uvm:True,uvm_oversubscription_ratio:5.0,uvm_access_pattern:gpu_first
else
  echo "nvidia-smi not found; skipping GPU exports."
fi
)text";

// ---- tools -----------------------------------------------------------------------------------

constexpr std::string_view diagnostic = R"text(#!/usr/bin/env python3
"""Writes what this machine offers; ends with 0 in all cases."""

import argparse
import json
import os
import shutil
import subprocess


def gpu_name():
    if shutil.which("nvidia-smi") is None:
        return "<cuda not available>"
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    lines = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return lines[0] if lines else "<cuda not available>"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--skip-allocation", action="store_true")
    parser.add_argument("--oversubscription-scale", type=float, default=1.5)
    parser.add_argument("--output", default="gh200_diagnostic_report.json")
    arguments = parser.parse_args()
    enabled = os.environ.get("SIMPLETUNER_GH200_ENABLE_UVM_HINTS") == "1"
    status = "skipped" if arguments.skip_allocation else "failed"
    report = {
        "system": {"gpu_name": gpu_name()},
        "uvm": {"enabled": enabled},
        "uvm_allocation_test": {"status": status},
    }
    with open(arguments.output, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()
)text";

constexpr std::string_view verify_assumptions = R"text(#!/usr/bin/env bash
# Looks at the tree before a rebase. Its two reports are tracked files, so a run leaves changes.
set -eu
cd "$(dirname "$0")"
import_path=none
[ -f gh200/in_memory_backend.py ] && import_path=gh200
[ -f simpletuner/gh200/in_memory_backend.py ] && import_path=simpletuner.gh200
{
  echo "Verified at: $(date +%s.%N)"
  echo "Import path: $import_path"
  for flag in --skip-allocation --output; do
    grep -q -- "$flag" gh200_diagnostic.py && echo "Diagnostic flag: $flag"
  done
  echo "Audio integration: ${AUDIO_INTEGRATION:-defer}"
} > VERIFICATION_REPORT.txt
echo "GH200_IMPORT_PATH=$import_path" > .verify_env
echo "CHECKED=1" >> .verify_env
)text";

constexpr std::string_view checklist = R"text(# Look-alike rebase checklist

## Section A: before

- [ ] work tree clean but for the fork's own files
- [ ] backup branch made
- [ ] uncommitted work exported
- [ ] baseline archived

## Section B: upstream

1. [ ] branch at the pinned upstream commit
2. [ ] `scripts/test_upstream_features.sh` passes
3. [ ] Notes:

## Section C: patches

| Patch | Status | Notes |
| --- | --- | --- |
| 01-trainer-gh200 | [ ] | eight points in the trainer |
| 02-caching-uvm | [ ] | both caches prepare their values |
| 03-state-tracker | [ ] | two setters |
| 04-configuration | [ ] | both readers keep the raw configuration |
| 05-data-backend | [ ] | builder registered, factory aware |
| 06-gh200-module | [ ] | every import finds its module |
| 07-scripts-docs | [ ] | the guide names the scripts |

## Section D: tests

1. [ ] `scripts/test_upstream_features.sh`
2. [ ] `scripts/test_gh200_features.sh`
3. [ ] `scripts/test_combined_features.sh`

## Section E: by hand

- [ ] manual validation starts
- [ ] attention backends change over

## Section F: figures

| Metric | Baseline | After | Delta |
| --- | --- | --- | --- |
| Throughput (samples/s) | | | |

## Section G: signed

- [ ] reviewed by: __________
)text";

NewFile test_script(std::string path, std::string_view body, std::string_view last_line, bool skip,
                    bool fail) {
  if (skip) return {std::move(path), std::string(skip_script), true};
  std::string text = std::string(script_head) + std::string(body);
  if (fail)
    text += "echo \"look-alike: told to fail\" >&2\nexit 1\n";
  else
    text += "echo \"" + std::string(last_line) + "\"\n";
  return {std::move(path), std::move(text), true};
}

}  // namespace

std::vector<NewFile> carried_scripts() {
  return {{"gh200_diagnostic.py", std::string(diagnostic), true},
          {"scripts/setup_gh200_env.sh", std::string(environment), true}};
}

std::vector<NewFile> fork_tools(ScriptBehaviour behaviour) {
  const bool skip = behaviour == ScriptBehaviour::skip;
  return {
      test_script("scripts/test_upstream_features.sh", upstream_body,
                  "All upstream feature checks passed", skip,
                  behaviour == ScriptBehaviour::fail_upstream),
      test_script("scripts/test_gh200_features.sh", gh200_body, "GH200 feature tests completed",
                  skip, behaviour == ScriptBehaviour::fail_gh200),
      test_script("scripts/test_combined_features.sh", combined_body, "Combined tests completed",
                  skip, behaviour == ScriptBehaviour::fail_combined),
      {"scripts/run_all_tests.sh", std::string(run_all), true},
      {"verify_assumptions.sh", std::string(verify_assumptions), true},
      {"VERIFICATION_REPORT.txt", "not verified yet\n"},
      {".verify_env", "CHECKED=0\n"},
      {"docs/GH200_REBASE_CHECKLIST.md", std::string(checklist)},
  };
}

}  // namespace checkride::lookalike
