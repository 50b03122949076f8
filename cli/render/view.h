// How the facts of one run are worded: state and transition numbers as the definition's ids, values
// as short CEL text, secrets masked. Every renderer takes its words from here, so that a secret
// parameter is masked in all of them. Works without a definition too (numbers are shown then), for
// logs whose definition this program cannot load.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decider/definition.h"
#include "engine/decider/state.h"

namespace checkride::cli {

// Texts that must not be shown. Texts of four bytes and more are masked wherever they occur,
// shorter ones only where they are a whole value.
class Mask {
 public:
  // A secret's value; of lists and maps, every text inside.
  void add(const cel::Value& secret);
  std::string text(std::string_view text) const;
  cel::Value value(const cel::Value& value) const;

 private:
  void add_text(std::string text);
  std::vector<std::string> texts_;  // longest first
};

class View {
 public:
  View() = default;
  // `definition` may be null.
  explicit View(std::shared_ptr<const Definition> definition, Mask mask = {})
      : definition_(std::move(definition)), mask_(std::move(mask)) {}

  const Definition* definition() const { return definition_.get(); }
  const std::shared_ptr<const Definition>& shared_definition() const { return definition_; }
  const Mask& mask() const { return mask_; }

  std::string state(statechart::StateIndex index) const;  // "preflight", "(top)", "#12"
  // "clean → backup"; "clean (stays)" for a targetless one.
  std::string transition(statechart::TransitionIndex index) const;
  std::string states(const std::vector<statechart::StateIndex>& indices) const;  // "a, b"
  // The state's own spec; null without a definition or out of its range.
  const StateSpec* spec(statechart::StateIndex index) const;
  // Ids from the outermost to the state itself: "validate > upstream".
  std::string path(statechart::StateIndex index) const;

  std::string text(std::string_view text) const { return mask_.text(text); }
  cel::Value value(const cel::Value& value) const { return mask_.value(value); }
  // As CEL text on one line of at most `width_max` columns.
  std::string brief(const cel::Value& value, std::size_t width_max = 60) const;
  // Params with those declared secret replaced by "***".
  cel::Map params(const cel::Map& params) const;
  bool secret_param(std::string_view name) const;

 private:
  std::shared_ptr<const Definition> definition_;
  Mask mask_;
};

// A text of the definition (the title of a state) with its holes filled from params; the text as it
// stands where that fails.
std::string filled(const View& view, const RunState& state, const std::string& text);

// The definition's title with its holes filled from the run; the workflow's name where there is
// none.
std::string run_title(const View& view, const RunState& state);

// The mask of one run's secret params, added to `mask`.
void add_secrets(Mask& mask, const Definition& definition, const cel::Map& params);

// "✅", "⚠️", "❌", "[ ]".
std::string_view mark(Verdict verdict);
// What the mark alone does not say: "waived", "skipped", ...; empty for passed, failed and none.
std::string_view mark_word(Verdict verdict);

}  // namespace checkride::cli
