// What an invocation says about attempts: limits, retries, repetition, expectations, parsing.
#include <algorithm>
#include <charconv>

#include "engine/cel/regex.h"
#include "workflows/loader/reader.h"

namespace checkride::loader {
namespace {

constexpr FailureClass failure_classes[] = {
    FailureClass::code,    FailureClass::infra, FailureClass::flaky,       FailureClass::resource,
    FailureClass::timeout, FailureClass::lost,  FailureClass::unavailable,
};

bool is_script(const JobSignature& signature) {
  return signature.name == "shell" || signature.name == "exec";
}

// "64MiB", "1GiB", "512KiB".
std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  unsigned shift = 0;
  if (unit == "KiB")
    shift = 10;
  else if (unit == "MiB")
    shift = 20;
  else if (unit == "GiB")
    shift = 30;
  else if (!unit.empty())
    return std::nullopt;
  if (number > (1ULL << 40) >> shift) return std::nullopt;
  return number << shift;
}

// How many groups of a regular expression capture.
std::size_t capture_groups(std::string_view regex) {
  std::size_t groups = 0;
  bool in_class = false;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (in_class) {
      in_class = regex[i] != ']';
    } else if (regex[i] == '[') {
      in_class = true;
      if (i + 1 < regex.size() && regex[i + 1] == '^') ++i;
      if (i + 1 < regex.size() && regex[i + 1] == ']') ++i;  // a ']' that stands first is itself
    } else if (regex[i] == '(') {
      const std::string_view rest = regex.substr(i + 1);
      if (!rest.starts_with('?') || rest.starts_with("?P<") || rest.starts_with("?<")) ++groups;
    }
  }
  return groups;
}

}  // namespace

void DefinitionReader::read_limits(const Node& node, InvokeSpec& spec) {
  if (const Node* timeout = node.find("timeout")) {
    const Node* run = timeout;
    if (timeout->is_map()) {
      check_keys(*timeout, keys_of("timeout"), "'timeout'");
      run = timeout->find("run");
      const auto limit = [&](std::string_view key, std::optional<Duration>& value) {
        const Entry* entry = timeout->entry(key);
        if (entry == nullptr) return;
        value = duration_of(entry->value, "'" + std::string(key) + "'");
        if (value && *value <= Duration(0))
          reporter_.error(entry->place, "shape",
                          "the timeout '" + std::string(key) + "' must be longer than nothing");
        if (key != "queue" && !spec.signature.supervised)
          reporter_.error(entry->place, "shape",
                          "job '" + spec.signature.name +
                              "' runs inside the engine and has the timeouts 'queue' and 'run' "
                              "alone");
      };
      limit("queue", spec.limits.queue_timeout);
      limit("start", spec.limits.start_timeout);
      limit("silence", spec.limits.silence_timeout);
    }
    if (run != nullptr) {
      spec.limits.run_timeout = duration_of(*run, "'timeout'");
      if (spec.limits.run_timeout && *spec.limits.run_timeout <= Duration(0))
        reporter_.error(run->place, "shape", "'timeout' must be longer than nothing");
    }
  }
  if (const Node* grace = node.find("grace"))
    spec.limits.grace = duration_of(*grace, "'grace'").value_or(spec.limits.grace);
  if (const Node* bytes = node.find("output_max")) {
    const auto parsed = bytes->is_scalar() ? parse_bytes(bytes->text) : std::nullopt;
    if (parsed && *parsed >= 1024)
      spec.limits.output_bytes_max = *parsed;
    else
      reporter_.error(bytes->place, "shape",
                      "'output_max' must be a number of bytes such as 64MiB, from 1KiB to 1024GiB");
  }
}

