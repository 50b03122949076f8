// The document of cases as a whole: header, params, cases, expectations.
#include <algorithm>
#include <set>

#include "engine/cel/time_text.h"
#include "workflows/loader/literal.h"
#include "workflows/rehearsal/script_reader.h"

namespace checkride::rehearsal {

using loader::Entry;
using loader::Node;

namespace {

class CasesReader {
 public:
  CasesReader(const Definition& definition, loader::Reporter& reporter)
      : definition_(definition), reporter_(reporter), scripts_(reporter) {}

  CaseFile read(const Node& root) {
    CaseFile file;
    file.source_name = reporter_.source_name();
    if (!scripts_.expect_map(root, "a document of cases") || !read_header(root)) return file;
    if (root.find("cases") == nullptr) {
      file.cases.push_back(read_case(root, file, true));
      file.cases.back().name = file.source_name;
      return file;
    }
    scripts_.check_keys(root, {"rehearsal", "workflow", "params", "usual", "cases"},
                        "a document of cases");
    file.params = read_params(root.find("params"));
    if (const Node* usual = root.find("usual");
        usual != nullptr && scripts_.expect_map(*usual, "`usual`")) {
      scripts_.check_keys(*usual, ScriptReader::keys(), "`usual`");
      file.usual = scripts_.read(*usual, definition_, {});
    }
    const Node& cases = *root.find("cases");
    if (!cases.is_list() || cases.items.empty() || cases.items.size() > cases_max) {
      reporter_.error(cases.place, "shape",
                      "`cases` must be a list of one to " + std::to_string(cases_max) + " cases");
      return file;
    }
    std::set<std::string> names;
    for (const Node& node : cases.items) {
      if (!scripts_.expect_map(node, "a case")) continue;
      Case one = read_case(node, file, false);
      if (one.name.empty())
        reporter_.error(node.place, "missing-key", "the case has no name; write `name: TEXT`");
      else if (!names.insert(one.name).second)
        reporter_.error(node.place, "name", "a case named '" + one.name + "' stands above already");
      file.cases.push_back(std::move(one));
    }
    return file;
  }

 private:
  bool read_header(const Node& root) {
    const Node* version = root.find("rehearsal");
    if (version == nullptr || version->text != "1") {
      reporter_.error(version == nullptr ? root.place : version->place, "unsupported",
                      "a document of cases starts with 'rehearsal: 1'");
      return false;
    }
    if (const Node* workflow = root.find("workflow");
        workflow != nullptr && workflow->text != definition_.name) {
      reporter_.error(
          workflow->place, "workflow",
          "these cases are for '" + workflow->text + "', not for '" + definition_.name + "'");
      return false;
    }
    return true;
  }

  cel::Map read_params(const Node* node) {
    cel::Map params;
    if (node == nullptr || !scripts_.expect_map(*node, "`params`")) return params;
    std::vector<std::string> names;
    for (const FieldSpec& field : definition_.params) names.push_back(field.name);
    for (const Entry& entry : node->entries) {
      const auto field =
          std::find_if(definition_.params.begin(), definition_.params.end(),
                       [&](const FieldSpec& known) { return known.name == entry.key; });
      if (field == definition_.params.end())
        reporter_.error(entry.place, "unknown-param",
                        definition_.name + " has no parameter '" + entry.key + "'",
                        loader::did_you_mean(entry.key, names));
      else if (auto value = loader::typed_literal(entry.value, field->type, "params." + entry.key,
                                                  reporter_))
        params.set(std::string_view(entry.key), *std::move(value));
    }
    return params;
  }

  Case read_case(const Node& node, const CaseFile& file, bool alone) {
    std::vector<std::string> known = {"params", "clock", "cancel", "rollback", "pause", "expect"};
    known.insert(known.end(), ScriptReader::keys().begin(), ScriptReader::keys().end());
    known.insert(known.end(), {alone ? "rehearsal" : "name"});
    if (alone) known.push_back("workflow");
    scripts_.check_keys(node, known, alone ? "a document of cases" : "a case");
    Case one;
    one.place = node.place;
    one.name = scripts_.text_at(node, "name", "`name`");
    one.params = file.params;
    for (const auto& [key, value] : read_params(node.find("params"))) one.params.set(key, value);
    if (const Node* clock = node.find("clock")) {
      if (const auto instant = cel::parse_instant(clock->text))
        one.clock = cel::Value(*instant).as_timestamp();
      else
        reporter_.error(clock->place, "clock",
                        "`clock` must be a time such as 2026-01-31T08:00:00Z");
    }
    one.script = scripts_.read(node, definition_, {&file.usual});
    one.cancel = read_end(node.find("cancel"), "cancel");
    one.rollback = read_end(node.find("rollback"), "rollback");
    one.pauses = scripts_.pauses(node.find("pause"), definition_);
    if (const Node* expect = node.find("expect"))
      one.expect = read_expectation(*expect, definition_, true);
    return one;
  }

  std::optional<PlannedEnd> read_end(const Node* node, const std::string& what) {
    if (node == nullptr || !scripts_.expect_map(*node, "`" + what + "`")) return std::nullopt;
    scripts_.check_keys(*node, {"in", "why", "by"}, "`" + what + "`");
    PlannedEnd end{scripts_.text_at(*node, "in", "`in`"), scripts_.text_at(*node, "why", "`why`"),
                   scripts_.text_at(*node, "by", "`by`"), node->place};
    if (end.why.empty()) end.why = "as rehearsed";
    const Node* in = node->find("in");
    if (in != nullptr) {
      if (!scripts_.state(end.in, in->place, definition_)) return std::nullopt;
    } else if (what == "cancel") {
      reporter_.error(node->place, "missing-key", "`cancel` says in which state: {in: STATE}");
    }
    return end;
  }

