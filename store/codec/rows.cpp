#include "store/codec/rows.h"

#include "store/codec/command.h"
#include "store/codec/enums.h"
#include "store/codec/job.h"

namespace checkride::codec {

static void write(schema::RunSummary::Builder to, const RunSummary& summary, Trouble& trouble) {
  using B = schema::RunSummary::Builder;
  const auto& [definition_name, definition, parent, root, mode, outcome, started, updated, next_due,
               owes_work, gates, incidents, jobs, leases, paused] = summary;
  put_text(to, &B::setDefinitionName, definition_name);
  put_digest(to, &B::setDefinition, definition);
  if (parent) write(to.initParent(), *parent, trouble);
  put_text(to, &B::setRoot, root);
  to.setMode(to_disk<schema::RunMode>(mode));
  to.setOutcome(to_disk<schema::RunOutcome>(outcome));
  to.setStarted(started.ns);
  to.setUpdated(updated.ns);
  put_optional(to, &B::initNextDue, next_due);
  to.setOwesWork(owes_work);
  to.setGates(gates);
  to.setIncidents(incidents);
  to.setJobs(jobs);
  to.setLeases(leases);
  to.setPaused(paused);
}
static void read(schema::RunSummary::Reader from, RunSummary& summary, Trouble& trouble) {
  auto& [definition_name, definition, parent, root, mode, outcome, started, updated, next_due,
         owes_work, gates, incidents, jobs, leases, paused] = summary;
  definition_name = string_of(from.getDefinitionName());
  read(from.getDefinition(), definition, trouble);
  parent.reset();
  if (from.hasParent()) read(from.getParent(), parent.emplace(), trouble);
  read(from.getRoot(), root, trouble);
  read_enum(from.getMode(), mode, trouble);
  read_enum(from.getOutcome(), outcome, trouble);
  started.ns = from.getStarted();
  updated.ns = from.getUpdated();
  next_due.reset();
  if (from.hasNextDue()) next_due = Timestamp{from.getNextDue().getValue()};
  owes_work = from.getOwesWork();
  gates = from.getGates();
  incidents = from.getIncidents();
  jobs = from.getJobs();
  leases = from.getLeases();
  paused = from.getPaused();
}

void write(schema::RunHead::Builder to, const RunHead& head, Trouble& trouble) {
  const auto& [run, last, record, global, chain, records, summary] = head;
  put_text(to, &schema::RunHead::Builder::setRun, run);
  to.setLast(last.value);
  to.setRecord(record.value);
  to.setGlobal(global.value);
  put_digest(to, &schema::RunHead::Builder::setChain, chain);
  to.setRecords(records);
  write(to.initSummary(), summary, trouble);
}
void read(schema::RunHead::Reader from, RunHead& head, Trouble& trouble) {
  auto& [run, last, record, global, chain, records, summary] = head;
  read(from.getRun(), run, trouble);
  last.value = from.getLast();
  record.value = from.getRecord();
  global.value = from.getGlobal();
  read(from.getChain(), chain, trouble);
  records = from.getRecords();
  read(from.getSummary(), summary, trouble);
}

void write(schema::StoredDefinition::Builder to, const StoredDefinition& definition, Trouble&) {
  using B = schema::StoredDefinition::Builder;
  const auto& [hash, name, source_name, source, stored] = definition;
  put_digest(to, &B::setHash, hash);
  put_text(to, &B::setName, name);
  put_text(to, &B::setSourceName, source_name);
  put_text(to, &B::setSource, source);
  to.setStored(stored.ns);
}
void read(schema::StoredDefinition::Reader from, StoredDefinition& definition, Trouble& trouble) {
  auto& [hash, name, source_name, source, stored] = definition;
  read(from.getHash(), hash, trouble);
  name = string_of(from.getName());
  source_name = string_of(from.getSourceName());
  source = string_of(from.getSource());
  stored.ns = from.getStored();
}

void write(schema::SearchRow::Builder to, const SearchRow& row, Trouble& trouble) {
  const auto& [run, sequence, time, fact] = row;
  put_text(to, &schema::SearchRow::Builder::setRun, run);
  to.setSequence(sequence.value);
  to.setTime(time.ns);
  write(to.initFact(), fact, trouble);
}
void read(schema::SearchRow::Reader from, SearchRow& row, Trouble& trouble) {
  auto& [run, sequence, time, fact] = row;
  read(from.getRun(), run, trouble);
  sequence.value = from.getSequence();
  time.ns = from.getTime();
  read(from.getFact(), fact, trouble);
}

}  // namespace checkride::codec
