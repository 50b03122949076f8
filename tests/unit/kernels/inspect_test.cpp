#include <lz4.h>
#include <sys/stat.h>

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "engine/base/files.h"
#include "kernels/inspect/device_code.h"
#include "kernels/inspect/device_images.h"
#include "kernels/inspect/inspect_job.h"
#include "kernels/inspect/occupancy.h"
#include "kernels/inspect/opcodes.h"
#include "kernels/inspect/ptxas_log.h"
#include "tests/unit/kernels/folder.h"
#include "tests/unit/kernels/run_job.h"

namespace checkride::kernels {
namespace {

using inspect::device_images;
using inspect::DeviceImages;
using inspect::KernelCode;
using inspect::read_device_code;
using testing::fixture;
using testing::run_job;

std::string file_of(const std::filesystem::path& path) {
  return read_file(path, 1 << 24).value();
}

std::string probe_elf() {
  const DeviceImages images = device_images(file_of(fixture("probe.fatbin")));
  REQUIRE(images.unread.empty());
  REQUIRE(images.elves.size() == 1);
  return images.elves.front();
}

void put(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  std::memcpy(bytes.data() + at, &value, size);
}

// A fat binary of one entry.
std::string fat_binary(std::string payload, std::uint64_t flags, std::size_t packed,
                       std::size_t unpacked) {
  payload.resize((payload.size() + 7) / 8 * 8);
  std::string header(64, '\0');
  put(header, 0, 2, 2);
  put(header, 4, 64, 4);
  put(header, 8, payload.size(), 8);
  put(header, 16, packed, 4);
  put(header, 40, flags, 8);
  put(header, 56, unpacked, 8);
  std::string all("\x50\xed\x55\xba\x01\x00\x10\x00", 8);
  all.resize(16);
  put(all, 8, header.size() + payload.size(), 8);
  return all + header + payload;
}

// A file that goes with this program.
std::filesystem::path temporary(const std::string& name, const std::string& contents) {
  static const test::Folder folder;
  REQUIRE(write_file_atomic(folder.path / name, contents));
  return folder.path / name;
}

json::object with_file(const std::filesystem::path& path) {
  return {{"file", path.string()}};
}

const KernelCode& kernel_named(const std::vector<KernelCode>& kernels, std::string_view part) {
  for (const KernelCode& kernel : kernels)
    if (kernel.mangled.find(part) != std::string::npos) return kernel;
  FAIL("no kernel " << part);
  return kernels.front();
}

TEST_CASE("a compressed fat binary tells what the compiler printed of each kernel", "[inspect]") {
  const DeviceImages images = device_images(file_of(fixture("probe.fatbin")));
  CHECK(images.ptx == 1);
  const auto code = read_device_code(images.elves.at(0));
  REQUIRE(code);
  CHECK(code->sm == 90);
  CHECK(code->compiler == "13.0, V13.0.88");
  CHECK(code->spills_marked);
  const auto logged = inspect::read_ptxas_log(file_of(fixture("probe_ptxas.txt")));
  REQUIRE(logged.size() == 7);
  REQUIRE(code->kernels.size() == logged.size());
  for (const KernelCode& kernel : logged) {
    const KernelCode& found = kernel_named(code->kernels, kernel.mangled);
    INFO(kernel.mangled);
    CHECK(found.entry);
    CHECK(kernel.entry);
    CHECK(found.sm == kernel.sm);
    CHECK(found.registers == kernel.registers);
    CHECK(found.smem_bytes == kernel.smem_bytes);
    CHECK(found.stack_bytes == kernel.stack_bytes);
    CHECK(found.spills.store_bytes == kernel.spills.store_bytes);
    CHECK(found.spills.load_bytes == kernel.spills.load_bytes);
  }
  CHECK(kernel_named(code->kernels, "spills").spills.total() == 548 + 592);
  CHECK(kernel_named(code->kernels, "two_hgmma").opcodes.at("HGMMA") == 2);
  CHECK(kernel_named(code->kernels, "two_hgmma").block_threads == 128);
  CHECK(kernel_named(code->kernels, "uses_local").opcodes.at("LDL") > 0);
  CHECK(inspect::demangled("_Z6spillsPfi") == "spills(float*, int)");
  CHECK(inspect::demangled("no name of C++") == "no name of C++");
}

TEST_CASE("device code is found inside any container, packed or not", "[inspect]") {
  const std::string elf = probe_elf();
  std::string container = "!<arch>\nodd" + fat_binary(elf, 0x11, 0, 0) + "between";
  std::string packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(elf.size()))), 0);
  packed.resize(static_cast<std::size_t>(LZ4_compress_default(
      elf.data(), packed.data(), static_cast<int>(elf.size()), static_cast<int>(packed.size()))));
  const std::size_t packed_bytes = packed.size();
  container += fat_binary(packed, 0x2011, packed_bytes, elf.size()) + "end";
  DeviceImages images = device_images(container);
  CHECK(images.unread.empty());
  REQUIRE(images.elves.size() == 2);
  CHECK(images.elves[0].substr(0, elf.size()) == elf);
  CHECK(images.elves[1] == elf);
  CHECK(device_images(elf).elves.size() == 1);

  SECTION("packing that is not known is said, not passed over") {
    images = device_images(fat_binary(elf, 0x1011, elf.size(), elf.size()));
    CHECK(images.elves.empty());
    REQUIRE(images.unread.size() == 1);
    CHECK(images.unread[0].find("--compress-mode=none") != std::string::npos);
  }
  SECTION("so are bytes that do not unpack, sizes that lie and a file that is cut short") {
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
    CHECK(device_images(fat_binary(packed, 0x8011, packed_bytes, elf.size())).unread.size() == 1);
    CHECK(device_images(fat_binary(elf, 0x2011, elf.size() + 100, 10)).unread.size() == 1);
    CHECK(device_images(fat_binary(elf, 0x2011, 16, std::uint64_t{1} << 60)).unread.size() == 1);
    CHECK(device_images(container.substr(0, 5000)).unread.size() == 1);
  }
}

