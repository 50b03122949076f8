// Events <-> the struct that store/schema/event.capnp has for their type.
//
// Types are numbered on disk by schema::EventType and each has a version. Today every type has
// version
// 1. When the meaning of one changes, its struct or its version gets a successor, and the reader of
// the old version (an upcaster: pure, from old bytes to today's event) goes into read_body().
#pragma once

#include <span>

#include "engine/decider/event.h"
#include "store/codec/fields.h"
#include "store/schema/event.capnp.h"

namespace checkride::codec {

inline constexpr std::uint16_t event_version = 1;

schema::EventType type_of(const Event& event);
// "JobFinished", or "event type 77" for a number this build does not know.
std::string type_name(std::uint16_t type);

// What states keep of events, too.
void write(schema::StateHistory::Builder to,
           const std::pair<statechart::StateIndex, std::vector<statechart::StateIndex>>& history,
           Trouble& trouble);
void read(schema::StateHistory::Reader from,
          std::pair<statechart::StateIndex, std::vector<statechart::StateIndex>>& history,
          Trouble& trouble);
void write(schema::StateCount::Builder to,
           const std::pair<statechart::StateIndex, std::uint32_t>& count, Trouble& trouble);
void read(schema::StateCount::Reader from, std::pair<statechart::StateIndex, std::uint32_t>& count,
          Trouble& trouble);
void write(schema::QueuedEvent::Builder to, const QueuedEvent& queued, Trouble& trouble);
void read(schema::QueuedEvent::Reader from, QueuedEvent& queued, Trouble& trouble);
void write(schema::JobIntended::Builder to, const JobIntended& event, Trouble& trouble);
void read(schema::JobIntended::Reader from, JobIntended& event, Trouble& trouble);

// The root of a body message becomes the event's struct.
void write_body(capnp::MessageBuilder& message, const Event& event, Trouble& trouble);
// The type decides what the root is read as.
void read_body(capnp::MessageReader& message, std::uint16_t type, std::uint16_t version,
               Event& event, Trouble& trouble);

}  // namespace checkride::codec