void DefinitionReader::read_repeat(const Node& node, InvokeSpec& spec, const Scope& scope,
                                   bool may_probe) {
  const JobSignature& kind = spec.signature;
  const Node* repeat = node.find("repeat");
  const Node* probe = node.find("probe");
  if (repeat != nullptr) {
    const std::string text = text_of(*repeat, "'repeat'").value_or("ask");
    if (text == "safe" || text == "probe" || text == "ask") {
      spec.repeat = text == "safe" ? Repeat::safe : text == "probe" ? Repeat::probe : Repeat::ask;
    } else {
      reporter_.error(repeat->place, "shape",
                      "'repeat' must be safe, probe or ask, not '" + text + "'",
                      reporter_.did_you_mean(text, {"safe", "probe", "ask"}));
    }
    if (spec.repeat == Repeat::safe && kind.repeat != Repeat::safe && !is_script(kind))
      reporter_.error(repeat->place, "repeat",
                      "job '" + kind.name +
                          "' is not safe to repeat, and a definition cannot make it so; write "
                          "probe or ask");
  } else if (may_probe && is_script(kind) && spec.repeat == Repeat::ask) {
    reporter_.warning(node.place, "no-probe",
                      "this script does not say what may be done when its end is unknown; write "
                      "repeat: safe, repeat: probe with a probe, or repeat: ask");
  }
  if (spec.repeat == Repeat::probe && probe == nullptr && may_probe)
    reporter_.error(repeat == nullptr ? node.place : repeat->place, "no-probe",
                    "'repeat: probe' needs 'probe: {job: KIND, with: {...}}'");
  if (probe == nullptr) return;
  if (spec.repeat != Repeat::probe)
    reporter_.error(probe->place, "no-probe", "'probe' goes with 'repeat: probe'; add it");
  if (!expect_map(*probe, "'probe'")) return;
  check_keys(*probe, keys_of("probe"), "'probe'");
  auto prober = std::make_shared<InvokeSpec>();
  prober->id = spec.id + ".probe";
  prober->place = probe->place;
  if (probe->find("job") == nullptr) {
    reporter_.error(probe->place, "missing-key", "'probe' needs 'job': the kind that looks");
    return;
  }
  if (!read_kind(*probe, *prober)) return;
  if (prober->signature.performer != JobSignature::Performer::runner) {
    reporter_.error(probe->place, "no-probe", "a probe must be a job that ends by itself");
    return;
  }
  // What the engine does next stands in the probe's result.
  const cel::Type& result = prober->signature.result;
  if (result.kind() == cel::Type::Kind::record && result.field("verdict") == nullptr)
    reporter_.error(probe->find("job")->place, "no-probe",
                    "job '" + prober->signature.name +
                        "' cannot probe: its result has no field 'verdict' saying rerun, finished "
                        "or unknown");
  read_parse(*probe, *prober);
  read_job(*probe, *prober, scope, false);
  // A probe only looks, so it may always look again.
  prober->repeat = Repeat::safe;
  spec.probe = std::move(prober);
}

void DefinitionReader::read_retry(const Node& node, InvokeSpec& spec) {
  const auto rule_of = [&](const Node& rule_node) {
    RetryRule rule;
    if (!rule_node.is_map()) {
      rule.max = static_cast<std::uint32_t>(int_of(rule_node, "'retry'", 0, 1000).value_or(0));
      return rule;
    }
    check_keys(rule_node, keys_of("retry_rule"), "a retry rule");
    if (const Node* max = rule_node.find("max"))
      rule.max = static_cast<std::uint32_t>(int_of(*max, "'max'", 0, 1000).value_or(0));
    else
      reporter_.error(rule_node.place, "missing-key",
                      "a retry rule needs 'max': how many further attempts");
    if (const Node* backoff = rule_node.find("backoff"))
      rule.backoff = duration_of(*backoff, "'backoff'").value_or(Duration{0});
    if (const Node* most = rule_node.find("backoff_max"))
      rule.backoff_max = duration_of(*most, "'backoff_max'").value_or(rule.backoff_max);
    const auto number = [&](std::string_view key, double least, double most, double& out) {
      const Node* value_node = rule_node.find(key);
      if (value_node == nullptr) return;
      const auto value = literal(*value_node, cel::Type::floating(), "'" + std::string(key) + "'");
      if (!value) return;
      if (value->as_double() >= least && value->as_double() <= most)
        out = value->as_double();
      else
        reporter_.error(value_node->place, "shape",
                        "'" + std::string(key) + "' must be from " + cel::to_cel(least) + " to " +
                            cel::to_cel(most));
    };
    number("factor", 1.0, 100.0, rule.factor);
    number("jitter", 0.0, 1.0, rule.jitter);
    return rule;
  };
  const auto retryable = [&](FailureClass failure) {
    return failure != FailureClass::lost || spec.repeat == Repeat::safe;
  };
  const bool flat =
      !node.is_map() || std::any_of(node.entries.begin(), node.entries.end(), [](const Entry& e) {
        const std::vector<std::string>& rule_keys = keys_of("retry_rule");
        return std::find(rule_keys.begin(), rule_keys.end(), e.key) != rule_keys.end();
      });
  if (flat) {
    const RetryRule rule = rule_of(node);
    for (const FailureClass failure : failure_classes)
      if (retryable(failure)) spec.retry[failure] = rule;
    return;
  }
  check_keys(node, keys_of("retry_classes"), "'retry'");
  if (const Node* rest = node.find("default")) {
    const RetryRule rule = rule_of(*rest);
    for (const FailureClass failure : failure_classes)
      if (retryable(failure)) spec.retry[failure] = rule;
  }
  for (const Entry& entry : node.entries) {
    const auto failure = parse_failure_class(entry.key);
    if (!failure || *failure == FailureClass::none) continue;
    if (!retryable(*failure))
      reporter_.error(entry.place, "repeat",
                      "an attempt that was lost is retried under 'repeat: safe' only");
    spec.retry[*failure] = rule_of(entry.value);
  }
}

