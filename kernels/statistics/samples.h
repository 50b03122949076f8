// Recorded samples of one metric on one side, as files: what latency.measure and proc.measure write
// and perf.compare judges. One file holds one or more blocks; a block is what one fresh process
// measured, and block i of the base is compared with block i of the candidate. The format is JSON,
// described in README.md; values are in the unit of the metric's name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/base/result.h"

namespace checkride::kernels::statistics {

enum class Direction : std::uint8_t { lower_is_better, higher_is_better };

struct SampleBlock {
  std::vector<double> samples;  // in order of time; NaN (null in the file) where one was lost
  // SM clock beside each sample, or one number for the whole block, or empty where none was read.
  std::vector<double> clock_mhz;
  std::int64_t discarded = 0;  // by the measurement itself, such as throttled ones
  std::int64_t start_ns = 0;   // since 1970, UTC; 0 unknown
};

struct SampleFile {
  std::string metric;  // with its unit last: "latency_us_per_launch"
  std::string unit;    // "us"
  Direction direction = Direction::lower_is_better;
  std::string cell;  // what was measured, for grouping and people: "sdpa.forward 1x8x512x64 fp16"
  // All that must be equal on both sides. Six keys are always there, "" where there is no such
  // thing: timing_mode, shape, dtype, inputs_sha256, device_uuid, driver. Others are free (nodes).
  std::map<std::string, std::string> conditions;
  std::string correctness = "unknown";  // of what was measured: pass, fail or unknown
  bool perf_valid = false;              // whether the samples mean anything as figures of speed
  std::vector<SampleBlock> blocks;
};

inline constexpr std::size_t sample_file_bytes_max = std::size_t{64} << 20;
inline constexpr std::size_t sample_blocks_max = 1024;
inline constexpr std::size_t block_samples_max = 1'000'000;

// The text of a file. A value that is not finite becomes null.
std::string to_json(const SampleFile& file);
// A value read back may differ from the one written in its last bit (the JSON library's parser).
// Errors: invalid_argument, naming the field that is wrong.
Result<SampleFile> samples_of(std::string_view json_text);

// Errors: io, not_found, and those of samples_of with the path in front.
Result<SampleFile> read_samples(const std::filesystem::path& path);
Result<void> write_samples(const std::filesystem::path& path, const SampleFile& file);

}  // namespace checkride::kernels::statistics
