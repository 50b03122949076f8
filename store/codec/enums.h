// The enumerations of the log: the same numbers on disk and in memory. read_enum() refuses numbers
// this build does not know, which is how an older program notices a newer store.
#pragma once

#include "engine/decider/state.h"
#include "store/codec/fields.h"
#include "store/schema/command.capnp.h"
#include "store/schema/event.capnp.h"
#include "store/schema/job.capnp.h"
#include "store/schema/state.capnp.h"

namespace checkride::codec {

// How many alternatives an enumeration has; the assertions below tie it to the schema.
template <class InMemory>
inline constexpr std::uint16_t alternatives = 0;

// CR_SAME_ENUM(InMemory, last, OnDisk, LAST)
#define CR_SAME_ENUM(in_memory, last, on_disk, last_on_disk)   \
  static_assert(static_cast<unsigned>(in_memory::last) ==      \
                static_cast<unsigned>(on_disk::last_on_disk)); \
  template <>                                                  \
  inline constexpr std::uint16_t alternatives<in_memory> =     \
      static_cast<std::uint16_t>(static_cast<unsigned>(in_memory::last) + 1)

CR_SAME_ENUM(cel::Type::Kind, error, schema::TypeKind, ERROR);
CR_SAME_ENUM(JobStatus, skipped, schema::JobStatus, SKIPPED);
CR_SAME_ENUM(FailureClass, unavailable, schema::FailureClass, UNAVAILABLE);
CR_SAME_ENUM(Actor::Kind, claimed, schema::Actor::Kind, CLAIMED);
CR_SAME_ENUM(ResolveIncident::How, give_up, schema::ResolveIncident::How, GIVE_UP);
CR_SAME_ENUM(RejectionCode, not_paused, schema::RejectionCode, NOT_PAUSED);
CR_SAME_ENUM(Verdict, interrupted, schema::Verdict, INTERRUPTED);
CR_SAME_ENUM(JobPurpose, undo, schema::JobPurpose, UNDO);
CR_SAME_ENUM(JobSignature::Performer, person, schema::Performer, PERSON);
CR_SAME_ENUM(TimerPurpose, message_expiry, schema::TimerPurpose, MESSAGE_EXPIRY);
CR_SAME_ENUM(TimeLimit, silence, schema::TimeLimit, SILENCE);
CR_SAME_ENUM(IncidentKind, kind_missing, schema::IncidentKind, KIND_MISSING);
CR_SAME_ENUM(RunOutcome, incomplete, schema::RunOutcome, INCOMPLETE);
CR_SAME_ENUM(JobPhase, unknown, schema::JobPhase, UNKNOWN);
CR_SAME_ENUM(RunMode, finished, schema::RunMode, FINISHED);
#undef CR_SAME_ENUM

template <class OnDisk, class InMemory>
void read_enum(OnDisk from, InMemory& to, Trouble& trouble) {
  static_assert(alternatives<InMemory> > 0);
  const auto number = static_cast<std::uint16_t>(from);
  if (number >= alternatives<InMemory>)
    return trouble.note("it holds an alternative that this version does not know");
  to = static_cast<InMemory>(number);
}

}  // namespace checkride::codec