void DefinitionReader::read_expect(const Node& node, InvokeSpec& spec) {
  if (!expect_map(node, "'expect'")) return;
  check_keys(node, keys_of("expect"), "'expect'");
  if (!spec.signature.supervised) {
    reporter_.error(
        node.place, "expect",
        "job '" + spec.signature.name +
            "' runs inside the engine and has no log or exit code to expect; use guards "
            "on its result");
    return;
  }
  if (const Node* codes = node.find("exit_code")) {
    spec.expect.exit_codes.clear();
    if (codes->is_scalar() && codes->text == "any") {
      for (std::int64_t code = 0; code <= 255; ++code) spec.expect.exit_codes.push_back(code);
    } else if (codes->is_list()) {
      for (const Node& item : codes->items)
        if (const auto code = int_of(item, "an exit code", 0, 255))
          spec.expect.exit_codes.push_back(*code);
    } else if (const auto code = int_of(*codes, "'exit_code' (or the word any)", 0, 255)) {
      spec.expect.exit_codes = {*code};
    }
    if (codes->is_list() && codes->items.empty())
      reporter_.error(codes->place, "expect", "no exit code would be right; write at least one");
  }
  const auto texts = [&](std::string_view key) -> std::vector<std::string> {
    const Node* value = node.find(key);
    if (value == nullptr) return {};
    if (value->is_scalar()) return {value->text};
    return names_of(*value, "'" + std::string(key) + "'");
  };
  spec.expect.log_contains = texts("log_contains");
  spec.expect.log_lacks = texts("log_lacks");
  spec.expect.files = texts("files");
}

void DefinitionReader::read_parse(const Node& node, InvokeSpec& spec) {
  const Node* parse = node.find("parse");
  if (parse == nullptr || !expect_map(*parse, "'parse'")) return;
  const cel::Field* values = spec.signature.result.field("values");
  if (values == nullptr) {
    reporter_.error(node.entry("parse")->place, "parse",
                    "job '" + spec.signature.name +
                        "' has a result of its own and takes no 'parse'; only kinds with "
                        "result.values do");
    return;
  }
  for (const Entry& entry : parse->entries) {
    ParseRule rule;
    rule.name = entry.key;
    rule.type = cel::Type::string();
    if (!expect_map(entry.value, "a parse rule")) continue;
    check_keys(entry.value, keys_of("parse_rule"), "a parse rule");
    if (const Node* type_node = entry.value.find("type")) {
      if (auto type = type_of(*type_node)) rule.type = *std::move(type);
      const auto kind = rule.type.kind();
      if (kind != cel::Type::Kind::floating && kind != cel::Type::Kind::integer &&
          kind != cel::Type::Kind::string)
        reporter_.error(
            type_node->place, "parse",
            "a parsed value is double, int or string, not " + cel::to_string(rule.type));
    }
    const Node* regex = entry.value.find("regex");
    const Node* pointer = entry.value.find("pointer");
    if ((regex == nullptr) == (pointer == nullptr)) {
      reporter_.error(entry.place, "parse",
                      "a parse rule has either 'regex' or 'pointer' (and 'file')");
      continue;
    }
    rule.file = text_or(entry.value, "file", "");
    if (regex != nullptr) {
      rule.regex = text_of(*regex, "'regex'").value_or("");
      if (auto compiled = cel::compile_regex(rule.regex); !compiled)
        reporter_.error(regex->place, "parse", compiled.error().message);
      else if (capture_groups(rule.regex) == 0)
        reporter_.error(regex->place, "parse",
                        "the regular expression captures nothing; put the value in (parentheses)");
      if (!rule.file.empty())
        reporter_.error(entry.value.entry("file")->place, "parse",
                        "'file' goes with 'pointer'; regular expressions read the output");
    } else {
      rule.pointer = text_of(*pointer, "'pointer'").value_or("");
      if (!rule.pointer.starts_with('/'))
        reporter_.error(pointer->place, "parse",
                        "a JSON pointer begins with '/', as in /metrics/latency_us");
    }
    spec.parse.push_back(std::move(rule));
  }
}

}  // namespace checkride::loader
