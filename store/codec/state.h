// Run states <-> store/schema/state.capnp: what snapshots hold, and what a state's digest covers.
#pragma once

#include "engine/decider/state.h"
#include "store/codec/fields.h"
#include "store/schema/state.capnp.h"

namespace checkride::codec {

void write(schema::RunState::Builder to, const RunState& state, Trouble& trouble);
void read(schema::RunState::Reader from, RunState& state, Trouble& trouble);

}  // namespace checkride::codec
