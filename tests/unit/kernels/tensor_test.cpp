#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "kernels/tensor/files.h"
#include "kernels/tensor/generate.h"
#include "tests/unit/kernels/folder.h"

using namespace checkride;
using namespace checkride::kernels;
namespace fs = std::filesystem;

namespace {

struct Folder : test::Folder {
  fs::path file(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return path / name;
  }
};

std::string npy(const std::string& header, std::size_t data_bytes) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 0xff);
  text += static_cast<char>(header.size() >> 8);
  return text + header + std::string(data_bytes, '\x01');
}

std::string safetensors(const std::string& header, std::size_t data_bytes) {
  std::string text(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(text.data(), &length, 8);
  return text + header + std::string(data_bytes, '\x01');
}

}  // namespace

TEST_CASE("e4m3: every code there and back, every rounding to the nearest of the 253 values") {
  for (unsigned code = 0; code < 256; ++code) {
    const float value = float_from_e4m3(static_cast<std::uint8_t>(code));
    CAPTURE(code);
    if ((code & 0x7fu) == 0x7fu)
      REQUIRE(std::isnan(value));
    else
      REQUIRE(e4m3_from_float(value) == code);
  }
  REQUIRE(float_from_e4m3(0x7e) == 448.0f);
  REQUIRE(float_from_e4m3(0x01) == 0x1p-9f);
  // Between neighbours: the nearer one, the even code in the middle.
  for (unsigned code = 0; code < 0x7e; ++code) {
    const float low = float_from_e4m3(static_cast<std::uint8_t>(code));
    const float high = float_from_e4m3(static_cast<std::uint8_t>(code + 1));
    const float middle = (low + high) / 2;  // exact
    CAPTURE(code);
    REQUIRE(e4m3_from_float(middle) == (code + 1) / 2 * 2);
    REQUIRE(e4m3_from_float(std::nextafter(middle, 0.0f)) == code);
    REQUIRE(e4m3_from_float(std::nextafter(middle, 1e9f)) == code + 1);
    REQUIRE(e4m3_from_float(-middle) == ((code + 1) / 2 * 2 | 0x80u));
  }
  REQUIRE(e4m3_from_float(1e30f) == 0x7e);
  REQUIRE(e4m3_from_float(-std::numeric_limits<float>::infinity()) == 0xfe);
  REQUIRE(e4m3_from_float(-std::numeric_limits<float>::quiet_NaN()) == 0x7f);
}

TEST_CASE("values from double are rounded once") {
  Tensor tensor = zeros(ElementType::f16, {2});
  // Just above the middle of 1 and its successor: by way of a rounded float it would be a tie.
  set_value(tensor, 0, 1.0 + 0x1p-11 + 0x1p-40);
  set_value(tensor, 1, 1.0 + 0x1p-11);
  REQUIRE(value_at(tensor, 0) == 1.0 + 0x1p-10);
  REQUIRE(value_at(tensor, 1) == 1.0);
}

TEST_CASE("tensors written are tensors read, in every type") {
  const Folder folder;
  RandomStream random(5);
  std::map<std::string, Tensor> all;
  for (const auto* name : {"f64", "f32", "f16", "bf16", "e4m3"}) {
    const ElementType type = *element_type_from(name);
    all[name] = generate(type, {3, 5, 7}, Distribution::outliers, random);
    const auto written = write_npy(folder.path / "a.npy", all[name]);
    if (type == ElementType::bf16 || type == ElementType::e4m3) {
      REQUIRE(written.error().code == ErrorCode::unsupported);
      continue;
    }
    REQUIRE(written);
    const auto read = read_tensor(folder.path / "a.npy");
    REQUIRE(read);
    REQUIRE(read->type == type);
    REQUIRE(read->shape == all[name].shape);
    REQUIRE(read->data == all[name].data);
  }
  all["scalar"] = zeros(ElementType::i64, {});
  all["empty"] = zeros(ElementType::u8, {4, 0});
  REQUIRE(write_safetensors(folder.path / "all.safetensors", all));
  for (const auto& [name, tensor] : all) {
    const auto read = read_tensor(folder.path / "all.safetensors", name);
    CAPTURE(name);
    REQUIRE(read);
    REQUIRE(read->type == tensor.type);
    REQUIRE(read->shape == tensor.shape);
    REQUIRE(read->data == tensor.data);
  }
  REQUIRE(read_tensor(folder.path / "all.safetensors", "none").error().code ==
          ErrorCode::not_found);
  REQUIRE(read_tensor(folder.path / "all.safetensors").error().code == ErrorCode::invalid_argument);
  REQUIRE(read_tensor(folder.path / "all.safetensors", "f64", 100).error().code ==
          ErrorCode::invalid_argument);
  REQUIRE(read_tensor(folder.path / "none.npy").error().code == ErrorCode::not_found);
  REQUIRE(read_tensor(folder.path / "a.txt").error().code == ErrorCode::invalid_argument);
  REQUIRE(read_tensor(folder.path, "").error().code == ErrorCode::invalid_argument);
}

