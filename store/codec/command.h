// Commands <-> store/schema/command.capnp.
#pragma once

#include "engine/decider/command.h"
#include "store/codec/fields.h"
#include "store/schema/command.capnp.h"

namespace checkride::codec {

void write(schema::Actor::Builder to, const Actor& actor, Trouble& trouble);
void read(schema::Actor::Reader from, Actor& actor, Trouble& trouble);
void write(schema::ParentLink::Builder to, const ParentLink& parent, Trouble& trouble);
void read(schema::ParentLink::Reader from, ParentLink& parent, Trouble& trouble);

void write(schema::StartRun::Builder to, const StartRun& command, Trouble& trouble);
void read(schema::StartRun::Reader from, StartRun& command, Trouble& trouble);
void write(schema::FinishJob::Builder to, const FinishJob& command, Trouble& trouble);
void read(schema::FinishJob::Reader from, FinishJob& command, Trouble& trouble);
void write(schema::MarkJobStarted::Builder to, const MarkJobStarted& command, Trouble& trouble);
void read(schema::MarkJobStarted::Reader from, MarkJobStarted& command, Trouble& trouble);
void write(schema::AdoptJob::Builder to, const AdoptJob& command, Trouble& trouble);
void read(schema::AdoptJob::Reader from, AdoptJob& command, Trouble& trouble);
void write(schema::ReportJobUnknown::Builder to, const ReportJobUnknown& command, Trouble& trouble);
void read(schema::ReportJobUnknown::Reader from, ReportJobUnknown& command, Trouble& trouble);
void write(schema::FireTimer::Builder to, const FireTimer& command, Trouble& trouble);
void read(schema::FireTimer::Reader from, FireTimer& command, Trouble& trouble);
void write(schema::AnswerGate::Builder to, const AnswerGate& command, Trouble& trouble);
void read(schema::AnswerGate::Reader from, AnswerGate& command, Trouble& trouble);
void write(schema::ResolveIncident::Builder to, const ResolveIncident& command, Trouble& trouble);
void read(schema::ResolveIncident::Reader from, ResolveIncident& command, Trouble& trouble);
void write(schema::CancelRun::Builder to, const CancelRun& command, Trouble& trouble);
void read(schema::CancelRun::Reader from, CancelRun& command, Trouble& trouble);
void write(schema::RollbackRun::Builder to, const RollbackRun& command, Trouble& trouble);
void read(schema::RollbackRun::Reader from, RollbackRun& command, Trouble& trouble);
void write(schema::SignalRun::Builder to, const SignalRun& command, Trouble& trouble);
void read(schema::SignalRun::Reader from, SignalRun& command, Trouble& trouble);
void write(schema::GrantLease::Builder to, const GrantLease& command, Trouble& trouble);
void read(schema::GrantLease::Reader from, GrantLease& command, Trouble& trouble);
void write(schema::ReleaseLease::Builder to, const ReleaseLease& command, Trouble& trouble);
void read(schema::ReleaseLease::Reader from, ReleaseLease& command, Trouble& trouble);
void write(schema::PauseRun::Builder to, const PauseRun& command, Trouble& trouble);
void read(schema::PauseRun::Reader from, PauseRun& command, Trouble& trouble);
void write(schema::ResumeRun::Builder to, const ResumeRun& command, Trouble& trouble);
void read(schema::ResumeRun::Reader from, ResumeRun& command, Trouble& trouble);

void write(schema::CommandBody::Builder to, const CommandBody& body, Trouble& trouble);
void read(schema::CommandBody::Reader from, CommandBody& body, Trouble& trouble);

}  // namespace checkride::codec
