#include "workflows/loader/load.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "engine/base/assert.h"
#include "workflows/loader/canonical.h"
#include "workflows/loader/lint.h"
#include "workflows/loader/reader.h"
#include "workflows/loader/reporter.h"
#include "workflows/loader/rules.h"
#include "workflows/loader/yaml.h"

namespace checkride {
namespace loader {
namespace {

// Machines name machines; each document on the way is loaded inside the one before.
constexpr std::size_t documents_nested_max = 8;
// Within one document. Each machine keeps the whole document as its source.
constexpr std::size_t machines_max = 100;
constexpr std::size_t machines_nested_max = 32;

bool is_workflow_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

// Loads one document and the machines it names.
class DocumentLoader final : public Surroundings {
 public:
  // `outer`: names of the workflows whose loading asked for this one, outermost first.
  DocumentLoader(std::string_view text, std::string source_name, const LoadOptions& options,
                 Diagnostics& diagnostics, std::vector<std::string> outer)
      : text_(text),
        options_(options),
        diagnostics_(diagnostics),
        reporter_(diagnostics, std::move(source_name)),
        outer_(std::move(outer)) {}

  // Null when anything is wrong.
  std::shared_ptr<const Definition> load(const std::string& machine_name) {
    const std::size_t errors = diagnostics_.errors;
    root_ = read_yaml(text_, reporter_);
    if (!root_ || !read_header()) return nullptr;
    std::shared_ptr<const Definition> definition;
    if (!machine_name.empty()) {
      definition = machine(machine_name, root_->place);
    } else {
      definition = read(*root_, workflow_, false);
      check_unused();
    }
    return diagnostics_.errors == errors ? definition : nullptr;
  }

  const JobSignature* find_kind(std::string_view name) const override {
    for (const JobSignature* signature : options_.signatures)
      if (signature->name == name) return signature;
    return nullptr;
  }
  std::vector<std::string> kind_names() const override {
    std::vector<std::string> names;
    for (const JobSignature* signature : options_.signatures) names.push_back(signature->name);
    return names;
  }
  std::shared_ptr<const Definition> machine(const std::string& name, Place place) override {
    const auto known = machines_.find(name);
    if (known != machines_.end()) return known->second;
    if (in_progress_.contains(name)) {
      reporter_.error(place, "unknown-machine",
                      "machine '" + name + "' would invoke itself without end");
      return nullptr;
    }
    const Node* own = own_machine(name);
    std::shared_ptr<const Definition> definition;
    if (in_progress_.size() >= machines_nested_max) {
      reporter_.error(place, "unknown-machine",
                      "machines invoke each other deeper than " +
                          std::to_string(machines_nested_max) + " at '" + name + "'");
    } else if (own != nullptr) {
      in_progress_.insert(name);
      definition = read(*own, workflow_ + "/" + name, true);
      in_progress_.erase(name);
    } else {
      definition = outside(name, place);
    }
    machines_.emplace(name, definition);
    return definition;
  }

 private:
  bool read_header() {
    if (!root_->is_map()) {
      reporter_.error(root_->place, "shape",
                      "a workflow is a map that starts with 'checkride: 1', not " +
                          std::string(describe(*root_)));
      return false;
    }
    const Node* version = root_->find("checkride");
    if (version == nullptr) {
      reporter_.error(root_->place, "missing-key",
                      "the language version is missing; write 'checkride: 1' first");
      return false;
    }
    if (!version->plain || version->text != "1") {
      reporter_.error(version->place, "unsupported",
                      "this program reads version 1 of the language; write 'checkride: 1'");
      return false;
    }
    const Node* name = root_->find("workflow");
    if (name == nullptr) {
      reporter_.error(root_->place, "missing-key",
                      "the workflow has no name; write 'workflow: NAME'");
    } else if (!name->is_scalar() || !is_workflow_name(name->text)) {
      reporter_.error(name->place, "name",
                      "a workflow's name has letters, digits, '-', '_' and '.', at most 100");
    } else {
      workflow_ = name->text;
    }
    if (const Node* machines = root_->find("machines")) {
      if (!machines->is_map()) {
        reporter_.error(
            machines->place, "shape",
            "'machines' must be a map of names, not " + std::string(describe(*machines)));
      } else {
        if (machines->entries.size() > machines_max) {
          reporter_.error(machines->place, "too-many",
                          "a document has at most " + std::to_string(machines_max) +
                              " machines; put some into documents of their own");
          return false;
        }
        for (const Entry& entry : machines->entries) {
          if (!is_workflow_name(entry.key))
            reporter_.error(entry.place, "name",
                            "a machine's name has letters, digits, '-', '_' and '.', at most 100");
          machine_names_.push_back(entry.key);
        }
      }
    }
    return true;
  }

