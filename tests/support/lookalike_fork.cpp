// The fork's side: what each of the seven patches does to the fork point, and how the conflicting
// ones look when put right on a newer upstream.
#include "tests/support/lookalike_tree.h"

namespace checkride::lookalike {
namespace {

#define HELPERS "simpletuner/helpers/"
constexpr std::string_view trainer_path = HELPERS "training/trainer.py";
constexpr std::string_view factory_path = HELPERS "data_backend/factory.py";

// ---- 01-trainer-gh200 ------------------------------------------------------------------------

constexpr std::string_view ramp = R"(class GH200GradientRamp:
    """Raises gradient accumulation in equal steps up to its target."""

    def __init__(self, initial, target, steps):
        self.initial = max(1, initial)
        self.target = max(self.initial, target)
        self.steps = max(1, steps)

    def accumulation_at(self, step):
        done = min(step, self.steps) / self.steps
        return self.initial + int((self.target - self.initial) * done)


class Trainer:
)";

constexpr std::string_view runtime_methods = R"(    def _configure_gh200_runtime(self):
        if not gh200_uvm_enabled(self.config):
            return
        set_uvm_hint_override(True)
        names = ("initial_effective_batch_size", "target_effective_batch_size", "batch_rampup_steps")
        self.gh200_ramp_scheduler = GH200GradientRamp(*(self.config.get(n, 1) for n in names))
        StateTracker.set_gh200_runtime_config({"ramp": True})
        logger.info("GH200 gradient accumulation ramp enabled")

    def _apply_dynamic_gradient_accumulation(self):
        if self.gh200_ramp_scheduler is None:
            return
        wanted = self.gh200_ramp_scheduler.accumulation_at(self.global_step)
        if wanted != self._gh200_last_reported_ga:
            logger.info("gradient accumulation is now %d", wanted)
            self._gh200_last_reported_ga = wanted
        self.accelerator.gradient_accumulation_steps = wanted

    def train(self):
)";

// The edits that neither side disputes; they hold on the fork point and on every upstream commit.
std::vector<Edit> undisputed_trainer_edits(bool lost_symbols) {
  std::vector<Edit> edits = {
      {trainer_path, "from simpletuner.helpers.training.state_tracker import StateTracker\n",
       R"(from simpletuner.helpers.training.state_tracker import StateTracker
from simpletuner.gh200 import (
    gh200_uvm_enabled,
    optimize_batch_for_gh200,
    set_uvm_hint_override,
)
)"},
      {trainer_path, "class Trainer:\n", ramp},
      {trainer_path, "        logger.info(\"model ready\")\n",
       "        logger.info(\"model ready\")\n        self._configure_gh200_runtime()\n"},
      {trainer_path, "    def train(self):\n", runtime_methods},
  };
  if (lost_symbols)
    edits.push_back({trainer_path, R"(    def pause_prefetch(self):
        self.loader.paused = True

    def resume_prefetch(self):
        self.loader.paused = False

)",
                     ""});
  return edits;
}

constexpr std::string_view ramp_attributes = R"(        self.should_stop = False
        self.gh200_ramp_scheduler = None
        self._gh200_last_reported_ga = None
)";

Change trainer_change(bool lost_symbols) {
  Change change{{}, undisputed_trainer_edits(lost_symbols)};
  change.edits.push_back({trainer_path, "        self.should_stop = False\n", ramp_attributes});
  change.edits.push_back({trainer_path, R"(            with self.accelerator.accumulate(self.model):
                prepared_batch = self.prepare_batch(batch)
)",
                          R"(            self._apply_dynamic_gradient_accumulation()
            with self.accelerator.accumulate(self.model):
                prepared_batch = self.prepare_batch(batch)
                prepared_batch = optimize_batch_for_gh200(prepared_batch)
)"});
  return change;
}

