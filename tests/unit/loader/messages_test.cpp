// Messages, needs and the four timeouts as definitions have them.
#include <catch2/catch.hpp>

#include "tests/unit/loader/sample.h"
#include "workflows/loader/canonical.h"

namespace checkride::test {
namespace {

std::string document(std::string_view messages, std::string_view on) {
  return "checkride: 1\nworkflow: w\nmessages:\n" + std::string(messages) +
         "states:\n  s:\n    on:\n" + std::string(on) + "  end: {type: final}\n";
}

std::string found(std::string_view messages, std::string_view on) {
  return findings(load(document(messages, on)));
}

void check_found(const std::string& text, std::string_view part) {
  INFO(text << "--- expected:\n" << part);
  CHECK(text.find(part) != std::string::npos);
}

TEST_CASE("messages have types and times, and states that wait for them alone are no dead ends",
          "[loader]") {
  const auto d = load_good(document(
      "  out: {type: {tag: string, \"urgent?\": bool}, ttl: 2h, title: A release}\n  go:\n",
      "      message.out: {guard: \"event.data.tag != ''\", target: end}\n      message.go: "
      "end\n"));
  REQUIRE(d->messages.size() == 2);
  CHECK(d->messages[0].ttl == std::chrono::hours(2));
  CHECK(cel::to_string(d->messages[0].type) == "{tag: string, urgent?: bool}");
  CHECK(d->messages[1].type.kind() == cel::Type::Kind::null);
  CHECK(d->message("out") == &d->messages[0]);
  CHECK(d->message("in") == nullptr);
}

TEST_CASE("a message that is not declared is an error, with the one that was meant", "[loader]") {
  const std::string text = found("  release: {}\n", "      message.relaese: end\n");
  check_found(text,
              "t.yaml:8:24: error: there is no message 'relaese'; declare it under "
              "'messages'; did you mean 'release'? [unknown-message]");
  check_found(text, "warning: nothing listens to the message 'release'");
}

TEST_CASE("guards of a message are checked against its data", "[loader]") {
  check_found(found("  out: {type: {tag: string}}\n",
                    "      message.out: {guard: event.data.tga == 'x', target: end}\n"),
              "did you mean 'tag'?");
  check_found(
      found("  out: {type: int}\n", "      message.out: {guard: event.data == 'x', target: end}\n"),
      "error: ");
  // Several at once: anything may be in it.
  CHECK(load(document("  a: {type: int}\n  b: {type: string}\n",
                      "      message.a message.b: {guard: event.data == 'x', target: end}\n"))
            .definition != nullptr);
}

TEST_CASE("declarations of messages are checked", "[loader]") {
  const std::string on = "      message.ok: end\n";
  check_found(found("  ok: {}\n  a.b: {}\n", on), "'a.b' is no name for a message");
  check_found(found("  ok: {tpye: int}\n", on), "did you mean 'type'?");
  check_found(found("  ok: {ttl: 0s}\n", on), "'ttl' must be longer than nothing");
  check_found(found("  ok: {type: itn}\n", on), "error: ");
  check_found(found("  ok: {}\n", on + "    entry: [{raise: message.ok}]\n"),
              "messages come from outside, by `checkride signal`");
}

const char* const invocation = R"(checkride: 1
workflow: w
states:
  s:
    invoke:
      job: shell
      repeat: safe
      with: {script: make}
      timeout: {queue: 1h, start: 2m, run: 3h, silence: 4m}
      needs: {gpu: 2, port: 1, exclusive: true}
    on: {done: end, error: end}
  end: {type: final}
)";

TEST_CASE("all timeouts and needs reach the invocation", "[loader]") {
  const auto d = load_good(invocation);
  const InvokeSpec& invoke = *spec_of(*d, "s").invoke;
  CHECK(invoke.limits.queue_timeout == std::chrono::hours(1));
  CHECK(invoke.limits.start_timeout == std::chrono::minutes(2));
  CHECK(invoke.limits.run_timeout == std::chrono::hours(3));
  CHECK(invoke.limits.silence_timeout == std::chrono::minutes(4));
  CHECK(invoke.needs == ResourceNeeds{{{"gpu", 2}, {"port", 1}}, true});
}

TEST_CASE("what is new in the language changes the hash where it is used", "[loader]") {
  const auto hash_without = [](std::string_view part) {
    std::string text = invocation;
    const std::size_t at = text.find(part);
    REQUIRE(at != std::string::npos);
    text.erase(at, part.size());
    return load_good(text)->hash;
  };
  const std::vector<Digest> hashes = {
      load_good(invocation)->hash, hash_without("queue: 1h, "),
      hash_without("start: 2m, "), hash_without(", silence: 4m"),
      hash_without(", port: 1"),   hash_without(", exclusive: true")};
  for (std::size_t i = 0; i < hashes.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) CHECK(hashes[i] != hashes[k]);
}

}  // namespace
}  // namespace checkride::test
