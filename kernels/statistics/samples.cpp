#include "kernels/statistics/samples.h"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "engine/base/files.h"

namespace checkride::kernels::statistics {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 6> conditions_always = {
    "timing_mode", "shape", "dtype", "inputs_sha256", "device_uuid", "driver"};

tl::unexpected<Error> wrong(const std::string& field, std::string_view wanted) {
  return fail(ErrorCode::invalid_argument,
              "'" + field + "' of a sample file must be " + std::string(wanted));
}

Result<std::string> text_of(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains({name.data(), name.size()});
  if (found == nullptr || !found->is_string()) return wrong(std::string(name), "a string");
  return std::string(found->get_string().data(), found->get_string().size());
}

// A number, or NaN for null; nothing for anything else.
Result<double> value_of(const json::value& value, const std::string& where) {
  if (value.is_double()) return value.get_double();
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  return wrong(where, "numbers, or null for one that was lost");
}

Result<std::vector<double>> values_of(const json::value& value, const std::string& where) {
  if (!value.is_array()) return wrong(where, "a list of numbers");
  if (value.get_array().size() > block_samples_max)
    return wrong(where, "at most " + std::to_string(block_samples_max) + " numbers");
  std::vector<double> all;
  all.reserve(value.get_array().size());
  for (const json::value& item : value.get_array()) {
    CR_TRY(const double number, value_of(item, where));
    all.push_back(number);
  }
  return all;
}

Result<std::int64_t> count_of(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains({name.data(), name.size()});
  if (found == nullptr) return 0;
  if (!found->is_int64() || found->get_int64() < 0) return wrong(std::string(name), "a count");
  return found->get_int64();
}

Result<SampleBlock> block_of(const json::value& value, std::size_t index) {
  const std::string where = "blocks[" + std::to_string(index) + "]";
  if (!value.is_object()) return wrong(where, "an object");
  const json::object& object = value.get_object();
  SampleBlock block;
  const json::value* samples = object.if_contains("samples");
  if (samples == nullptr) return wrong(where + ".samples", "a list of numbers");
  CR_TRY(block.samples, values_of(*samples, where + ".samples"));
  const json::value* clock = object.if_contains("clock_mhz");
  if (clock != nullptr && clock->is_array()) {
    CR_TRY(block.clock_mhz, values_of(*clock, where + ".clock_mhz"));
    if (block.clock_mhz.size() != block.samples.size())
      return wrong(where + ".clock_mhz", "one number, or one for each sample");
  } else if (clock != nullptr && !clock->is_null()) {
    CR_TRY(const double one, value_of(*clock, where + ".clock_mhz"));
    block.clock_mhz = {one};
  }
  CR_TRY(block.discarded, count_of(object, "discarded"));
  CR_TRY(block.start_ns, count_of(object, "start_ns"));
  return block;
}

json::array array_of(const std::vector<double>& values) {
  json::array array;
  array.reserve(values.size());
  for (const double value : values)
    array.push_back(std::isfinite(value) ? json::value(value) : json::value(nullptr));
  return array;
}

Result<std::map<std::string, std::string>> conditions_of(const json::object& object) {
  const json::value* found = object.if_contains("conditions");
  if (found == nullptr || !found->is_object()) return wrong("conditions", "an object");
  std::map<std::string, std::string> all;
  for (const auto& [key, value] : found->get_object()) {
    const std::string name(key.data(), key.size());
    if (!value.is_string()) return wrong("conditions." + name, "a string");
    all[name] = std::string(value.get_string().data(), value.get_string().size());
  }
  for (const std::string_view name : conditions_always)
    if (!all.contains(std::string(name)))
      return wrong("conditions." + std::string(name), "given, \"\" where there is no such thing");
  return all;
}

}  // namespace

