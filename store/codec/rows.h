// Run heads, definitions and search rows <-> store/schema/head.capnp.
#pragma once

#include "engine/ports/event_log.h"
#include "store/codec/fields.h"
#include "store/schema/head.capnp.h"

namespace checkride::codec {

void write(schema::RunHead::Builder to, const RunHead& head, Trouble& trouble);
void read(schema::RunHead::Reader from, RunHead& head, Trouble& trouble);
void write(schema::StoredDefinition::Builder to, const StoredDefinition& definition,
           Trouble& trouble);
void read(schema::StoredDefinition::Reader from, StoredDefinition& definition, Trouble& trouble);
void write(schema::SearchRow::Builder to, const SearchRow& row, Trouble& trouble);
void read(schema::SearchRow::Reader from, SearchRow& row, Trouble& trouble);

}  // namespace checkride::codec