TEST_CASE("hostile .npy files are refused") {
  const Folder folder;
  const auto code = [&](const std::string& bytes) {
    const auto read = read_tensor(folder.file("h.npy", bytes));
    REQUIRE_FALSE(read);
    return read.error().code;
  };
  const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
  REQUIRE(read_tensor(folder.file("h.npy", npy(good, 24))));
  REQUIRE(code("") == ErrorCode::corrupt);
  REQUIRE(code("PK\x03\x04 something else") == ErrorCode::corrupt);
  REQUIRE(code(npy(good, 23)) == ErrorCode::corrupt);
  REQUIRE(code(npy(good, 25)) == ErrorCode::corrupt);
  REQUIRE(code(npy(good, 24).substr(0, 40)) == ErrorCode::corrupt);
  REQUIRE(code(std::string("\x93NUMPY\x09\x00\x10\x00xxxx", 14)) == ErrorCode::unsupported);
  REQUIRE(code(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14)) == ErrorCode::corrupt);
  const auto header = [&](const std::string& descr, const std::string& order,
                          const std::string& shape) {
    return code(npy(
        "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + "}", 24));
  };
  REQUIRE(header("'<f4'", "True", "(2, 3)") == ErrorCode::unsupported);
  REQUIRE(header("'>f4'", "False", "(2, 3)") == ErrorCode::unsupported);
  REQUIRE(header("'|O'", "False", "(3,)") == ErrorCode::unsupported);
  REQUIRE(header("[('a', '<f4')]", "False", "(6,)") == ErrorCode::corrupt);
  REQUIRE(header("'<f4'", "0", "(2, 3)") == ErrorCode::corrupt);
  REQUIRE(header("'<f4'", "False", "(-2, -3)") == ErrorCode::corrupt);
  REQUIRE(header("'<f4'", "False", "(4294967296, 4294967296, 2)") == ErrorCode::corrupt);
  REQUIRE(header("'<f4'", "False", "(99999999999999999999,)") == ErrorCode::corrupt);
  REQUIRE(header("'<f4'", "False", "(2 3)") == ErrorCode::corrupt);
  REQUIRE(header("'<f4'", "False", "(2, 3") == ErrorCode::corrupt);
  REQUIRE(header("'<f4'", "False", "__import__('os')") == ErrorCode::corrupt);
  REQUIRE(header("'<f4'", "False", "(2, 3), 'shape': (6,)") == ErrorCode::corrupt);
  REQUIRE(header("'<f4'", "False", "(2, 3), 'more': 1") == ErrorCode::corrupt);
}

