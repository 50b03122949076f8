#include "workflows/rehearsal/script_reader.h"

#include <algorithm>

namespace checkride::rehearsal {

using loader::Entry;
using loader::Node;

const std::vector<std::string>& ScriptReader::keys() {
  static const std::vector<std::string> all = {"outcomes", "probes", "undo", "incidents",
                                               "signals"};
  return all;
}

void ScriptReader::check_keys(const Node& map, const std::vector<std::string>& known,
                              const std::string& what) {
  for (const Entry& entry : map.entries)
    if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
      std::string all;
      for (const std::string& key : known) all += (all.empty() ? "" : ", ") + key;
      reporter_.error(entry.place, "unknown-key",
                      what + " has no key '" + entry.key + "'; it takes " + all,
                      loader::did_you_mean(entry.key, known));
    }
}

bool ScriptReader::expect_map(const Node& node, const std::string& what) {
  if (node.is_map()) return true;
  reporter_.error(node.place, "shape",
                  what + " must be a map, not " + std::string(loader::describe(node)));
  return false;
}

std::string ScriptReader::text(const Node& node, const std::string& what) {
  if (node.is_scalar()) return node.text;
  if (!node.is_null())
    reporter_.error(node.place, "shape",
                    what + " must be text, not " + std::string(loader::describe(node)));
  return {};
}

std::string ScriptReader::text_at(const Node& map, std::string_view key, const std::string& what) {
  const Node* node = map.find(key);
  return node == nullptr ? std::string() : text(*node, what);
}

std::vector<std::string> ScriptReader::texts(const Node& node, const std::string& what) {
  std::vector<std::string> all;
  if (node.is_scalar()) {
    all.push_back(node.text);
  } else if (node.is_list()) {
    for (const Node& item : node.items)
      if (std::string one = text(item, what); !one.empty()) all.push_back(std::move(one));
  } else {
    reporter_.error(node.place, "shape",
                    what + " must be a list of texts, not " + std::string(loader::describe(node)));
  }
  return all;
}

std::optional<statechart::StateIndex> ScriptReader::state(const std::string& id, Place place,
                                                          const Definition& definition) {
  const auto index = definition.chart.find(id);
  if (index && *index != statechart::root_state) return index;
  std::vector<std::string> ids;
  for (std::size_t i = 1; i < definition.chart.states.size(); ++i)
    ids.push_back(definition.chart.states[i].id);
  reporter_.error(place, "unknown-state", "there is no state '" + id + "' in " + definition.name,
                  loader::did_you_mean(id, ids));
  return std::nullopt;
}

const Series* series_of(const Script& script, ScriptReader::Part part, const std::string& id) {
  const auto& all = part == ScriptReader::Part::outcomes ? script.outcomes
                    : part == ScriptReader::Part::probes ? script.probes
                                                         : script.undo;
  const auto found = all.find(id);
  return found == all.end() ? nullptr : &found->second;
}

Script ScriptReader::read(const Node& map, const Definition& definition, const Bases& bases) {
  Script script;
  if (!expect_map(map, "a script")) return script;
  read_series(map.find("outcomes"), Part::outcomes, definition, bases, script.outcomes);
  read_series(map.find("probes"), Part::probes, definition, bases, script.probes);
  read_series(map.find("undo"), Part::undo, definition, bases, script.undo);
  if (const Node* incidents = map.find("incidents")) {
    if (incidents->is_list()) {
      for (const Node& item : incidents->items)
        if (auto one = resolution(item, definition)) script.incidents.push_back(*std::move(one));
    } else if (auto one = resolution(*incidents, definition)) {
      script.incidents.push_back(*std::move(one));
    }
  }
  for (const Node* node : one_or_more(map.find("signals"))) read_signal(*node, definition, script);
  return script;
}

