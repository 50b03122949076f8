#include "engine/decider/activation.h"

#include <algorithm>

namespace checkride {

RunActivation::RunActivation(const RunState& state, const Definition& definition, Timestamp now,
                             const statechart::ChartEvent* event,
                             std::function<bool(statechart::StateIndex)> in)
    : state_(state), definition_(definition), event_(event), in_(std::move(in)), now_(now) {}

const cel::Value* RunActivation::find(std::string_view name) const {
  if (name == "params") {
    if (!params_)
      params_ = cel::Value(definition_.complete_params(state_.params).value_or(state_.params));
    return &*params_;
  }
  if (name == "data") {
    if (!data_) data_ = cel::Value(state_.data);
    return &*data_;
  }
  if (name == "jobs") {
    if (!jobs_) {
      cel::Map jobs;
      for (const auto& [index, result] : state_.results)
        jobs.set(std::string_view(definition_.chart.state(index).id), result.value);
      jobs_ = cel::Value(std::move(jobs));
    }
    return &*jobs_;
  }
  if (name == "run") {
    if (!run_) {
      cel::Map run;
      run.set("id", cel::Value(state_.run.value));
      run.set("root", cel::Value(state_.start.root.value));
      run.set("folder", cel::Value(state_.start.folder));
      run.set("author", cel::Value(state_.author.name));
      run.set("started", cel::Value(state_.started));
      run_ = cel::Value(std::move(run));
    }
    return &*run_;
  }
  if (name == "now") return &now_;
  if (event_ == nullptr) return nullptr;
  if (name == "result" || name == "error") return &event_->data;
  if (name == "event") {
    if (!event_value_) {
      cel::Map event;
      event.set("name", cel::Value(event_->name));
      event.set("data", event_->data);
      event_value_ = cel::Value(std::move(event));
    }
    return &*event_value_;
  }
  return nullptr;
}

bool RunActivation::in(std::string_view state_id) const {
  const auto index = definition_.chart.find(state_id);
  if (!index) return false;
  if (in_) return in_(*index);
  const auto& active = state_.chart.configuration;
  return std::binary_search(active.begin(), active.end(), *index);
}

}  // namespace checkride