// Both sides' attributes, upstream's first; validation before the ramp, the batch optimised after
// upstream prepared it in its own way.
Change trainer_resolution(UpstreamCommit at, bool lost_symbols) {
  Change change{{}, undisputed_trainer_edits(lost_symbols)};
  change.edits.push_back({trainer_path, "        self._manual_validation_trigger = None\n",
                          R"(        self._manual_validation_trigger = None
        self.gh200_ramp_scheduler = None
        self._gh200_last_reported_ga = None
)"});
  change.edits.push_back({trainer_path, "            self._consume_manual_validation_request()\n",
                          R"(            self._consume_manual_validation_request()
            self._apply_dynamic_gradient_accumulation()
)"});
  constexpr std::string_view by_epoch = "self.prepare_batch(batch, epoch=self.epoch)\n";
  constexpr std::string_view by_seed =
      "self.prepare_batch(batch, epoch=self.epoch, seed=self.config.get(\"seed\", 0))\n";
  constexpr std::string_view by_epoch_optimized =
      R"(self.prepare_batch(batch, epoch=self.epoch)
                prepared_batch = optimize_batch_for_gh200(prepared_batch)
)";
  constexpr std::string_view by_seed_optimized =
      R"(self.prepare_batch(batch, epoch=self.epoch, seed=self.config.get("seed", 0))
                prepared_batch = optimize_batch_for_gh200(prepared_batch)
)";
  if (at == UpstreamCommit::base || at == UpstreamCommit::later_1)
    change.edits.push_back({trainer_path, by_epoch, by_epoch_optimized});
  else
    change.edits.push_back({trainer_path, by_seed, by_seed_optimized});
  return change;
}

// ---- 02 to 04 --------------------------------------------------------------------------------

