// The parts of an import: what the whole document says (ids, data model), and the two halves of the
// work, states (import.cpp) and executable content (import_content.cpp).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "workflows/scxml/condition.h"
#include "workflows/scxml/scxml.h"
#include "workflows/scxml/text.h"
#include "workflows/scxml/xml.h"

namespace checkride::scxml {

class Importer {
 public:
  explicit Importer(std::string_view name) : workflow_(name) {}
  Result<ScxmlImport> run(std::string_view text);

 private:
  static bool is_scxml(const Element& e, std::string_view name) {
    return e.space == scxml_namespace && e.name == name;
  }
  void error(const Element& at, std::string message) {
    remarks_.push_back({ScxmlRemark::Severity::error, at.place, std::move(message)});
  }
  void note(const Element& at, std::string message) {
    remarks_.push_back({ScxmlRemark::Severity::note, at.place, std::move(message)});
  }

  // states (import.cpp)
  void collect_ids(const Element& parent);
  void read_data_model(const Element& root, Node& out);
  // A key of the definition that SCXML has no word for: <cr:key name="...">YAML</cr:key>.
  void read_key(const Element& key, Node& out);
  std::optional<Node> yaml_of(const Element& at, const std::string& text);
  // What a state and the document itself have in common, into a map. `id` is empty for the root.
  void read_inside(const Element& element, const std::string& id, Node& out);
  void read_state(const Element& state, Node& states);
  void read_initial(const Element& element, Node& out);
  void read_history(const Element& history, Node& out);
  Node targets(const Element& at, const std::string& text);
  struct Timer {
    std::string event;
    std::string delay;
  };
  void read_transition(const Element& transition, const std::string& id,
                       const std::vector<Timer>& timers, Node& out);
  std::string descriptors(const Element& transition, const std::string& id);
  // The timers of `after`, where the block is nothing else.
  std::optional<std::vector<Timer>> timers_of(const Element& block, const std::string& id) const;
  static bool is_timer_cancel(const Element& block, const std::string& id);

  // executable content (import_content.cpp)
  Node actions(const Element& block, std::size_t depth = 0);
  void read_action(const Element& action, Node& out, std::size_t depth);
  void read_send(const Element& send, Node& out);
  void read_if(const Element& conditional, Node& out, std::size_t depth);
  std::optional<std::string> event_of(const Element& at);
  void add_event_data(const Element& at, Node& event);
  // The expression in CEL; where it has no translation as it stands, after an error, so that lint
  // refuses it.
  Node expression(const Element& at, const std::string& source, const std::string& what);

  std::string workflow_;
  bool cel_ = false;  // the document's data model
  Names names_;
  std::map<const Element*, std::string> ids_;
  std::map<std::pair<std::string, std::string>, std::size_t> repeats_;  // state, descriptor
  std::vector<ScxmlRemark> remarks_;
};

}  // namespace checkride::scxml
