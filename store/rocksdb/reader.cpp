#include "store/rocksdb/reader.h"

#include "store/codec/codec.h"
#include "store/codec/stamp.h"
#include "store/codec/walk.h"

namespace checkride {

namespace {

std::string_view view_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

tl::unexpected<Error> no_such_run(const RunId& run) {
  return fail(ErrorCode::not_found,
              "there is no run '" + run.value + "' here; `checkride ls` lists them");
}

}  // namespace

std::string build_key(std::uint32_t number) {
  return "build/" + std::to_string(number);
}

Result<std::vector<RunHead>> RocksDbReader::heads() const {
  std::vector<RunHead> heads;
  CR_CHECK(database_.scan(Table::heads, "", "",
                          [&](std::string_view key, std::string_view value) -> Result<bool> {
                            const RunId run{std::string(key)};
                            if (!codec::is_run(run)) return true;
                            auto head = codec::decode_head(value);
                            if (!head)
                              return fail(std::move(head).error(), "run '" + run.value + "'");
                            heads.push_back(*std::move(head));
                            return true;
                          }));
  return heads;
}

Result<std::optional<RunHead>> RocksDbReader::head(const RunId& run) const {
  CR_TRY(const std::optional<std::string> value, database_.get(Table::heads, run.value));
  if (!value) return std::nullopt;
  auto head = codec::decode_head(*value);
  if (!head) return fail(std::move(head).error(), "run '" + run.value + "'");
  if (head->run != run)
    return fail(ErrorCode::corrupt, "the head of run '" + run.value +
                                        "' is damaged: it is that of '" + head->run.value + "'");
  return *std::move(head);
}

Result<void> RocksDbReader::read(const RunId& run, Sequence from,
                                 const std::function<bool(const Record&)>& each) const {
  // The head first: records that come later are read past it, never missed before it.
  CR_TRY(const std::optional<RunHead> head, this->head(run));
  if (!head) return no_such_run(run);
  if (from > head->last) return {};
  CR_TRY(const std::optional<Database::Row> holding,
         database_.last(Table::records, run_key(run, Sequence(0)), run_key(run, from)));
  codec::Walk walk(*head);
  bool complete = true;
  bool any = false;
  Sequence last_read;
  const auto one = [&](std::string_view key, std::string_view value) -> Result<bool> {
    const auto place = parse_run_key(key);
    if (!place)
      return fail(ErrorCode::corrupt, "a record of run '" + run.value + "' has a damaged key");
    CR_TRY(codec::DecodedRecord decoded, walk.next(place->second, value));
    any = true;
    last_read = decoded.record.last();
    if (last_read < from) return true;
    CR_TRY(decoded.record.build, build(decoded.build));
    complete = each(decoded.record);
    return complete;
  };
  const std::string begin = holding ? holding->key : run_key(run, Sequence(0));
  auto scanned = database_.scan(Table::records, begin, run_key_end(run), one, true);
  if (!scanned && any)
    return fail(std::move(scanned).error(), "after sequence " + std::to_string(last_read.value) +
                                                " of run '" + run.value + "'");
  CR_CHECK(std::move(scanned));
  if (!any)
    return fail(ErrorCode::corrupt,
                "the log of run '" + run.value +
                    "' is damaged: it has a head but no records from sequence " +
                    std::to_string(from.value));
  return walk.finish(complete);
}

Result<std::optional<Snapshot>> RocksDbReader::snapshot(const RunId& run, Sequence at_most) const {
  CR_TRY(const std::optional<Database::Row> row,
         database_.last(Table::snapshots, run_key(run, Sequence(0)), run_key(run, at_most)));
  if (!row) return std::nullopt;
  const auto place = parse_run_key(row->key);
  if (!place)
    return fail(ErrorCode::corrupt, "a snapshot of run '" + run.value + "' has a damaged key");
  CR_TRY(Snapshot snapshot, codec::decode_snapshot(row->value, run, place->second));
  return snapshot;
}

Result<std::optional<StoredDefinition>> RocksDbReader::definition(const Digest& hash) const {
  CR_TRY(const std::optional<std::string> value, database_.get(Table::definitions, view_of(hash)));
  if (!value) return std::nullopt;
  CR_TRY(StoredDefinition definition, codec::decode_definition(*value));
  if (definition.hash != hash)
    return fail(ErrorCode::corrupt,
                "the definition " + to_hex(hash) + " is damaged: it is that of another hash");
  return definition;
}

Result<std::vector<SearchRow>> RocksDbReader::find(const std::string& fact_type,
                                                   std::size_t count_max) const {
  std::vector<SearchRow> rows;
  if (count_max == 0) return rows;
  const std::string lower = fact_type + '\0';
  CR_CHECK(database_.scan(Table::search, lower, fact_type + '\x01',
                          [&](std::string_view, std::string_view value) -> Result<bool> {
                            CR_TRY(SearchRow row, codec::decode_search_row(value));
                            rows.push_back(std::move(row));
                            return rows.size() < count_max;
                          }));
  return rows;
}

Result<GlobalSequence> RocksDbReader::last_global() const {
  CR_TRY(const std::optional<Database::Row> row,
         database_.last(Table::global, big_endian(0), big_endian(UINT64_MAX)));
  if (!row) return GlobalSequence(0);
  if (row->key.size() != 8)
    return fail(ErrorCode::corrupt, "the table of global numbers has a damaged key");
  return GlobalSequence(from_big_endian(row->key));
}

Result<Record> RocksDbReader::at_global(GlobalSequence global) const {
  CR_TRY(const std::optional<std::string> key,
         database_.get(Table::global, big_endian(global.value)));
  if (!key)
    return fail(ErrorCode::not_found, "there is no record number " + std::to_string(global.value));
  const auto place = parse_run_key(*key);
  if (!place)
    return fail(ErrorCode::corrupt,
                "the place of record number " + std::to_string(global.value) + " is damaged");
  CR_TRY(const std::optional<std::string> value, database_.get(Table::records, *key));
  if (!value)
    return fail(ErrorCode::corrupt, "record number " + std::to_string(global.value) +
                                        ", sequence " + std::to_string(place->second.value) +
                                        " of run '" + place->first.value + "', is missing");
  CR_TRY(codec::DecodedRecord decoded, codec::decode_record(*value, place->first, place->second));
  if (decoded.record.global != global)
    return fail(ErrorCode::corrupt, "the place of record number " + std::to_string(global.value) +
                                        " holds another record");
  CR_TRY(decoded.record.build, build(decoded.build));
  return std::move(decoded.record);
}

Result<std::string> RocksDbReader::build(std::uint32_t number) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = builds_.find(number); found != builds_.end()) return found->second;
  CR_TRY(const std::optional<std::string> name, database_.get(Table::meta, build_key(number)));
  if (!name)
    return fail(ErrorCode::corrupt,
                "a record names build number " + std::to_string(number) + ", which nobody noted");
  builds_.emplace(number, *name);
  return *name;
}

}  // namespace checkride
