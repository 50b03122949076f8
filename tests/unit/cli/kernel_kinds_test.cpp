// GPU jobs as kinds: what is run for an attempt, and what is made of how it ends.
#include <catch2/catch.hpp>

#include <algorithm>
#include <boost/json/array.hpp>

#include "cli/kernels/kinds.h"
#include "engine/ports/job_kind.h"

namespace checkride::cli {
namespace {

const JobKind& kind(const char* name) {
  static const JobCatalog catalog = all_jobs("/opt/checkride");
  const JobKind* const found = catalog.find(name);
  REQUIRE(found);
  return *found;
}

JobOutcome ended(const char* name, std::string output) {
  ProcessEnd end;
  end.exit_code = 0;
  end.stdout_tail = std::move(output);
  return kind(name).finish({}, end);
}

TEST_CASE("a GPU job without a limit of the attempt keeps its own") {
  JobSpec spec;
  const auto unlimited = [&] {
    const auto command = kind("device.query").command(spec, {});
    REQUIRE(command);
    REQUIRE(*command);
    const std::vector<std::string>& words = (*command)->argv;
    const auto found = std::ranges::find(words, "--timeout");
    return found != words.end() && *std::next(found) == "0";
  };
  CHECK_FALSE(unlimited());
  spec.limits.run_timeout = std::chrono::minutes(5);
  CHECK(unlimited());
}

TEST_CASE("no end of a GPU job but its report is a result") {
  CHECK(ended("device.query", "").failure == FailureClass::code);
  CHECK(ended("device.query", "[]").failure == FailureClass::code);
  const JobOutcome large = ended("device.query", std::string(64 << 10, ' '));
  CHECK_FALSE(large.completed);
  CHECK(large.message.find("larger than the 64 KiB") != std::string::npos);
  // pass, and most fields missing
  const JobOutcome bare = ended("device.query", R"({"status": "pass"})");
  CHECK_FALSE(bare.completed);
  CHECK(bare.message.find("not of its type") != std::string::npos);
  // By hand it is told at once, not first by a procedure.
  const cel::Type& type = kind("device.query").signature().result;
  const auto report = held_to_type({{"status", "pass"}, {"reasons", {}}, {"message", ""}}, type);
  CHECK(report.at("status") == "error");
  CHECK(report.at("reasons") == kernels::json::array{"wrong_type"});
  CHECK(report.at("message").as_string().find("missing; expected") != std::string::npos);
  const kernels::json::object none = {{"status", "unavailable"}, {"reasons", {"no_driver"}}};
  CHECK(held_to_type(none, type) == none);
  struct Row {
    const char* status;
    const char* reason;
    FailureClass failure;
  };
  for (const Row& row :
       {Row{"unavailable", "unavailable", FailureClass::unavailable},
        Row{"skipped", "not_asked", FailureClass::unavailable},
        Row{"error", "timeout", FailureClass::timeout},
        Row{"error", "out_of_memory", FailureClass::resource},
        Row{"error", "device_fault", FailureClass::infra},
        Row{"error", "killed", FailureClass::infra}, Row{"error", "crashed", FailureClass::code},
        Row{"error", "invalid_input", FailureClass::code}, Row{"passed", "", FailureClass::code}}) {
    INFO(row.status << " " << row.reason);
    const JobOutcome outcome =
        ended("device.query", std::string(R"({"message": "m", "status": ")") + row.status +
                                  R"(", "reasons": [")" + row.reason + "\"]}");
    CHECK_FALSE(outcome.completed);
    CHECK(outcome.failure == row.failure);
  }
  ProcessEnd killed;
  killed.signal = 9;
  CHECK(kind("device.query").finish({}, killed).failure == FailureClass::infra);
}

}  // namespace
}  // namespace checkride::cli