TEST_CASE("hostile .safetensors files are refused") {
  const Folder folder;
  const auto code = [&](const std::string& bytes) {
    const auto read = read_tensor(folder.file("h.safetensors", bytes), "a");
    REQUIRE_FALSE(read);
    return read.error().code;
  };
  const auto one = [](const std::string& dtype, const std::string& shape,
                      const std::string& offsets) {
    return "\"a\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
           ",\"data_offsets\":" + offsets + "}";
  };
  const std::string good = one("F32", "[2,3]", "[0,24]");
  REQUIRE(read_tensor(folder.file("h.safetensors", safetensors("{" + good + "}", 24)), "a"));
  REQUIRE(read_tensor(folder.file("h.safetensors",
                                  safetensors("{\"__metadata__\":{\"x\":\"y\"}," + good + "}", 24)),
                      "a"));
  REQUIRE(code("") == ErrorCode::corrupt);
  REQUIRE(code(std::string(8, '\xff') + "{}") == ErrorCode::corrupt);
  REQUIRE(code(std::string("\x00\x00\x00\x01\x00\x00\x00\x00{}", 10)) == ErrorCode::corrupt);
  REQUIRE(code(safetensors("not json", 24)) == ErrorCode::corrupt);
  REQUIRE(code(safetensors("[]", 0)) == ErrorCode::corrupt);
  REQUIRE(code(safetensors(std::string(100000, '['), 0)) == ErrorCode::corrupt);
  REQUIRE(code(safetensors("{" + good + "}", 23)) == ErrorCode::corrupt);
  REQUIRE(code(safetensors("{" + good + "}", 25)) == ErrorCode::corrupt);
  const auto only = [&](const std::string& entry) {
    return code(safetensors("{" + entry + "}", 24));
  };
  REQUIRE(only(one("F32", "[2,3]", "[0,25]")) == ErrorCode::corrupt);
  REQUIRE(only(one("F32", "[2,3]", "[24,0]")) == ErrorCode::corrupt);
  REQUIRE(only(one("F32", "[2,3]", "[-24,0]")) == ErrorCode::corrupt);
  REQUIRE(only(one("F32", "[2,3]", "[0]")) == ErrorCode::corrupt);
  REQUIRE(only(one("F32", "[2,-3]", "[0,24]")) == ErrorCode::corrupt);
  REQUIRE(only(one("F32", "[4294967296,4294967296,4]", "[0,24]")) == ErrorCode::corrupt);
  REQUIRE(only(one("F32", "[2.5]", "[0,24]")) == ErrorCode::corrupt);
  REQUIRE(only(one("F32", "[2,2]", "[0,24]")) == ErrorCode::corrupt);
  REQUIRE(only(one("F32", "[2,3]", "[0,18446744073709551615]")) == ErrorCode::corrupt);
  REQUIRE(only("\"a\":7") == ErrorCode::corrupt);
  REQUIRE(only(one("C64", "[3]", "[0,24]")) == ErrorCode::unsupported);
  // Two tensors over the same bytes, and a hole between two.
  const std::string overlapping =
      ",\"b\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[8,24]}";
  REQUIRE(only(one("F32", "[3]", "[0,12]") + overlapping) == ErrorCode::corrupt);
  REQUIRE(only(one("F32", "[1]", "[0,4]") + overlapping) == ErrorCode::corrupt);
}

TEST_CASE("generators: the same from the same seed, with the properties they are named for") {
  for (const auto* name : {"normal", "outliers", "constant", "one_hot"}) {
    const Distribution distribution = *distribution_from(name);
    RandomStream first(9), second(9);
    const Tensor a = generate(ElementType::bf16, {64, 128}, distribution, first);
    REQUIRE(a.data == generate(ElementType::bf16, {64, 128}, distribution, second).data);
    double sum = 0, squares = 0, most = 0;
    for (std::size_t i = 0; i < a.elements(); ++i) {
      const double v = value_at(a, i);
      sum += v;
      squares += v * v;
      most = std::max(most, std::fabs(v));
    }
    const auto n = static_cast<double>(a.elements());
    CAPTURE(name, sum, squares, most);
    if (distribution == Distribution::normal) {
      REQUIRE(std::fabs(sum / n) < 0.05);
      REQUIRE(std::fabs(squares / n - 1.0) < 0.05);
      REQUIRE(most < 6.0);
    }
    if (distribution == Distribution::outliers) REQUIRE(most > 20.0);
    if (distribution == Distribution::constant) REQUIRE((sum == n / 2 && most == 0.5));
    if (distribution == Distribution::one_hot) REQUIRE((sum == 64.0 && squares == 64.0));
  }
}