  std::vector<std::string> read_states(const Node* node, const Definition& definition,
                                       const std::string& what) {
    std::vector<std::string> ids;
    if (node == nullptr) return ids;
    if (!node->is_list()) {
      reporter_.error(node->place, "shape", what + " must be a list of states");
      return ids;
    }
    for (const Node& item : node->items)
      if (scripts_.state(item.text, item.place, definition)) ids.push_back(item.text);
    return ids;
  }

  Expectation read_expectation(const Node& node, const Definition& definition, bool top) {
    Expectation expect;
    if (!scripts_.expect_map(node, "`expect`")) return expect;
    std::vector<std::string> known = {"outcome", "visits",   "avoids",   "verdicts",
                                      "data",    "children", "incidents"};
    if (top) known.insert(known.end(), {"exit_code", "report"});
    scripts_.check_keys(node, known, "`expect`");
    if (const Node* outcome = node.find("outcome")) {
      expect.outcome = scripts_.text(*outcome, "`outcome`");
      const auto parsed = parse_run_outcome(expect.outcome);
      if (expect.outcome != "waiting" && (!parsed || *parsed == RunOutcome::none))
        reporter_.error(outcome->place, "outcome",
                        "a run ends succeeded, failed, cancelled, rolled-back or incomplete, or "
                        "is left waiting; not '" +
                            expect.outcome + "'");
    }
    if (const Node* code = node.find("exit_code")) {
      const auto value = loader::scalar_value(*code);
      if (value && value->kind() == cel::Kind::integer)
        expect.exit_code = value->as_int();
      else
        reporter_.error(code->place, "shape", "`exit_code` must be an int");
    }
    expect.visits = read_states(node.find("visits"), definition, "`visits`");
    expect.avoids = read_states(node.find("avoids"), definition, "`avoids`");
    read_verdicts(node.find("verdicts"), definition, expect);
    read_data(node.find("data"), definition, expect);
    if (const Node* incidents = node.find("incidents"))
      expect.incidents = scripts_.texts(*incidents, "`incidents`");
    if (const Node* report = node.find("report"))
      expect.report = scripts_.texts(*report, "`report`");
    read_children(node.find("children"), definition, expect);
    return expect;
  }

  void read_verdicts(const Node* node, const Definition& definition, Expectation& expect) {
    if (node == nullptr || !scripts_.expect_map(*node, "`verdicts`")) return;
    for (const Entry& entry : node->entries) {
      const auto index = scripts_.state(entry.key, entry.place, definition);
      if (!index) continue;
      const auto verdict = parse_verdict(scripts_.text(entry.value, "a verdict"));
      if (!definition.states[index->value].reports())
        reporter_.error(entry.place, "verdict",
                        "state '" + entry.key + "' has no title, so it gets no verdict");
      else if (!verdict)
        reporter_.error(entry.value.place, "verdict", verdict.error().message);
      else
        expect.verdicts.emplace_back(entry.key, *verdict);
    }
  }

  void read_data(const Node* node, const Definition& definition, Expectation& expect) {
    if (node == nullptr || !scripts_.expect_map(*node, "`data`")) return;
    std::vector<std::string> names;
    for (const FieldSpec& field : definition.data) names.push_back(field.name);
    for (const Entry& entry : node->entries) {
      const auto field = std::find_if(definition.data.begin(), definition.data.end(),
                                      [&](const FieldSpec& f) { return f.name == entry.key; });
      if (field == definition.data.end())
        reporter_.error(entry.place, "unknown-field",
                        definition.name + " has no data '" + entry.key + "'",
                        loader::did_you_mean(entry.key, names));
      else if (auto value =
                   loader::typed_literal(entry.value, field->type, "data." + entry.key, reporter_))
        expect.data.set(std::string_view(entry.key), *std::move(value));
    }
  }

  void read_children(const Node* node, const Definition& definition, Expectation& expect) {
    if (node == nullptr || !scripts_.expect_map(*node, "`children`")) return;
    for (const Entry& entry : node->entries) {
      const auto index = scripts_.state(entry.key, entry.place, definition);
      if (!index) continue;
      const auto& invoke = definition.states[index->value].invoke;
      if (!invoke || !invoke->machine) {
        reporter_.error(entry.place, "no-machine",
                        "state '" + entry.key + "' invokes no machine, so it has no children");
        continue;
      }
      if (!scripts_.expect_map(entry.value, "what is expected of its children")) continue;
      for (const Entry& item : entry.value.entries)
        expect.children.emplace_back(std::pair(entry.key, item.key),
                                     read_expectation(item.value, *invoke->machine, false));
    }
  }

  const Definition& definition_;
  loader::Reporter& reporter_;
  ScriptReader scripts_;
};

}  // namespace

CasesResult read_cases(std::string_view text, std::string source_name,
                       const Definition& definition) {
  loader::Diagnostics diagnostics;
  loader::Reporter reporter(diagnostics, std::move(source_name));
  CasesResult result;
  if (const auto root = loader::read_yaml(text, reporter)) {
    auto file = std::make_shared<CaseFile>(CasesReader(definition, reporter).read(*root));
    if (diagnostics.errors == 0) result.file = std::move(file);
  }
  result.diagnostics = diagnostics.sorted();
  return result;
}

}  // namespace checkride::rehearsal