TEST_CASE("damaged device code is refused or read, and never read past its end", "[inspect]") {
  const std::string elf = probe_elf();
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = elf;
    if (i % 3 == 0) damaged.resize(random() % damaged.size());
    for (int k = 0; k < 3 && !damaged.empty(); ++k) {
      // Half of the damage goes into the header and the table of sections.
      const std::size_t table = 64 * 52;
      const std::size_t at = random() % 2 == 0 && damaged.size() > table
                                 ? damaged.size() - 1 - random() % table
                                 : random() % std::min<std::size_t>(damaged.size(), 4096);
      damaged[at] = static_cast<char>(random());
    }
    const std::string exact(damaged.data(), damaged.size());
    if (!read_device_code(exact)) ++refused;
  }
  CHECK(refused > 500);
  const auto cut = read_device_code(elf.substr(0, 1000));
  REQUIRE_FALSE(cut);
  CHECK(cut.error().code == ErrorCode::corrupt);
  std::string old = elf;
  put(old, 48, 0x6003204, 4);
  REQUIRE_FALSE(read_device_code(old));
  CHECK(read_device_code(old).error().code == ErrorCode::unsupported);
}

TEST_CASE("kernel.inspect judges spills, local memory and instructions", "[inspect]") {
  json::object inputs = with_file(fixture("probe.fatbin"));
  auto report = run_job(inspect_job(), inputs);
  REQUIRE(report);
  CHECK(report->status == Status::fail);
  CHECK(report->backend == Backend::parse);
  CHECK(report->reasons == std::vector<std::string>{"spills", "forbidden_opcode"});
  CHECK(report->fields["spill_bytes"].as_int64() == 1140);
  CHECK(report->fields["spill_source"].as_string() == "compiler_marks");
  CHECK(report->fields["opcodes"].as_object()["QMMA"].as_int64() == 0);

  inputs["kernels"] = "^two_hgmma\\(";
  inputs["required_opcodes"] = json::array{"HGMMA"};
  inputs["forbidden_opcodes"] = json::array{"HMMA", "LDL", "STL"};
  report = run_job(inspect_job(), inputs);
  REQUIRE(report);
  CHECK(report->status == Status::pass);
  REQUIRE(report->fields["kernels"].as_array().size() == 1);
  const json::object& kernel = report->fields["kernels"].as_array()[0].as_object();
  CHECK(kernel.at("name").as_string() ==
        "two_hgmma(float*, unsigned int const*, unsigned long, unsigned long)");
  CHECK(kernel.at("max_ctas_per_sm").as_int64() == 12);

  inputs["required_opcodes"] = json::array{"QGMMA"};
  report = run_job(inspect_job(), inputs);
  CHECK(report->reasons == std::vector<std::string>{"missing_opcode"});
  inputs["required_opcodes"] = json::array{"HGMMMA"};
  CHECK(run_job(inspect_job(), inputs).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("kernel.inspect never passes on what it did not see", "[inspect]") {
  const std::string elf = probe_elf();
  const auto reason = [](const json::object& inputs) {
    const auto report = run_job(inspect_job(), inputs);
    if (!report) return std::string(to_string(report.error().code));
    CHECK(report->status == Status::error);
    return report->reasons.empty() ? std::string("none") : report->reasons.front();
  };
  const json::object any = {{"spill_bytes_max", 1 << 20}, {"forbidden_opcodes", json::array{}}};
  json::object inputs = any;
  inputs["file"] = temporary("host", "no device code here").string();
  CHECK(reason(inputs) == "no_kernel");
  std::string ptx = fat_binary("//ptx", 0x11, 0, 0);
  put(ptx, 16, 1, 2);
  inputs["file"] = temporary("ptx", ptx).string();
  CHECK(reason(inputs) == "ptx_only");
  inputs["file"] =
      temporary("part", fat_binary(elf, 0, 0, 0) + fat_binary(elf, 0x1000, 10, 10)).string();
  CHECK(reason(inputs) == "unread_code");
  inputs["file"] = temporary("whole", elf).string();
  inputs["kernels"] = "nobody";
  CHECK(reason(inputs) == "no_kernel");
  inputs["kernels"] = "(";
  CHECK(reason(inputs) == "invalid_argument");
  CHECK(reason(json::object{}) == "invalid_argument");
  std::string later = elf;
  put(later, 48, 0x6007804, 4);  // sm_120, whose opcodes are not in the table
  inputs = {{"file", temporary("later", later).string()}, {"required_opcodes", {"HMMA"}}};
  CHECK(reason(inputs) == "unknown_architecture");
}

TEST_CASE("what is no regular file is refused and not waited for", "[inspect]") {
  const test::Folder folder;
  const auto pipe = folder.path / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const char* input : {"file", "ptxas_log"})
    for (const std::string& path :
         {pipe.string(), folder.path.string(), std::string("/dev/zero")}) {
      const auto report = run_job(inspect_job(), {{input, path}});
      REQUIRE_FALSE(report);
      CHECK(report.error().code == ErrorCode::invalid_argument);
      CHECK(report.error().text().find("not a regular file") != std::string::npos);
    }
}

TEST_CASE("a report stays small, and what is left out is better than what is listed", "[inspect]") {
  std::string many;
  for (int i = 0; i < 60; ++i) many += fat_binary(probe_elf(), 0x11, 0, 0);
  const auto report = run_job(inspect_job(), with_file(temporary("many", many)));
  REQUIRE(report);
  CHECK(json::serialize(report->fields).size() < 60000);
  CHECK(report->fields.at("kernels_seen").as_int64() == 420);
  const json::array& listed = report->fields.at("kernels").as_array();
  CHECK(report->fields.at("left_out").as_int64() == 420 - static_cast<std::int64_t>(listed.size()));
  CHECK(listed.front().as_object().at("spill_bytes").as_int64() == 1140);
  CHECK(report->fields.at("spill_bytes").as_int64() == 60 * 1140);
}

TEST_CASE("a ptxas log alone tells resources and no instructions", "[inspect]") {
  const json::object inputs = {{"ptxas_log", fixture("probe_ptxas.txt").string()}};
  auto report = run_job(inspect_job(), inputs);
  REQUIRE(report);
  CHECK(report->status == Status::fail);
  CHECK(report->reasons == std::vector<std::string>{"spills"});
  CHECK(report->fields["opcodes"].as_object().empty());
  CHECK(report->fields["spill_source"].as_string() == "ptxas_log");
  json::object asked = inputs;
  asked["required_opcodes"] = json::array{"HMMA"};
  CHECK(run_job(inspect_job(), asked).error().code == ErrorCode::invalid_argument);
  SECTION("cut in the middle, the kernel without figures is left out") {
    const std::string log = file_of(fixture("probe_ptxas.txt"));
    const auto kernels = inspect::read_ptxas_log(log.substr(0, log.rfind("Used")));
    CHECK(kernels.size() == 6);
    CHECK(inspect::read_ptxas_log("").empty());
  }
}

TEST_CASE("occupancy is limited by warps, blocks, registers or shared memory", "[inspect]") {
  using inspect::max_blocks_per_multiprocessor;
  CHECK(max_blocks_per_multiprocessor(90, {32, 16, 0}) == 32);
  CHECK(max_blocks_per_multiprocessor(90, {1024, 32, 0}) == 2);
  CHECK(max_blocks_per_multiprocessor(90, {1024, 33, 0}) == 1);
  CHECK(max_blocks_per_multiprocessor(90, {256, 255, 0}) == 1);
  CHECK(max_blocks_per_multiprocessor(90, {128, 168, 0}) == 3);
  CHECK(max_blocks_per_multiprocessor(90, {128, 32, 227 * 1024}) == 1);
  CHECK(max_blocks_per_multiprocessor(90, {128, 32, 113 * 1024}) == 2);
  CHECK(max_blocks_per_multiprocessor(90, {128, 32, 228 * 1024}) == 0);
  CHECK(max_blocks_per_multiprocessor(86, {32, 16, 0}) == 16);
  CHECK_FALSE(max_blocks_per_multiprocessor(90, {0, 32, 0}));
  CHECK_FALSE(max_blocks_per_multiprocessor(61, {32, 32, 0}));
}

}  // namespace
}  // namespace checkride::kernels