  const Node* own_machine(const std::string& name) const {
    const Node* machines = root_->find("machines");
    return machines == nullptr || !machines->is_map() ? nullptr : machines->find(name);
  }

  std::shared_ptr<const Definition> read(const Node& node, std::string name, bool child) {
    const std::size_t errors = diagnostics_.errors;
    if (!node.is_map()) {
      reporter_.error(node.place, "shape",
                      "a machine must be a map, not " + std::string(describe(node)));
      return nullptr;
    }
    DefinitionReader reader(*this, reporter_, text_, child);
    const std::shared_ptr<Definition> definition = reader.read(node, std::move(name));
    if (definition == nullptr) return nullptr;
    // Rules about paths mean nothing where paths are missing.
    if (reader.structure_sound()) lint(*definition, reporter_);
    if (diagnostics_.errors != errors) return nullptr;
    definition->hash = canonical_hash(*definition);
    return definition;
  }

  std::shared_ptr<const Definition> outside(const std::string& name, Place place) {
    const auto unknown = [&](const std::string& why) {
      reporter_.error(place, "unknown-machine", "there is no machine '" + name + "'" + why,
                      reporter_.did_you_mean(name, machine_names_));
      return nullptr;
    };
    if (!options_.find_machine) return unknown("; write it under 'machines'");
    std::vector<std::string> outer = outer_;
    outer.push_back(workflow_);
    if (std::find(outer.begin(), outer.end(), name) != outer.end()) {
      reporter_.error(place, "unknown-machine",
                      "machine '" + name + "' would invoke itself without end");
      return nullptr;
    }
    if (outer.size() >= documents_nested_max) {
      reporter_.error(place, "unknown-machine",
                      "machines are nested deeper than " + std::to_string(documents_nested_max) +
                          " documents at '" + name + "'");
      return nullptr;
    }
    const Result<std::string> text = options_.find_machine(name);
    if (!text) return unknown(": " + text.error().message);
    const std::size_t errors = diagnostics_.errors;
    auto definition =
        DocumentLoader(*text, name, options_, diagnostics_, std::move(outer)).load("");
    if (definition == nullptr && diagnostics_.errors != errors)
      reporter_.error(place, "unknown-machine",
                      "machine '" + name + "' has errors of its own; see above");
    return definition;
  }

  // Also read what nothing invokes, for its errors.
  void check_unused() {
    const Node* machines = root_->find("machines");
    if (machines == nullptr || !machines->is_map()) return;
    for (const Entry& entry : machines->entries) {
      if (machines_.contains(entry.key)) continue;
      reporter_.warning(entry.place, "unreachable",
                        "nothing invokes the machine '" + entry.key + "'");
      static_cast<void>(machine(entry.key, entry.place));
    }
  }

  std::string_view text_;
  const LoadOptions& options_;
  Diagnostics& diagnostics_;
  Reporter reporter_;
  std::vector<std::string> outer_;
  std::optional<Node> root_;
  std::string workflow_ = "workflow";
  std::vector<std::string> machine_names_;
  std::map<std::string, std::shared_ptr<const Definition>> machines_;
  std::set<std::string> in_progress_;
};

}  // namespace
}  // namespace loader

LoadResult load_definition(std::string_view text, std::string source_name,
                           const LoadOptions& options) {
  loader::Diagnostics diagnostics;
  LoadResult result;
  result.definition = loader::DocumentLoader(text, std::move(source_name), options, diagnostics, {})
                          .load(options.machine);
  result.diagnostics = diagnostics.sorted();
  for (const LoadDiagnostic& found : result.diagnostics)
    CR_ASSERT(loader::find_rule(found.rule) != nullptr, found.rule);
  return result;
}

LoadResult load_stored(std::string_view name, std::string_view text, std::string source_name,
                       LoadOptions options) {
  const std::size_t slash = name.find('/');
  options.machine = slash == std::string_view::npos ? "" : std::string(name.substr(slash + 1));
  return load_definition(text, std::move(source_name), options);
}

}  // namespace checkride