void ScriptReader::read_series(const Node* map, Part part, const Definition& definition,
                               const Bases& bases, std::map<std::string, Series>& all) {
  if (map == nullptr || map->is_null()) return;
  if (!expect_map(*map, "it")) return;
  for (const Entry& entry : map->entries) {
    const auto index = state(entry.key, entry.place, definition);
    if (!index) continue;
    const StateSpec& spec = definition.states[index->value];
    const InvokeSpec* invoke = spec.invoke ? &*spec.invoke : nullptr;
    std::string lacks = "invokes nothing, so there is no outcome to give";
    if (part == Part::probes) {
      invoke = invoke == nullptr ? nullptr : invoke->probe.get();
      lacks = "has no probe";
    } else if (part == Part::undo) {
      invoke = spec.undo ? &*spec.undo : nullptr;
      lacks = "has no undo";
    }
    if (invoke == nullptr) {
      reporter_.error(entry.place, "no-job",
                      "state '" + entry.key + "' of " + definition.name + " " + lacks);
      continue;
    }
    Series series;
    series.list = entry.value.is_list();
    if (series.list && entry.value.items.empty())
      reporter_.error(entry.value.place, "shape", "the list of outcomes is empty; leave it out");
    const auto add = [&](const Node& node) {
      if (auto step = planned(node, part, entry.key, *invoke, bases))
        series.steps.push_back(*std::move(step));
    };
    if (series.list)
      for (const Node& item : entry.value.items) add(item);
    else
      add(entry.value);
    if (!series.steps.empty()) all.emplace(entry.key, std::move(series));
  }
}

std::optional<Planned> ScriptReader::planned(const Node& node, Part part, const std::string& id,
                                             const InvokeSpec& invoke, const Bases& bases) {
  Planned plan;
  plan.place = node.place;
  if (node.is_scalar() && node.text == "wait") {
    plan.kind = Planned::Kind::wait;
    if (invoke.signature.performer != JobSignature::Performer::machine) return plan;
    reporter_.error(node.place, "shape",
                    "a machine does not wait, its children wait: write {outcomes: {STATE: wait}}");
    return std::nullopt;
  }
  if (node.is_scalar() && node.text == "usual") {
    plan.kind = Planned::Kind::usual;
    for (const Script* base : bases)
      if (series_of(*base, part, id) != nullptr) return plan;
    reporter_.error(node.place, "no-usual",
                    "the document's `usual` has no outcome for state '" + id + "'");
    return std::nullopt;
  }
  switch (invoke.signature.performer) {
    case JobSignature::Performer::person: return answer(node, invoke);
    case JobSignature::Performer::machine: return children(node, id, invoke, bases);
    case JobSignature::Performer::runner: break;
  }
  return job_outcome(node, part, id, invoke, bases);
}

std::optional<Planned> ScriptReader::children(const Node& node, const std::string& id,
                                              const InvokeSpec& invoke, const Bases& bases) {
  if (!expect_map(node, "what is told to the children of '" + id + "'")) return std::nullopt;
  std::vector<std::string> known = keys();
  known.erase(std::remove(known.begin(), known.end(), "undo"), known.end());
  known.push_back("items");
  check_keys(node, known, "what is told to the children of '" + id + "'");
  const Definition& machine = *invoke.machine;
  const auto bases_for = [&](const std::string& item) {
    Bases below;
    for (const Script* base : bases) {
      const Series* series = series_of(*base, Part::outcomes, id);
      if (series == nullptr) continue;
      const Planned& first = series->steps.front();
      if (const auto own = first.items.find(item); own != first.items.end())
        below.push_back(own->second.get());
      if (first.every) below.push_back(first.every.get());
    }
    return below;
  };
  Planned plan;
  plan.kind = Planned::Kind::children;
  plan.place = node.place;
  const auto every = std::make_shared<Script>(read(node, machine, bases_for("")));
  plan.every = every;
  if (const Node* items = node.find("items"); items != nullptr && expect_map(*items, "`items`"))
    for (const Entry& entry : items->entries) {
      if (!expect_map(entry.value, "what is told to '" + entry.key + "'")) continue;
      known.erase(std::remove(known.begin(), known.end(), "items"), known.end());
      check_keys(entry.value, known, "what is told to '" + entry.key + "'");
      Bases below = bases_for(entry.key);
      below.insert(below.begin(), every.get());
      plan.items[entry.key] = std::make_shared<const Script>(read(entry.value, machine, below));
    }
  return plan;
}

}  // namespace checkride::rehearsal