std::string to_json(const SampleFile& file) {
  json::object object;
  object["format"] = "checkride.samples";
  object["version"] = 1;
  object["metric"] = file.metric;
  object["unit"] = file.unit;
  object["direction"] =
      file.direction == Direction::lower_is_better ? "lower_is_better" : "higher_is_better";
  object["cell"] = file.cell;
  json::object conditions;
  for (const std::string_view name : conditions_always) conditions[{name.data(), name.size()}] = "";
  for (const auto& [key, value] : file.conditions) conditions[key] = value;
  object["conditions"] = std::move(conditions);
  object["correctness"] = file.correctness;
  object["perf_valid"] = file.perf_valid;
  json::array blocks;
  for (const SampleBlock& block : file.blocks) {
    json::object one;
    one["samples"] = array_of(block.samples);
    if (block.clock_mhz.size() == 1)
      one["clock_mhz"] = array_of(block.clock_mhz)[0];
    else if (!block.clock_mhz.empty())
      one["clock_mhz"] = array_of(block.clock_mhz);
    one["discarded"] = block.discarded;
    one["start_ns"] = block.start_ns;
    blocks.push_back(std::move(one));
  }
  object["blocks"] = std::move(blocks);
  return json::serialize(object);
}

Result<SampleFile> samples_of(std::string_view json_text) {
  json::parse_options options;
  options.max_depth = 8;
  boost::system::error_code error;
  const json::value parsed = json::parse({json_text.data(), json_text.size()}, error, {}, options);
  if (error || !parsed.is_object())
    return fail(ErrorCode::invalid_argument,
                "this is no sample file: " + (error ? error.message() : "it is not an object"));
  const json::object& object = parsed.get_object();
  SampleFile file;
  CR_TRY(const std::string format, text_of(object, "format"));
  const json::value* version = object.if_contains("version");
  if (format != "checkride.samples" || version == nullptr || !version->is_int64() ||
      version->get_int64() != 1)
    return wrong("format", "checkride.samples of version 1");
  CR_TRY(file.metric, text_of(object, "metric"));
  if (file.metric.empty()) return wrong("metric", "a name");
  CR_TRY(file.unit, text_of(object, "unit"));
  CR_TRY(const std::string direction, text_of(object, "direction"));
  if (direction != "lower_is_better" && direction != "higher_is_better")
    return wrong("direction", "lower_is_better or higher_is_better");
  file.direction =
      direction == "lower_is_better" ? Direction::lower_is_better : Direction::higher_is_better;
  CR_TRY(file.cell, text_of(object, "cell"));
  CR_TRY(file.conditions, conditions_of(object));
  CR_TRY(file.correctness, text_of(object, "correctness"));
  if (file.correctness != "pass" && file.correctness != "fail" && file.correctness != "unknown")
    return wrong("correctness", "pass, fail or unknown");
  const json::value* valid = object.if_contains("perf_valid");
  if (valid == nullptr || !valid->is_bool()) return wrong("perf_valid", "true or false");
  file.perf_valid = valid->get_bool();
  const json::value* blocks = object.if_contains("blocks");
  if (blocks == nullptr || !blocks->is_array() || blocks->get_array().empty() ||
      blocks->get_array().size() > sample_blocks_max)
    return wrong("blocks", "a list of 1 to " + std::to_string(sample_blocks_max) + " blocks");
  for (const json::value& block : blocks->get_array()) {
    CR_TRY(SampleBlock one, block_of(block, file.blocks.size()));
    file.blocks.push_back(std::move(one));
  }
  return file;
}

Result<SampleFile> read_samples(const std::filesystem::path& path) {
  CR_TRY(const std::string text, read_file(path, sample_file_bytes_max));
  Result<SampleFile> file = samples_of(text);
  if (!file) return fail(file.error(), path.string());
  return file;
}

Result<void> write_samples(const std::filesystem::path& path, const SampleFile& file) {
  return write_file_atomic(path, to_json(file));
}

}  // namespace checkride::kernels::statistics
