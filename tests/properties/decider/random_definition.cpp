#include "tests/properties/decider/random_run.h"

namespace checkride::test {

namespace {

class Writer {
 public:
  explicit Writer(Dice& dice) : dice_(dice), steps_(2 + dice.below(4)), messages_(dice.one_in(2)) {}

  std::string write() {
    const bool events = dice_.one_in(3);
    if (events) text_ += "errors: event\n";
    if (messages_) text_ += "messages: {poke: {type: int, ttl: 30s}, nod: {}}\n";
    text_ += R"(params: {items: {type: list<int>, default: [1, 2, 3]}}
data: {n: {type: int, default: 0}}
machines:
  child:
    params: {item: int}
    states:
      work: {invoke: {job: work}, on: {done: end, error: bad}}
      end: {type: final}
      bad: {type: final, outcome: failed}
)";
    if (events) text_ += "on: {error.execution: bad}\n";
    text_ += "states:\n";
    for (std::uint64_t i = 0; i < steps_; ++i) step("s" + std::to_string(i));
    text_ += "  end: {type: final}\n  bad: {type: final, outcome: failed}\n";
    text_ += "  back: {type: final, outcome: rolled-back}\n";
    return text_;
  }

 private:
  std::string target() {
    if (dice_.one_in(15)) return dice_.of(std::vector<std::string>{"end", "bad", "back"});
    return "s" + std::to_string(dice_.below(steps_));
  }

  std::string job() {
    const std::string retry =
        dice_.one_in(2) ? ", retry: {infra: {max: 2, backoff: 1s, jitter: 0.3}}" : "";
    const std::string waits = dice_.of(std::vector<std::string>{
        "", "", "", ", needs: {gpu: 1}",
        ", needs: {gpu: 2, exclusive: true}, timeout: {queue: 20s}",
        ", needs: {gpu: 1, port: 1}, timeout: {queue: 5s}", ", timeout: {queue: 7s}"});
    const std::string retry_and_waits = retry + waits;
    const std::string with = dice_.one_in(3) ? ", with: {n: \"${12 / (data.n % 4 + 1)}\"}" : "";
    switch (dice_.below(3)) {
      case 0: return "{job: work" + with + retry_and_waits + "}";
      case 1: return "{job: safe" + with + retry_and_waits + "}";
      default: return "{job: probed, probe: {job: look}" + with + retry_and_waits + "}";
    }
  }

  // The last two fail for some values of n.
  std::string actions() {
    return dice_.of(std::vector<std::string>{
        "", "", ", actions: [{assign: {n: data.n + 1}}]", ", actions: [{raise: nudge}]",
        ", actions: [{send: {event: nudge, delay: 3s}}, {assign: {n: data.n + 2}}]",
        ", actions: [{send: {event: nudge}}]",
        ", actions: [{assign: {n: 10 / (data.n % 5) + 1}}]"});
  }
  std::string done(const std::string& indent) {
    std::string text;
    if (dice_.one_in(2))
      text += indent + "  - {guard: " +
              dice_.of(std::vector<std::string>{"result.n % 2 == 0", "10 / result.n > 3",
                                                "data.n < 3", "In('s0')"}) +
              ", target: " + target() + actions() + "}\n";
    return text + indent + "  - {target: " + target() + actions() + "}\n";
  }

  void step(const std::string& id) {
    text_ += "  " + id + ":\n    budget: " + std::to_string(1 + dice_.below(5)) +
             "\n    exhausted: " + dice_.of(std::vector<std::string>{"bad", "incident"}) + "\n";
    const bool reports = dice_.one_in(3);
    if (reports) text_ += "    title: Step " + id + "\n    optional: true\n";
    if (dice_.one_in(4)) text_ += "    after: {10s: " + target() + "}\n";
    if (messages_ && dice_.one_in(4)) {
      text_ += "    on: {message.nod: " + target() + ", message.poke: {guard: event.data > 2, " +
               "target: " + target() + "}}\n";
      return;
    }
    switch (dice_.below(5)) {
      case 0:
        text_ +=
            "    invoke: {job: gate, options: [other], with: {question: q}, reminder: 1h, "
            "expiry: {after: 5h, answer: other}}\n    on:\n      answer.approve: " +
            target() + "\n      answer: " + target() + "\n";
        break;
      case 1: regions(id); break;
      case 2: children(); break;
      default:
        text_ += "    invoke: " + job() + "\n";
        if (dice_.one_in(2)) text_ += "    undo: {job: safe}\n";
        text_ +=
            "    on:\n      done:\n" + done("      ") + "      error: " + target() + "\n" +
            (dice_.one_in(2) ? "      nudge: " + target() + "\n" : "") +
            (messages_ && dice_.one_in(2)
                 ? "      message.poke: {guard: event.data % 2 == 0, target: " + target() + "}\n"
                 : "");
    }
  }

  void children() {
    const std::string join =
        dice_.of(std::vector<std::string>{"all", "any", "first_failure", "n, join_count: 2"});
    text_ +=
        "    invoke: {machine: child, each: \"${params.items.filter(i, i > data.n)}\", as: "
        "item, concurrency: " +
        std::to_string(1 + dice_.below(3)) + ", join: " + join + "}\n    on: {done: " + target() +
        ", error: " + target() + "}\n";
  }

  void regions(const std::string& id) {
    text_ += "    type: parallel\n    on: {done: " + target() + "}\n    states:\n";
    for (int i = 0; i < 2; ++i) {
      const std::string region = id + "_" + std::to_string(i);
      text_ += "      " + region + ":\n        states:\n          " + region + "a:\n" +
               "            invoke: " + job() + "\n            on: {done: " + region +
               "b, error: " + (dice_.one_in(4) ? target() : region + "b") + "}\n          " +
               region + "b: {type: final}\n";
    }
  }

  Dice& dice_;
  std::uint64_t steps_;
  bool messages_;
  std::string text_;
};

}  // namespace

std::string random_document(Dice& dice) {
  return Writer(dice).write();
}

}  // namespace checkride::test
