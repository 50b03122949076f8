// The .npy format: "\x93NUMPY", a version, the header's length, then a Python dictionary of exactly
// 'descr', 'fortran_order' and 'shape', then the elements (numpy.lib.format).
#include <array>
#include <charconv>

#include "kernels/tensor/files.h"
#include "kernels/tensor/input_file.h"
#include "kernels/tensor/output_file.h"

namespace checkride::kernels {

namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t header_bytes_max = 64 * 1024;
constexpr std::size_t dimensions_max = 32;

constexpr std::array<std::pair<std::string_view, ElementType>, 7> descriptors = {{
    {"<f8", ElementType::f64},
    {"<f4", ElementType::f32},
    {"<f2", ElementType::f16},
    {"|u1", ElementType::u8},
    {"|i1", ElementType::i8},
    {"<i4", ElementType::i32},
    {"<i8", ElementType::i64},
}};

// What the dictionary says.
struct Header {
  std::optional<std::string> descriptor;
  std::optional<bool> fortran_order;
  std::optional<std::vector<std::int64_t>> shape;
};

// Reads the dictionary as Python would, and nothing else of Python.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : rest_(text) {}

  std::optional<Header> header() {
    Header header;
    if (!take('{')) return std::nullopt;
    while (!take('}')) {
      const auto key = string();
      if (!key || !take(':') || !value(*key, header)) return std::nullopt;
      if (take(',')) continue;
      if (!take('}')) return std::nullopt;
      break;
    }
    skip_space();
    if (!rest_.empty() || !header.descriptor || !header.fortran_order || !header.shape)
      return std::nullopt;
    return header;
  }

 private:
  void skip_space() {
    const auto at = rest_.find_first_not_of(" \n\t");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }
  bool take(char wanted) {
    skip_space();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view wanted) {
    skip_space();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }
  std::optional<std::string> string() {
    skip_space();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) return std::nullopt;
    const auto end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }
  std::optional<std::vector<std::int64_t>> tuple() {
    std::vector<std::int64_t> sizes;
    if (!take('(')) return std::nullopt;
    bool comma = true;
    while (!take(')')) {
      std::int64_t size = 0;
      skip_space();
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (!comma || error != std::errc() || sizes.size() == dimensions_max) return std::nullopt;
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      sizes.push_back(size);
      comma = take(',');
    }
    return sizes;
  }
  bool value(const std::string& key, Header& header) {
    if (key == "descr" && !header.descriptor) return (header.descriptor = string()).has_value();
    if (key == "shape" && !header.shape) return (header.shape = tuple()).has_value();
    if (key != "fortran_order" || header.fortran_order) return false;
    if (take("True"))
      header.fortran_order = true;
    else if (take("False"))
      header.fortran_order = false;
    return header.fortran_order.has_value();
  }

  std::string_view rest_;
};

}  // namespace

Result<Tensor> read_npy(const InputFile& file, std::size_t bytes_max) {
  const auto corrupt = [&](const std::string& what) {
    return fail(ErrorCode::corrupt, file.name() + ": " + what);
  };
  if (file.bytes() < 12) return corrupt("too short to be a .npy file");
  CR_TRY(const std::string start, file.text(0, 12));
  if (!start.starts_with(magic)) return corrupt("does not start as a .npy file");
  const auto byte = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(start[at]));
  };
  const std::size_t version = byte(6);
  if (version < 1 || version > 3)
    return fail(ErrorCode::unsupported,
                file.name() + ": .npy of version " + std::to_string(version) + "; 1 to 3 are read");
  const std::size_t prefix = version == 1 ? 10 : 12;
  const std::size_t length = version == 1
                                 ? byte(8) | byte(9) << 8
                                 : byte(8) | byte(9) << 8 | byte(10) << 16 | byte(11) << 24;
  if (length > header_bytes_max || prefix + length > file.bytes())
    return corrupt("a header of " + std::to_string(length) + " bytes does not fit");
  CR_TRY(const std::string text, file.text(prefix, length));
  const std::optional<Header> header = HeaderReader(text).header();
  if (!header) return corrupt("the header is not one of a plain array");
  Tensor tensor;
  const auto* known = descriptors.begin();
  while (known != descriptors.end() && known->first != *header->descriptor) ++known;
  if (known == descriptors.end())
    return fail(ErrorCode::unsupported,
                file.name() + ": elements of type '" + header->descriptor->substr(0, 32) +
                    "' are not read; save little-endian f8, f4 or f2, or bf16 and e4m3 as "
                    ".safetensors");
  tensor.type = known->second;
  tensor.shape = *header->shape;
  if (*header->fortran_order && tensor.shape.size() > 1)
    return fail(ErrorCode::unsupported,
                file.name() + " is in Fortran order; save numpy.ascontiguousarray of it");
  const auto bytes = tensor_bytes(tensor.type, tensor.shape);
  if (!bytes) return fail(bytes.error(), file.name());
  if (*bytes != file.bytes() - prefix - length)
    return corrupt("shape " + shape_text(tensor.shape) + " needs " + std::to_string(*bytes) +
                   " bytes, the file has " + std::to_string(file.bytes() - prefix - length));
  if (*bytes > bytes_max)
    return fail(
        ErrorCode::invalid_argument,
        file.name() + " is larger than the " + std::to_string(bytes_max) + " bytes that are read");
  tensor.data.resize(*bytes);
  CR_CHECK(file.read(prefix + length, tensor.data));
  return tensor;
}

Result<void> write_npy(const std::filesystem::path& path, const Tensor& tensor) {
  const auto* known = descriptors.begin();
  while (known != descriptors.end() && known->second != tensor.type) ++known;
  if (known == descriptors.end())
    return fail(ErrorCode::unsupported, ".npy has no elements of type " +
                                            std::string(to_string(tensor.type)) +
                                            "; write .safetensors");
  std::string sizes;
  for (const std::int64_t size : tensor.shape) sizes += std::to_string(size) + ", ";
  std::string header = "{'descr': '" + std::string(known->first) +
                       "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  header.resize((header.size() + 10 + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string start(magic);
  start += {'\x01', '\x00', static_cast<char>(header.size() & 0xff),
            static_cast<char>(header.size() >> 8)};
  return write_file(path, {std::as_bytes(std::span(start)), std::as_bytes(std::span(header)),
                           std::span<const std::byte>(tensor.data)});
}

}  // namespace checkride::kernels
