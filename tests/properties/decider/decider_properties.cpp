#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>

#include "tests/properties/decider/random_run.h"
#include "workflows/loader/load.h"

namespace checkride {
namespace {

using namespace test;

constexpr std::uint64_t seeds = 1200;
constexpr int steps_max = 120;
constexpr int ending_steps_max = 400;

std::shared_ptr<const Definition> load_random(const std::string& text) {
  LoadOptions options;
  options.signatures = fake_kinds();
  return load_definition(text, "random.yaml", options).definition;
}

// One random history; sentences about what went wrong, with the commands that led there.
class History {
 public:
  History(std::uint64_t seed, std::shared_ptr<const Definition> definition)
      : dice_(seed ^ 0x9E3779B97F4A7C15ULL), definition_(std::move(definition)) {}

  // Kinds of events that it saw are added to `seen`.
  std::string run(std::set<std::string>& seen) {
    StartRun start;
    start.definition = definition_->hash;
    start.root = RunId("r");
    step(start);
    for (int i = 0; i < steps_max && broken_.empty() && !state_.finished(); ++i)
      step(random_command(dice_, state_, *definition_));
    for (int i = 0; i < ending_steps_max && broken_.empty() && !state_.finished(); ++i)
      step(ending_command(state_, *definition_));
    if (broken_.empty() && !state_.finished()) broken_ = "the run cannot be brought to an end";
    if (broken_.empty() && dice_.one_in(2)) step(RollbackRun{"after all"});
    for (int i = 0; i < ending_steps_max && broken_.empty() && !state_.finished(); ++i)
      step(ending_command(state_, *definition_));
    if (broken_.empty() && !state_.finished()) broken_ = "the rollback cannot be brought to an end";
    if (broken_.empty()) fold_again();
    for (const Record& record : records_)
      for (const Event& event : record.events) seen.emplace(event_name(event));
    return broken_.empty() ? "" : broken_ + " after\n" + log_;
  }

 private:
  void step(CommandBody body) {
    Command command;
    command.id = CommandId("c" + std::to_string(records_.size() + 1));
    command.run = RunId("r");
    command.actor = Actor{Actor::Kind::local, "ada"};
    command.time = Timestamp{1'700'000'000'000'000'000 +
                             static_cast<std::int64_t>(records_.size()) * 1'000'000'000};
    command.body = std::move(body);
    command.offer = random_offer(dice_, state_);
    const Decision decision = decide(state_, *definition_, command);
    log_ += std::string(command_name(command.body)) + " -> " + names(decision) + "\n";
    for (const std::string& law : broken_laws(state_, *definition_, command, decision))
      broken_ += (broken_.empty() ? "" : "; ") + law;
    records_.push_back(to_record(decision, command, "test"));
    state_ = decision.next;
  }

  // A snapshot anywhere and the records after it give the same state as all records.
  void fold_again() {
    const std::size_t cut = dice_.below(records_.size());
    RunState snapshot;
    for (std::size_t i = 0; i < cut; ++i) evolve(snapshot, records_[i]);
    RunState whole = snapshot;
    for (std::size_t i = cut; i < records_.size(); ++i) evolve(whole, records_[i]);
    if (whole != state_) broken_ = "the records fold to another state";
    for (std::size_t i = 1; i < records_.size(); ++i)
      if (records_[i].first != records_[i - 1].last().next()) broken_ = "sequences have a gap";
  }

  Dice dice_;
  std::shared_ptr<const Definition> definition_;
  RunState state_;
  std::vector<Record> records_;
  std::string log_;
  std::string broken_;
};

TEST_CASE("every random history obeys the laws of the decider and can be brought to an end") {
  const char* chosen = std::getenv("CHECKRIDE_SEED");
  const std::uint64_t first = chosen == nullptr ? 0 : std::strtoull(chosen, nullptr, 10);
  const std::uint64_t last = chosen == nullptr ? seeds : first + 1;
  std::uint64_t loaded = 0;
  std::set<std::string> seen;
  for (std::uint64_t seed = first; seed < last; ++seed) {
    Dice dice(seed);
    const std::string text = "checkride: 1\nworkflow: t\n" + random_document(dice);
    const std::shared_ptr<const Definition> definition = load_random(text);
    if (definition == nullptr) continue;
    ++loaded;
    for (std::uint64_t i = 0; i < 4; ++i) {
      const std::string broken = History(seed * 4 + i, definition).run(seen);
      if (broken.empty()) continue;
      FAIL_CHECK("seed " << seed << ", history " << i << ": " << broken << "\n" << text);
      return;
    }
  }
  if (chosen != nullptr) return;
  // Most documents are good ones, and together the histories see every event but the store's own.
  CHECK(loaded > seeds / 2);
  CHECK(seen.size() == std::variant_size_v<Event> - 1);
}

}  // namespace
}  // namespace checkride