Change caching_change() {
  return {
      {},
      {{HELPERS "caching/vae.py", "import logging\n",
        "import logging\n\nfrom simpletuner.gh200 import gh200_uvm_enabled\n"},
       {HELPERS "caching/vae.py", "        latents = [value * self.scale for value in pixels]\n",
        R"(        latents = [value * self.scale for value in pixels]
        latents = self._prepare_uvm_tensor(latents)
)"},
       {HELPERS "caching/vae.py", "    def _check(self, pixels):\n",
        R"(    def _prepare_uvm_tensor(self, values):
        return tuple(values) if gh200_uvm_enabled() else values

    def _check(self, pixels):
)"},
       {HELPERS "caching/text_embeds.py", "\n\nclass TextEmbeddingCache:\n",
        R"(
from simpletuner.gh200 import gh200_uvm_enabled


class TextEmbeddingCache:
)"},
       {HELPERS "caching/text_embeds.py", "        embedding = self.encoder(prompt)\n",
        "        embedding = self._prepare_text_embed_tensor(self.encoder(prompt))\n"},
       {HELPERS "caching/text_embeds.py", "        return embedding\n",
        R"(        return embedding

    def _prepare_text_embed_tensor(self, values):
        return tuple(values) if gh200_uvm_enabled() else values
)"}}};
}

Change state_tracker_change() {
  return {{},
          {{HELPERS "training/state_tracker.py", "    status = \"idle\"\n",
            "    status = \"idle\"\n    raw_config = None\n    gh200_runtime_config = None\n"},
           {HELPERS "training/state_tracker.py",
            R"(    def set_status(cls, status):
        cls.status = status
)",
            R"(    def set_status(cls, status):
        cls.status = status

    @classmethod
    def set_raw_config(cls, values):
        cls.raw_config = dict(values)

    @classmethod
    def set_gh200_runtime_config(cls, values):
        cls.gh200_runtime_config = dict(values)
)"}}};
}

Change configuration_change() {
  return {{},
          {{HELPERS "configuration/loader.py", "    config.update(values)\n",
            "    config.update(values)\n    StateTracker.set_raw_config(values)\n"},
           {HELPERS "configuration/json_file.py", "import json\n",
            R"(import json

from simpletuner.helpers.training.state_tracker import StateTracker
)"},
           {HELPERS "configuration/json_file.py", "    return values\n",
            "    StateTracker.set_raw_config(values)\n    return values\n"}}};
}

// ---- 05-data-backend -------------------------------------------------------------------------

constexpr std::string_view in_memory_builder =
    R"("""Builds a dataset's backend in unified memory."""

from simpletuner.gh200.in_memory_backend import GH200InMemoryBackend


class InMemoryBuilder:
    def __init__(self, dataset):
        self.dataset = dataset

    def build(self):
        return GH200InMemoryBackend(self.dataset.get("capacity", 1024))
)";

constexpr Edit factory_import = {factory_path,
                                 "from simpletuner.helpers.data_backend.builders import BUILDERS\n",
                                 R"(from simpletuner.helpers.data_backend.builders import BUILDERS
from simpletuner.gh200.in_memory_backend import GH200InMemoryBackend
)"};

Change data_backend_change() {
  return {{{HELPERS "data_backend/builders/in_memory.py", std::string(in_memory_builder)}},
          {factory_import,
           {factory_path, "    builder = BUILDERS.get(kind)\n",
            R"(    builder = BUILDERS.get(kind)
    if kind == "in_memory" and "capacity" not in dataset:
        return GH200InMemoryBackend()
)"},
           {HELPERS "data_backend/builders/__init__.py",
            "from simpletuner.helpers.data_backend.builders.local import LocalBuilder\n",
            R"(from simpletuner.helpers.data_backend.builders.in_memory import InMemoryBuilder
from simpletuner.helpers.data_backend.builders.local import LocalBuilder
)"},
           {HELPERS "data_backend/builders/__init__.py", "    \"local\": LocalBuilder,\n",
            "    \"in_memory\": InMemoryBuilder,\n    \"local\": LocalBuilder,\n"}}};
}

// Upstream no longer tells letter case apart, so neither may the fork's own test.
Change factory_resolution() {
  return {{},
          {factory_import,
           {factory_path, "    builder = BUILDERS.get(kind.lower())\n",
            R"(    builder = BUILDERS.get(kind.lower())
    if kind.lower() == "in_memory" and "capacity" not in dataset:
        return GH200InMemoryBackend()
)"}}};
}

// ---- 06-gh200-module -------------------------------------------------------------------------

constexpr std::string_view package_init =
    R"("""What the fork adds for machines with unified memory."""

from .uvm import gh200_uvm_enabled, optimize_batch_for_gh200, set_uvm_hint_override

__all__ = ["gh200_uvm_enabled", "optimize_batch_for_gh200", "set_uvm_hint_override"]
)";

constexpr std::string_view uvm = R"("""Hints for unified memory."""

import os

_override = None


def set_uvm_hint_override(value):
    global _override
    _override = value


def gh200_uvm_enabled(config=None):
    if _override is not None:
        return _override
    if config and config.get("gh200_uvm"):
        return True
    return os.environ.get("SIMPLETUNER_GH200_ENABLE_UVM_HINTS") == "1"


def optimize_batch_for_gh200(batch):
    """Keeps tensors in one pass over the batch; other values stay as they are."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in batch.items()}
)";

constexpr std::string_view in_memory_backend = R"("""A data backend that never leaves memory."""


class GH200InMemoryBackend:
    def __init__(self, capacity=1024):
        self.capacity = capacity
        self.values = {}

    def write(self, name, value):
        if len(self.values) >= self.capacity and name not in self.values:
            raise MemoryError(f"no room for {name}")
        self.values[name] = value

    def read(self, name):
        return self.values[name]

    def exists(self, name):
        return name in self.values
)";

// Ends in a blank line on purpose: `git diff --check` complains of it, and that is no conflict.
constexpr std::string_view audio_snippet =
    R"("""How a batch with audio would be handled; not imported anywhere."""

AUDIO_KEYS = ("audio_latents", "waveform", "audio_samples", "audio_features")


def keep_audio(batch):
    return {key: batch[key] for key in AUDIO_KEYS if key in batch}

)";

Change module_change(bool where_expected) {
  const std::string folder = where_expected ? "simpletuner/gh200/" : "gh200/";
  return {{{folder + "__init__.py", std::string(package_init)},
           {folder + "uvm.py", std::string(uvm)},
           {folder + "in_memory_backend.py", std::string(in_memory_backend)},
           {folder + "audio_support_snippet.py", std::string(audio_snippet)}},
          {}};
}

// ---- 07-scripts-docs -------------------------------------------------------------------------

constexpr std::string_view guide = R"(# Testing a rebase

After the last patch run, in this order:

1. `scripts/test_upstream_features.sh`
2. `scripts/test_gh200_features.sh`
3. `scripts/test_combined_features.sh`

`scripts/run_all_tests.sh` does all three.
)";

Change scripts_change() {
  Change change{carried_scripts(),
                {{"documentation/INSTALL.md", "## Troubleshooting\n",
                  R"(## GH200

See `documentation/GH200_TESTING.md`.

## Troubleshooting
)"}}};
  change.files.push_back({"documentation/GH200_TESTING.md", std::string(guide)});
  return change;
}

}  // namespace

Change component(std::size_t patch_index, const LookalikeOptions& options) {
  switch (patch_index) {
    case 0: return trainer_change(options.lost_symbols);
    case 1: return caching_change();
    case 2: return state_tracker_change();
    case 3: return configuration_change();
    case 4: return data_backend_change();
    case 5: return module_change(options.package_where_expected);
    default: return scripts_change();
  }
}

Change resolution(UpstreamCommit at, std::string_view path, const LookalikeOptions& options) {
  if (path == trainer_path && at <= UpstreamCommit::later_3)
    return trainer_resolution(at, options.lost_symbols);
  if (path == factory_path && at >= UpstreamCommit::later_3) return factory_resolution();
  return {};
}

}  // namespace checkride::lookalike
