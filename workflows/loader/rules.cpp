#include "workflows/loader/rules.h"

#include <algorithm>

namespace checkride::loader {
namespace {

constexpr Rule rules[] = {
    // The document.
    {"yaml", "error",
     "The text is no YAML, or YAML that the language does without: anchors, aliases, tags, merge "
     "keys, a key twice, a second document, over 64 levels, over 1 MiB, control characters."},
    {"shape", "error",
     "A value is not what belongs there: a map, a list, text, one of some words."},
    {"missing-key", "error", "A key that must be there is not."},
    {"unknown-key", "error", "A key that this map does not have."},
    {"unsupported", "error", "A part of the language that this program does not have."},
    {"name", "error", "A name or an id with characters that names do not have."},
    {"duplicate-state", "error", "Two states have the same id."},
    {"too-many", "error",
     "Over 10,000 states or 100 machines; or over 200 findings, of which the rest is left out."},
    {"chart", "error",
     "The states and transitions are no statechart, such as two targets that cannot be active "
     "together."},
    // Names that lead nowhere.
    {"unknown-state", "error", "A target that is no state."},
    {"unknown-kind", "error", "A kind of job that this program does not have."},
    {"unknown-machine", "error", "A machine that is not there, has errors, or invokes itself."},
    {"unknown-field", "error", "An input, param or data field that is not there."},
    {"missing-input", "error", "An input that a job or machine needs is not given."},
    {"unknown-send", "warning", "`cancel` names a `send` that is not there."},
    {"event-name", "error",
     "No event descriptor; or an event that cannot come here, or that only the engine raises."},
    {"event-never-raised", "warning", "A transition listens to an event that nothing raises."},
    {"unknown-message", "error", "A transition listens to a message that is not declared."},
    {"unused-message", "warning", "A message is declared, and nothing listens to it."},
    {"needs", "error", "Resources that cannot be leased so, or not there."},
    {"event-unheard", "warning", "An action raises or sends an event that nothing listens to."},
    // Expressions and values.
    {"expression", "error",
     "CEL that does not compile: syntax, unknown names, wrong types, a named time zone."},
    {"type", "error", "A value or expression of another type than the one wanted."},
    {"duration", "error", "No duration such as `30s` or `1h30m`."},
    {"script-interpolation", "error", "A script holds `${...}` where it should read `$NAME`."},
    {"result-before-job", "error or warning",
     "`jobs.STATE` is read where no path can have led through that state; a warning where the "
     "expression may do without it."},
    // Invocations.
    {"repeat", "error", "`repeat` or `retry` promises more than the kind allows."},
    {"no-probe", "error or warning",
     "`repeat: probe` and `probe` do not go together; a warning for a script that says nothing "
     "about being repeated."},
    {"expect", "error", "An expectation that cannot hold."},
    {"parse", "error", "A rule under `parse` that finds nothing, or stands at the wrong kind."},
    {"gate", "error or warning",
     "An answer that the gate does not have, or names twice, or over 100 of them; a warning for a "
     "reminder after the end."},
    {"gate-unanswerable", "error",
     "Nobody can end the gate: `who` is empty, it expires at once, or nothing handles an answer."},
    {"gate-unsigned", "error",
     "`quorum`, `signed` and `not_author` would count signed answers, and answers are not "
     "signed."},
    {"missing-answer", "error", "A person may give an answer that nothing handles for certain."},
    {"undo", "error", "`undo` where there is nothing to undo, or in a machine."},
    {"no-done-handler", "error", "Nothing handles `done` of an invocation."},
    {"no-error-handler", "error", "Nothing handles `error` of an invocation."},
    // Paths.
    {"unreachable", "warning", "No transition leads to the state; nothing invokes the machine."},
    {"unreachable-branch", "warning", "A branch behind one that has no guard."},
    {"dead-end", "error",
     "A state that can never be left and is not final, or that is done and leads nowhere."},
    {"missing-fallback", "error", "When no guard holds, the run would stay where it is for ever."},
    {"loop-without-budget", "error", "States that can repeat without end."},
    {"budget", "error", "`budget` and `exhausted` do not go together."},
    {"history", "error", "A history state without a `target`."},
    // The report.
    {"verdict", "error or warning",
     "A verdict, note or `optional` where there is no line of the report."},
    {"no-verdict", "error", "A required line of the report that nothing ticks."},
};

}  // namespace

std::span<const Rule> lint_rules() {
  return rules;
}

const Rule* find_rule(std::string_view id) {
  const auto* found = std::find_if(std::begin(rules), std::end(rules),
                                   [&](const Rule& rule) { return rule.id == id; });
  return found == std::end(rules) ? nullptr : found;
}

}  // namespace checkride::loader
