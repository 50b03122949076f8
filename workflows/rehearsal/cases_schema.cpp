// The shape of a document of cases for editors; read_cases.cpp and script_reader.cpp read it.
#include "workflows/rehearsal/cases.h"

namespace checkride::rehearsal {

std::string cases_schema() {
  return R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "checkride rehearsal cases",
  "description": "Scripted outcomes for `checkride test` and `checkride run --rehearse`.",
  "type": "object",
  "required": ["rehearsal"],
  "if": {"required": ["cases"]},
  "then": {
    "properties": {
      "rehearsal": {"const": 1, "description": "Version of this language."},
      "workflow": {"type": "string", "description": "The definition's name; checked."},
      "params": {"type": "object", "description": "Of every case, unless its own say otherwise."},
      "usual": {
        "type": "object",
        "description": "What holds wherever a case says nothing else.",
        "properties": {
          "outcomes": {"$ref": "#/$defs/outcomes"},
          "probes": {"$ref": "#/$defs/outcomes"},
          "undo": {"$ref": "#/$defs/outcomes"},
          "incidents": {"$ref": "#/$defs/resolutions"},
          "signals": {"$ref": "#/$defs/signals"}
        },
        "additionalProperties": false
      },
      "cases": {
        "type": "array",
        "minItems": 1,
        "maxItems": 1000,
        "items": {"allOf": [{"$ref": "#/$defs/case"}, {"required": ["name"]}],
          "properties": {"rehearsal": false, "workflow": false}}
      }
    },
    "additionalProperties": false
  },
  "else": {"$ref": "#/$defs/case"},
  "$defs": {
    "duration": {"type": ["string", "integer"], "pattern": "^([0-9]+(ms|us|ns|s|m|h|d))+$",
      "description": "Virtual time such as `90s`, `40m` or `1h30m`."},
    "case": {
      "type": "object",
      "properties": {
        "rehearsal": {"const": 1},
        "workflow": {"type": "string"},
        "name": {"type": "string", "description": "Unique in the document."},
        "params": {"type": "object", "description": "Laid over those of the document."},
        "clock": {"type": "string", "description": "Virtual time of the start, `2026-01-31T08:00:00Z`."},
        "outcomes": {"$ref": "#/$defs/outcomes"},
        "probes": {"$ref": "#/$defs/outcomes"},
        "undo": {"$ref": "#/$defs/outcomes"},
        "incidents": {"$ref": "#/$defs/resolutions"},
        "signals": {"$ref": "#/$defs/signals"},
        "pause": {"$ref": "#/$defs/pauses"},
        "cancel": {"$ref": "#/$defs/end", "required": ["in"]},
        "rollback": {"$ref": "#/$defs/end"},
        "expect": {"allOf": [{"$ref": "#/$defs/expectation"}]}
      },
      "additionalProperties": false
    },
    "outcomes": {
      "type": ["object", "null"],
      "description": "By state: how its job, gate or machine ends. One outcome holds every time, a list is used one after the other.",
      "additionalProperties": {
        "oneOf": [
          {"$ref": "#/$defs/outcome"},
          {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/outcome"}}
        ]
      }
    },
    "outcome": {
      "oneOf": [
        {"type": "string", "description": "`wait`, `usual`, or the answer of a gate."},
        {"$ref": "#/$defs/job_outcome"},
        {"$ref": "#/$defs/answer"},
        {"$ref": "#/$defs/children"}
      ]
    },
    "job_outcome": {
      "type": "object",
      "properties": {
        "result": {"type": "object", "description": "A result of the kind's type."},
        "but": {"type": "object", "description": "The usual result with some fields in another way."},
        "status": {"enum": ["pass", "fail", "error", "unavailable", "skipped"]},
        "error": {
          "type": "object",
          "properties": {
            "class": {"enum": ["code", "infra", "flaky", "resource", "timeout", "lost", "unavailable"]},
            "message": {"type": "string"},
            "status": {"enum": ["pass", "fail", "error", "unavailable", "skipped"]},
            "exit_code": {"type": "integer"}
          },
          "required": ["class"],
          "additionalProperties": false
        },
        "unknown": {"type": "string", "description": "Why its end cannot be told."},
        "timeout": {"enum": ["queue", "start", "run", "silence"], "description": "The limit that ends the attempt."},
        "lease": {
          "description": "How long the attempt waits for what it needs; `refused` where the store lacks it; `never`.",
          "anyOf": [{"enum": ["refused", "never"]}, {"$ref": "#/$defs/duration"}]
        },
        "takes": {"$ref": "#/$defs/duration"}
      },
      "anyOf": [
        {"required": ["result"]}, {"required": ["but"]}, {"required": ["error"]},
        {"required": ["unknown"]}, {"required": ["timeout"]}, {"required": ["lease"]}
      ],
      "additionalProperties": false
    },
    "answer": {
      "type": "object",
      "properties": {
        "approve": {"type": ["string", "null"]},
        "reject": {"type": "string"},
        "waive": {"type": "string"},
        "choose": {"type": "string", "description": "One of the gate's options."},
        "why": {"type": "string"},
        "by": {"type": "string"},
        "takes": {"$ref": "#/$defs/duration"}
      },
      "oneOf": [
        {"required": ["approve"]}, {"required": ["reject"]}, {"required": ["waive"]}, {"required": ["choose"]}
      ],
      "additionalProperties": false
    },
    "children": {
      "type": "object",
      "description": "For all children of a machine's state, and by element for some.",
      "properties": {
        "outcomes": {"$ref": "#/$defs/outcomes"},
        "probes": {"$ref": "#/$defs/outcomes"},
        "incidents": {"$ref": "#/$defs/resolutions"},
        "signals": {"$ref": "#/$defs/signals"},
        "items": {
          "type": "object",
          "additionalProperties": {
            "type": "object",
            "properties": {
              "outcomes": {"$ref": "#/$defs/outcomes"},
              "probes": {"$ref": "#/$defs/outcomes"},
              "incidents": {"$ref": "#/$defs/resolutions"},
              "signals": {"$ref": "#/$defs/signals"}
            },
            "additionalProperties": false
          }
        }
      },
      "additionalProperties": false
    },
    "resolution": {
      "oneOf": [
        {"const": "wait"},
        {
          "type": "object",
          "properties": {
            "retry": {"type": "string"},
            "give-up": {"type": "string"},
            "started": {"type": "string"},
            "lost": {"type": "string"},
            "goto": {"type": "string", "description": "A state."},
            "why": {"type": "string"},
            "by": {"type": "string"}
          },
          "oneOf": [
            {"required": ["retry"]}, {"required": ["give-up"]}, {"required": ["started"]},
            {"required": ["lost"]}, {"required": ["goto", "why"]}
          ],
          "additionalProperties": false
        }
      ]
    },
    "resolutions": {
      "description": "How incidents are resolved, in the order they are raised.",
      "oneOf": [
        {"$ref": "#/$defs/resolution"},
        {"type": "array", "items": {"$ref": "#/$defs/resolution"}}
      ]
    },
    "signal": {
      "type": "object",
      "properties": {
        "signal": {"type": "string", "description": "A message the workflow declares."},
        "data": {"description": "Of the message's type."},
        "in": {"type": "string", "description": "A state: said as soon as it is active. Absent: at the start."},
        "after": {"$ref": "#/$defs/duration"},
        "why": {"type": "string"},
        "by": {"type": "string"}
      },
      "required": ["signal"],
      "additionalProperties": false
    },
    "signals": {
      "description": "Messages that the run gets.",
      "oneOf": [{"$ref": "#/$defs/signal"}, {"type": "array", "items": {"$ref": "#/$defs/signal"}}]
    },
    "pause": {
      "type": "object",
      "properties": {
        "in": {"type": "string", "description": "A state: paused as soon as it is active. Absent: at the start."},
        "after": {"$ref": "#/$defs/duration"},
        "for": {"$ref": "#/$defs/duration", "description": "Until it is resumed; absent: for good."},
        "why": {"type": "string"},
        "by": {"type": "string"}
      },
      "additionalProperties": false
    },
    "pauses": {
      "description": "The whole tree stands still.",
      "oneOf": [{"$ref": "#/$defs/pause"}, {"type": "array", "items": {"$ref": "#/$defs/pause"}}]
    },
    "end": {
      "type": "object",
      "properties": {
        "in": {"type": "string", "description": "As soon as this state is active."},
        "why": {"type": "string"},
        "by": {"type": "string"}
      },
      "additionalProperties": false
    },
    "expectation": {
      "type": "object",
      "properties": {
        "outcome": {"enum": ["succeeded", "failed", "cancelled", "rolled-back", "incomplete", "waiting"]},
        "exit_code": {"type": "integer"},
        "visits": {"type": "array", "items": {"type": "string"}, "description": "States entered in this order, others between them."},
        "avoids": {"type": "array", "items": {"type": "string"}, "description": "States never entered."},
        "verdicts": {"type": "object", "additionalProperties": {"type": "string"}},
        "data": {"type": "object"},
        "incidents": {
          "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
          "description": "Kinds raised, in this order."
        },
        "report": {
          "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
          "description": "Texts that lines of the report hold."
        },
        "children": {
          "type": "object",
          "additionalProperties": {"type": "object", "additionalProperties": {"$ref": "#/$defs/expectation"}}
        }
      },
      "additionalProperties": false
    }
  }
}
)json";
}

}  // namespace checkride::rehearsal
