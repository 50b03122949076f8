// The procedure the tests of the verbs play: a check with guards, a gate, a sequence of children, a
// secret parameter.
#pragma once

namespace checkride::cli {

inline constexpr const char* procedure = R"(checkride: 1
workflow: demo
title: "Demo of ${params.repo}"
params:
  repo: {type: path}
  key: {type: string, default: "", secret: true}
  limit: {type: int, default: 2}
  patches: {type: list<string>, default: [one, two, three]}
data:
  seen: {type: int, default: 0}
initial: preflight
states:
  preflight:
    section: A. Pre-flight
    initial: clean
    on: {done: reapply}
    states:
      clean:
        title: "`git status` clean"
        invoke:
          job: check
          with: {what: "${params.repo}", key: "${params.key}"}
          retry: {infra: {max: 1, backoff: 5s}}
        on:
          done:
            - guard: result.ok && result.count <= params.limit && result.files.all(f, f != 'core')
              target: done_a
              actions: [{assign: {seen: result.count}}]
              note: "${result.count} files"
            - {target: ask, verdict: warned, note: "${result.count} files are in the way"}
          error: {target: aborted, note: "${error.message}"}
      ask:
        invoke:
          job: gate
          options: [stash]
          with: {question: "Go on with files in the way?", evidence: "${jobs.clean.files}"}
        on:
          answer.approve: done_a
          answer.stash: clean
          answer: aborted
      done_a: {type: final}
  reapply:
    section: C. Patches
    invoke:
      machine: apply
      each: "${params.patches}"
      as: patch
      with: {key: "${params.key}"}
    on:
      done: sign_off
      error: aborted
  sign_off:
    section: H. Sign-off
    title: "Code review"
    invoke:
      job: gate
      with: {question: "Reviewed?"}
    on:
      answer.approve: {target: finished, note: "by ${result.actor}"}
      answer: {target: aborted, note: "${result.reason}"}
  finished: {type: final, outcome: succeeded}
  aborted: {type: final, outcome: failed}
machines:
  apply:
    title: "Patch ${params.patch}"
    params:
      patch: {type: string}
      key: {type: string}
    initial: apply_it
    states:
      apply_it:
        title: "Applied"
        invoke: {job: check, with: {what: "${params.patch}", key: "${params.key}"}}
        on:
          done:
            - {guard: result.ok, target: good, note: "${result.count} points"}
            - {target: merge, verdict: failed, note: conflict}
          error: {target: bad, note: "${error.message}"}
      merge:
        title: "Merged by hand"
        optional: true
        invoke:
          job: gate
          with: {question: "Resolve the conflict of ${params.patch}, then approve."}
        on:
          answer.approve: apply_it
          answer.waive: {target: good, note: "${result.reason}"}
          answer: bad
      good: {type: final, outcome: succeeded}
      bad: {type: final, outcome: failed}
)";

}  // namespace checkride::cli
