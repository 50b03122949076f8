// The upstream side: a training package small enough to read, and the seven commits of its history.
#include "tests/support/lookalike_tree.h"

namespace checkride::lookalike {
namespace {

constexpr std::string_view readme = R"(# simpletuner look-alike

A training package of a few files. Nothing here trains anything.
)";

constexpr std::string_view install = R"(# Install

Clone the repository and enter it.

Create a virtual environment with Python 3.10.

## First run

Write a configuration file and name a dataset in it.

Start the trainer with that file.

## Troubleshooting

Read the log from its first line.
)";

constexpr std::string_view trainer = R"("""The training loop."""

import json
import logging

from simpletuner.helpers.training.state_tracker import StateTracker

logger = logging.getLogger(__name__)


class Trainer:
    """Runs batches from a loader through a model."""

    def __init__(self, config, accelerator, model, loader):
        self.config = config
        self.accelerator = accelerator
        self.model = model
        self.loader = loader
        self.global_step = 0
        self.should_stop = False

    def run(self):
        StateTracker.set_status("running")
        self.init_model()
        self.train()
        StateTracker.set_status("finished")

    def init_model(self):
        self.model = self.accelerator.prepare(self.model)
        logger.info("model ready")

    def pause_prefetch(self):
        self.loader.paused = True

    def resume_prefetch(self):
        self.loader.paused = False

    def prepare_batch(self, batch):
        prepared = dict(batch)
        prepared["step"] = self.global_step
        return prepared

    def train(self):
        for batch in self.loader:
            if self.should_stop:
                break
            with self.accelerator.accumulate(self.model):
                prepared_batch = self.prepare_batch(batch)
                loss = self.model.loss(prepared_batch)
                self.accelerator.backward(loss)
            self.global_step += 1

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"step": self.global_step}, file)
)";

constexpr std::string_view state_tracker =
    R"("""Facts about the running job that any module may ask for."""


class StateTracker:
    config = None
    status = "idle"

    @classmethod
    def set_config(cls, config):
        cls.config = config

    @classmethod
    def get_config(cls):
        return cls.config

    @classmethod
    def set_status(cls, status):
        cls.status = status
)";

constexpr std::string_view vae = R"("""Cache of image latents."""

import logging

logger = logging.getLogger(__name__)


class VAECache:
    def __init__(self, backend, scale=0.5):
        self.backend = backend
        self.scale = scale

    def encode(self, name, pixels):
        logger.debug("encoding %s", name)
        self._check(pixels)
        latents = [value * self.scale for value in pixels]
        self.backend.write(name, latents)
        return latents

    def _check(self, pixels):
        if not pixels:
            raise ValueError("no pixels to encode")
)";

constexpr std::string_view text_embeds = R"("""Cache of text embeddings."""


class TextEmbeddingCache:
    def __init__(self, backend, encoder):
        self.backend = backend
        self.encoder = encoder

    def compute(self, prompt):
        if self.backend.exists(prompt):
            return self.backend.read(prompt)
        embedding = self.encoder(prompt)
        self.backend.write(prompt, embedding)
        return embedding
)";

constexpr std::string_view loader = R"("""Loads the configuration of a run."""

from simpletuner.helpers.configuration.json_file import read_json_file
from simpletuner.helpers.training.state_tracker import StateTracker

DEFAULTS = {"epochs": 1, "seed": 0}


def load_config(path):
    values = read_json_file(path)
    config = dict(DEFAULTS)
    config.update(values)
    StateTracker.set_config(config)
    return config
)";

constexpr std::string_view json_file = R"("""Reads a configuration from a JSON file."""

import json


def read_json_file(path):
    with open(path, encoding="utf-8") as file:
        values = json.load(file)
    if not isinstance(values, dict):
        raise ValueError(f"{path} does not hold an object")
    return values
)";

constexpr std::string_view factory = R"("""Makes the data backend that a dataset asks for."""

import logging

from simpletuner.helpers.data_backend.builders import BUILDERS

logger = logging.getLogger(__name__)


def create_backend(dataset):
    name = dataset["id"]
    kind = dataset.get("type", "local")
    logger.info("dataset %s uses %s", name, kind)
    builder = BUILDERS.get(kind)
    if builder is None:
        raise ValueError(f"dataset {name}: no backend {kind}")
    return builder(dataset).build()
)";

constexpr std::string_view builders = R"("""Builders by the name that a dataset uses."""

from simpletuner.helpers.data_backend.builders.local import LocalBuilder

BUILDERS = {
    "local": LocalBuilder,
}
)";

constexpr std::string_view local_builder = R"("""A backend that keeps values by name."""


class LocalBackend(dict):
    def write(self, name, value):
        self[name] = value

    def read(self, name):
        return self[name]

    def exists(self, name):
        return name in self


class LocalBuilder:
    def __init__(self, dataset):
        self.dataset = dataset

    def build(self):
        return LocalBackend()
)";

constexpr std::string_view attention_backend =
    R"("""Chooses how attention is computed while training."""

import logging

logger = logging.getLogger(__name__)

BACKENDS = ("default", "flash_attn_3", "flex")


class AttentionBackendController:
    def __init__(self, config):
        self.wanted = config.get("attention_mechanism", "default")
        self.active = "default"

    def apply(self):
        if self.wanted not in BACKENDS:
            raise ValueError(f"no attention backend {self.wanted}")
        self.active = self.wanted
        logger.info("AttentionBackendController applied %s", self.active)

    def restore_default(self):
        self.active = "default"
        logger.info("AttentionBackendController restored default")
)";

constexpr std::string_view audio = R"("""Reads audio files."""

import struct
import wave


def load_audio(path):
    with wave.open(str(path), "rb") as file:
        count = file.getnframes() * file.getnchannels()
        samples = struct.unpack(f"<{count}h", file.readframes(file.getnframes()))
        return {"audio_samples": list(samples), "sample_rate": file.getframerate()}
)";

#define HELPERS "simpletuner/helpers/"
constexpr std::string_view trainer_path = HELPERS "training/trainer.py";

UpstreamStep fork_point() {
  return {"Training package with local datasets",
          {{
               {"README.md", std::string(readme)},
               {".gitignore", "__pycache__/\n"},
               {"documentation/INSTALL.md", std::string(install)},
               {"simpletuner/__init__.py", "\"\"\"A training package.\"\"\"\n"},
               {HELPERS "__init__.py", ""},
               {HELPERS "training/__init__.py", ""},
               {HELPERS "training/trainer.py", std::string(trainer)},
               {HELPERS "training/state_tracker.py", std::string(state_tracker)},
               {HELPERS "caching/__init__.py", ""},
               {HELPERS "caching/vae.py", std::string(vae)},
               {HELPERS "caching/text_embeds.py", std::string(text_embeds)},
               {HELPERS "configuration/__init__.py", ""},
               {HELPERS "configuration/loader.py", std::string(loader)},
               {HELPERS "configuration/json_file.py", std::string(json_file)},
               {HELPERS "data_backend/__init__.py", ""},
               {HELPERS "data_backend/factory.py", std::string(factory)},
               {HELPERS "data_backend/builders/__init__.py", std::string(builders)},
               {HELPERS "data_backend/builders/local.py", std::string(local_builder)},
           },
           {}}};
}

UpstreamStep audio_and_attention() {
  return {"Add audio loading and attention backends",
          {{{HELPERS "audio/__init__.py", std::string(audio)},
            {HELPERS "training/attention_backend.py", std::string(attention_backend)}},
           {}}};
}

// Patch 01 conflicts in __init__ and in train; 02 and 05 find moved context.
UpstreamStep base() {
  return {"Train by epochs, with manual validation and attention control",
          {{},
           {
               {trainer_path, "from simpletuner.helpers.training.state_tracker",
                "from simpletuner.helpers.training.attention_backend import "
                "AttentionBackendController\nfrom simpletuner.helpers.training.state_tracker"},
               {trainer_path, "        self.should_stop = False\n",
                R"(        self.should_stop = False
        self.epoch = 0
        self.attention = AttentionBackendController(config)
        self._manual_validation_trigger = None
)"},
               {trainer_path, "        self.train()\n",
                R"(        self.attention.apply()
        for self.epoch in range(self.config.get("epochs", 1)):
            self.train()
        self.attention.restore_default()
)"},
               {trainer_path, R"(    def prepare_batch(self, batch):
        prepared = dict(batch)
)",
                R"(    def prepare_batch(self, batch, epoch=0):
        prepared = dict(batch, epoch=epoch)
)"},
               {trainer_path, R"(            with self.accelerator.accumulate(self.model):
                prepared_batch = self.prepare_batch(batch)
)",
                R"(            self._consume_manual_validation_request()
            with self.accelerator.accumulate(self.model):
                prepared_batch = self.prepare_batch(batch, epoch=self.epoch)
)"},
               {trainer_path, R"(        with open(path, "w", encoding="utf-8") as file:
            json.dump({"step": self.global_step}, file)
)",
                R"(        self.pause_prefetch()
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"step": self.global_step, "epoch": self.epoch}, file)
        self.resume_prefetch()

    def register_manual_validation_trigger(self, trigger):
        self._manual_validation_trigger = trigger

    def _consume_manual_validation_request(self):
        trigger = self._manual_validation_trigger
        if trigger is None or not trigger():
            return False
        logger.info("manual validation requested at step %d", self.global_step)
        return True
)"},
               {HELPERS "caching/vae.py", "        logger.debug(\"encoding %s\", name)\n",
                "        logger.debug(\"encoding %s, scale %s\", name, self.scale)\n"},
               {HELPERS "data_backend/factory.py", "    kind = dataset.get(\"type\", \"local\")\n",
                "    kind = dataset.get(\"type\") or \"local\"\n"},
           }}};
}

// 04 finds moved context.
UpstreamStep later_1() {
  return {"Name the file in configuration errors",
          {{},
           {{HELPERS "configuration/loader.py", "    values = read_json_file(path)\n",
             "    values = read_json_file(str(path))\n"}}}};
}

// The second hunk of 01's conflict changes, the first does not; 02 applies directly again.
UpstreamStep later_2() {
  return {"Seed batches; quieter latent cache",
          {{},
           {{trainer_path, "    def prepare_batch(self, batch, epoch=0):\n",
             "    def prepare_batch(self, batch, epoch=0, seed=0):\n"},
            {trainer_path, "        prepared = dict(batch, epoch=epoch)\n",
             "        prepared = dict(batch, epoch=epoch, seed=seed)\n"},
            {trainer_path, "self.prepare_batch(batch, epoch=self.epoch)\n",
             "self.prepare_batch(batch, epoch=self.epoch, seed=self.config.get(\"seed\", 0))\n"},
            {HELPERS "caching/vae.py",
             "        logger.debug(\"encoding %s, scale %s\", name, self.scale)\n",
             "        logger.debug(\"encoding %s\", name)\n"}}}};
}

// 05 conflicts where builders are chosen; 07 finds moved context.
UpstreamStep later_3() {
  return {"Look builders up without case; Python 3.11",
          {{},
           {{HELPERS "data_backend/factory.py", "    builder = BUILDERS.get(kind)\n",
             "    builder = BUILDERS.get(kind.lower())\n"},
            {"documentation/INSTALL.md", "Start the trainer with that file.\n",
             "Start the trainer with that file as its only argument.\n"}}}};
}

// What 01 collided with has moved out of its way; 03 is in upstream word for word.
UpstreamStep later_4() {
  return {"Keep the raw configuration; validate after a step",
          {{},
           {{trainer_path, R"(        self.should_stop = False
        self.epoch = 0
        self.attention = AttentionBackendController(config)
        self._manual_validation_trigger = None
)",
             "        self.should_stop = False\n"},
            {trainer_path, "        self.config = config\n",
             R"(        self.attention = AttentionBackendController(config)
        self._manual_validation_trigger = None
        self.epoch = 0
        self.config = config
)"},
            {trainer_path, "            self._consume_manual_validation_request()\n", ""},
            {trainer_path,
             "self.prepare_batch(batch, epoch=self.epoch, seed=self.config.get(\"seed\", 0))\n",
             "self.prepare_batch(batch)\n"},
            {trainer_path, "    def prepare_batch(self, batch, epoch=0, seed=0):\n",
             "    def prepare_batch(self, batch):\n        seed = self.config.get(\"seed\", 0)\n"},
            {trainer_path, "        prepared = dict(batch, epoch=epoch, seed=seed)\n",
             "        prepared = dict(batch, epoch=self.epoch, seed=seed)\n"},
            {trainer_path, "            self.global_step += 1\n",
             "            self.global_step += 1\n"
             "            self._consume_manual_validation_request()\n"}}}};
}

}  // namespace

const std::vector<UpstreamStep>& upstream_history() {
  static const std::vector<UpstreamStep> history = [] {
    std::vector<UpstreamStep> steps = {
        fork_point(), audio_and_attention(), base(), later_1(), later_2(), later_3(), later_4()};
    const Change tracked = component(2, {});
    auto& edits = steps.back().change.edits;
    edits.insert(edits.end(), tracked.edits.begin(), tracked.edits.end());
    return steps;
  }();
  return history;
}

Result<Tree> upstream_tree(std::size_t step) {
  Tree tree;
  for (std::size_t i = 0; i <= step; ++i) {
    CR_TRY(tree, with_change(std::move(tree), upstream_history().at(i).change));
  }
  return tree;
}

Result<Tree> with_change(Tree tree, const Change& change) {
  for (const auto& file : change.files) tree[file.path] = File{file.text, file.executable};
  for (const auto& edit : change.edits) {
    const auto file = tree.find(std::string(edit.path));
    if (file == tree.end())
      return fail(ErrorCode::not_found, "the look-alike has no file " + std::string(edit.path));
    auto& text = file->second.text;
    const auto at = text.find(edit.find);
    if (at == std::string::npos || text.find(edit.find, at + 1) != std::string::npos)
      return fail(ErrorCode::not_found, "text of an edit must stand once in " +
                                            std::string(edit.path) + ": " + std::string(edit.find));
    text.replace(at, edit.find.size(), edit.replace);
  }
  return tree;
}

}  // namespace checkride::lookalike
