#!/usr/bin/env python3
"""Plants a bug into a copy of an interpreter source, to prove that the random charts find it.

plant.py --list               NAME:FILE of every bug, separated by semicolons
plant.py NAME SOURCE OUTPUT   writes SOURCE with that bug to OUTPUT

A bug is old text that stands in its file exactly once, and the new text; where the source has
changed so that it no longer does, planting fails and the table below wants an update.
"""
import pathlib
import sys

INTERPRETER = "interpreter.cpp"
CHART = "chart.cpp"

# name: (file, old, new)
BUGS = {
    # A parallel state becomes the least common compound ancestor, as in other implementations.
    "parallel-lcca": (
        CHART,
        "    if (!table(ancestor).compound) continue;\n",
        "    if (!table(ancestor).compound && !is_parallel(ancestor)) continue;\n",
    ),
    # An ancestor's transition replaces the one selected by its descendant.
    "preemption-reversed": (
        INTERPRETER,
        "chart_.is_descendant(source, chart_.transition(t2.transition).source);",
        "chart_.is_descendant(chart_.transition(t2.transition).source, source);",
    ),
    # Deep history remembers no more than shallow history.
    "deep-is-shallow": (
        INTERPRETER,
        "return deep ? chart_.table(active).atomic : chart_.table(active).parent == s;",
        "return deep, chart_.table(active).parent == s;",
    ),
    # History is recorded once and never again.
    "history-kept-for-ever": (
        INTERPRETER,
        "state_.history[h] = value;",
        "state_.history.try_emplace(h, value);",
    ),
    # Internal events go before eventless transitions.
    "internal-before-eventless": (
        INTERPRETER,
        "const bool eventless = !filtered_.empty();\n",
        "if (internal_queue_begin_ != internal_queue_.size()) filtered_.clear();\n"
        "    const bool eventless = !filtered_.empty();\n",
    ),
    # The last raised event is taken first.
    "internal-queue-is-a-stack": (
        INTERPRETER,
        "  internal_queue_.push_back(std::move(event));\n",
        "  internal_queue_.insert(internal_queue_.begin() +\n"
        "                             static_cast<std::ptrdiff_t>(internal_queue_begin_),\n"
        "                         std::move(event));\n",
    ),
    # "foo" matches "foobar".
    "prefix-without-dot": (
        CHART,
        "return event_name.size() == descriptor.size() || event_name[descriptor.size()] == '.';",
        "return true;",
    ),
    # done.state of a parallel state is raised by its first region to end.
    "parallel-done-early": (
        INTERPRETER,
        "if (chart_.is_parallel(grandparent) && is_in_final_state(grandparent)) {",
        "if (chart_.is_parallel(grandparent)) {",
    ),
    # A failing guard is just false.
    "failing-guard-is-silent": (
        INTERPRETER,
        "case HostError::execution: raise_error_execution(std::move(verdict.message)); return false;",
        "case HostError::execution: return false;",
    ),
    # A block that fails ends all content of the state, not only itself.
    "failure-ends-all-blocks": (
        INTERPRETER,
        "  for (const ContentIndex content : blocks) execute_content(content, event);\n",
        "  const std::size_t waiting = internal_queue_.size();\n"
        "  for (const ContentIndex content : blocks) {\n"
        "    execute_content(content, event);\n"
        '    if (internal_queue_.size() > waiting && internal_queue_.back().name == "error.execution")\n'
        "      return;\n"
        "  }\n",
    ),
    # The content of an initial transition runs only where one state is entered by default.
    "initial-content-forgotten": (
        INTERPRETER,
        "if (contains(default_entry_, s)) execute_transition_content(*node.initial, event);",
        "if (default_entry_.size() == 1 && contains(default_entry_, s))\n      execute_transition_content(*node.initial, event);",
    ),
    # The exit sets of several transitions are left region by region, not in exit order.
    "exit-order-by-region": (
        INTERPRETER,
        "if (filtered_.size() > 1) std::sort(exited_.begin(), exited_.end(), std::greater<>());",
        "",
    ),
    # An internal transition is always external.
    "internal-is-external": (
        CHART,
        "if (transition.internal && table(source).compound &&",
        "if (transition.internal && table(source).atomic &&",
    ),
    # The bound on microsteps counts one too many.
    "bound-off-by-one": (
        INTERPRETER,
        "if (++microsteps_ > limits_.microsteps_max) {",
        "if (microsteps_++ > limits_.microsteps_max) {",
    ),
    # After a macrostep thrown away its raised events are still there.
    "queue-survives-discard": (
        INTERPRETER,
        "MacrostepEnd Interpreter::abort(MacrostepEnd end, std::string message) {\n"
        "  internal_queue_.clear();\n"
        "  internal_queue_begin_ = 0;\n",
        "MacrostepEnd Interpreter::abort(MacrostepEnd end, std::string message) {\n",
    ),
}


def main():
    if sys.argv[1:] == ["--list"]:
        print(";".join(f"{name}:{bug[0]}" for name, bug in BUGS.items()), end="")
        return 0
    name, source, output = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    file, old, new = BUGS[name]
    text = source.read_text(encoding="utf-8")
    found = text.count(old)
    if source.name != file or found != 1:
        print(
            f"plant.py: the bug '{name}' no longer fits {source}: its text stands there {found} times. "
            "Update the table in plant.py.",
            file=sys.stderr,
        )
        return 1
    output.write_text(text.replace(old, new), encoding="utf-8")
    return 0


sys.exit(main())
