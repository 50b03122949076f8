// Jobs as values <-> store/schema/job.capnp.
#pragma once

#include "engine/decider/job.h"
#include "store/codec/fields.h"
#include "store/schema/job.capnp.h"

namespace checkride::codec {

void write(schema::JobSpec::Builder to, const JobSpec& spec, Trouble& trouble);
void read(schema::JobSpec::Reader from, JobSpec& spec, Trouble& trouble);
void write(schema::JobOutcome::Builder to, const JobOutcome& outcome, Trouble& trouble);
void read(schema::JobOutcome::Reader from, JobOutcome& outcome, Trouble& trouble);
void write(schema::LeasedUnit::Builder to, const LeasedUnit& unit, Trouble& trouble);
void read(schema::LeasedUnit::Reader from, LeasedUnit& unit, Trouble& trouble);
void write(schema::JobFact::Builder to, const JobFact& fact, Trouble& trouble);
void read(schema::JobFact::Reader from, JobFact& fact, Trouble& trouble);
void write(schema::ProcessIdentity::Builder to, const ProcessIdentity& identity, Trouble& trouble);
void read(schema::ProcessIdentity::Reader from, ProcessIdentity& identity, Trouble& trouble);

}  // namespace checkride::codec
