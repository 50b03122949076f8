#include "cli/render/view.h"

#include <algorithm>

#include "cli/render/text.h"
#include "engine/decider/activation.h"

namespace checkride::cli {

using statechart::StateIndex;
using statechart::TransitionIndex;

namespace {

constexpr std::string_view masked = "***";
constexpr std::size_t masked_inside_bytes_min = 4;
constexpr std::size_t brief_bytes_max = 4096;  // of CEL text looked at for one line

}  // namespace

void Mask::add_text(std::string text) {
  if (text.empty() || std::find(texts_.begin(), texts_.end(), text) != texts_.end()) return;
  texts_.push_back(std::move(text));
  std::sort(texts_.begin(), texts_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
}

void Mask::add(const cel::Value& secret) {
  switch (secret.kind()) {
    case cel::Kind::string: add_text(secret.as_string()); break;
    case cel::Kind::bytes: add_text(secret.as_bytes().data); break;
    case cel::Kind::list:
      for (const cel::Value& item : secret.as_list()) add(item);
      break;
    case cel::Kind::map:
      for (const auto& [key, item] : secret.as_map()) add(item);
      break;
    case cel::Kind::optional:
      if (const cel::Value* inner = secret.as_optional()) add(*inner);
      break;
    case cel::Kind::integer:
    case cel::Kind::unsigned_integer:
    case cel::Kind::floating:
      // A short number is masked by its name alone: hiding every 5 of a log hides nothing.
      if (std::string shown = cel::to_cel(secret); shown.size() >= masked_inside_bytes_min)
        add_text(std::move(shown));
      break;
    default: break;
  }
}

std::string Mask::text(std::string_view text) const {
  std::string out(text);
  for (const std::string& secret : texts_) {
    if (secret.size() < masked_inside_bytes_min) {
      if (out == secret) out = masked;
      continue;
    }
    for (std::size_t at = out.find(secret); at != std::string::npos;
         at = out.find(secret, at + masked.size()))
      out.replace(at, secret.size(), masked);
  }
  return out;
}

cel::Value Mask::value(const cel::Value& value) const {
  if (texts_.empty()) return value;
  switch (value.kind()) {
    case cel::Kind::string: return cel::Value(text(value.as_string()));
    case cel::Kind::bytes: return cel::Value(cel::Bytes{text(value.as_bytes().data)});
    case cel::Kind::list: {
      cel::List list;
      for (const cel::Value& item : value.as_list()) list.push_back(this->value(item));
      return cel::Value(std::move(list));
    }
    case cel::Kind::map: {
      cel::Map map;
      for (const auto& [key, item] : value.as_map()) map.set(key, this->value(item));
      return cel::Value(std::move(map));
    }
    case cel::Kind::optional:
      if (const cel::Value* inner = value.as_optional())
        return cel::Value::optional_of(this->value(*inner));
      return value;
    case cel::Kind::integer:
    case cel::Kind::unsigned_integer:
    case cel::Kind::floating: {
      const std::string shown = cel::to_cel(value);
      if (std::find(texts_.begin(), texts_.end(), shown) != texts_.end()) return cel::Value(masked);
      return value;
    }
    default: return value;
  }
}

const StateSpec* View::spec(StateIndex index) const {
  if (definition_ == nullptr || index.value >= definition_->states.size()) return nullptr;
  return &definition_->states[index.value];
}

std::string View::state(StateIndex index) const {
  if (index == statechart::root_state) return "(top)";
  if (definition_ == nullptr || index.value >= definition_->chart.states.size())
    return "#" + to_string(index);
  return definition_->chart.state(index).id;
}

std::string View::states(const std::vector<StateIndex>& indices) const {
  std::string all;
  for (const StateIndex index : indices) all += (all.empty() ? "" : ", ") + state(index);
  return all;
}

std::string View::path(StateIndex index) const {
  std::string path = state(index);
  if (spec(index) == nullptr) return path;
  for (StateIndex up = definition_->chart.state(index).parent; up != statechart::root_state;
       up = definition_->chart.state(up).parent)
    path = state(up) + " > " + path;
  return path;
}

std::string View::transition(TransitionIndex index) const {
  if (definition_ == nullptr || index.value >= definition_->chart.transitions.size())
    return "transition #" + to_string(index);
  const statechart::Transition& transition = definition_->chart.transition(index);
  const std::string source = state(transition.source);
  if (transition.targets.empty()) return source + " (stays)";
  return source + " → " + states(transition.targets);
}

std::string View::brief(const cel::Value& value, std::size_t width_max) const {
  if (value.kind() == cel::Kind::string && value.as_string().size() > brief_bytes_max) {
    // Masked before it is cut, so that no half of a secret is left over.
    std::string text = mask_.text(value.as_string());
    text.resize(std::min(text.size(), brief_bytes_max));
    return shorten(cel::to_cel(cel::Value(std::move(text))), width_max);
  }
  return shorten(cel::to_cel(mask_.value(value)), width_max);
}

bool View::secret_param(std::string_view name) const {
  return definition_ != nullptr &&
         std::any_of(definition_->params.begin(), definition_->params.end(),
                     [&](const FieldSpec& field) { return field.secret && field.name == name; });
}

cel::Map View::params(const cel::Map& params) const {
  cel::Map shown;
  for (const auto& [key, value] : params) {
    const bool secret = key.kind() == cel::Kind::string && secret_param(key.as_string());
    shown.set(key, secret ? cel::Value(masked) : mask_.value(value));
  }
  return shown;
}

std::string filled(const View& view, const RunState& state, const std::string& text) {
  const Definition* definition = view.definition();
  if (definition == nullptr || text.find("${") == std::string::npos) return text;
  const cel::Environment environment =
      guard_environment(definition->params, definition->data, cel::Type::dyn(), {}, {});
  const auto compiled = cel::Template::compile(text, environment);
  if (!compiled) return text;
  const RunActivation values(state, *definition, state.started, nullptr);
  const cel::EvalResult value = compiled->evaluate(values);
  if (!value) return text;
  return view.text(value->kind() == cel::Kind::string ? value->as_string() : cel::to_cel(*value));
}

std::string run_title(const View& view, const RunState& state) {
  const Definition* definition = view.definition();
  if (definition == nullptr || definition->title.empty()) return state.start.definition_name;
  return filled(view, state, definition->title);
}

void add_secrets(Mask& mask, const Definition& definition, const cel::Map& params) {
  const cel::Map complete = definition.complete_params(params).value_or(params);
  for (const FieldSpec& field : definition.params)
    if (field.secret)
      if (const cel::Value* value = complete.find(field.name)) mask.add(*value);
}

std::string_view mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::none: return "[ ]";
    case Verdict::passed: return "✅";
    case Verdict::failed: return "❌";
    case Verdict::warned:
    case Verdict::skipped:
    case Verdict::unavailable:
    case Verdict::waived:
    case Verdict::claimed:
    case Verdict::interrupted: return "⚠️";
  }
  return "[ ]";
}

std::string_view mark_word(Verdict verdict) {
  switch (verdict) {
    case Verdict::none:
    case Verdict::passed:
    case Verdict::failed: return "";
    default: return to_string(verdict);
  }
}

}  // namespace checkride::cli
