// The .safetensors format: the header's length in 8 bytes, a JSON object from names to {dtype,
// shape, data_offsets} and one optional __metadata__, then the tensors back to back without gaps.
#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "kernels/tensor/files.h"
#include "kernels/tensor/input_file.h"
#include "kernels/tensor/output_file.h"

namespace checkride::kernels {

namespace json = boost::json;

namespace {

constexpr std::uint64_t header_bytes_max = std::uint64_t{32} << 20;

constexpr std::array<std::pair<std::string_view, ElementType>, 9> dtypes = {{
    {"F64", ElementType::f64},
    {"F32", ElementType::f32},
    {"F16", ElementType::f16},
    {"BF16", ElementType::bf16},
    {"F8_E4M3", ElementType::e4m3},
    {"U8", ElementType::u8},
    {"I8", ElementType::i8},
    {"I32", ElementType::i32},
    {"I64", ElementType::i64},
}};

std::string in_quotes(std::string_view name) {
  return "'" + std::string(name.substr(0, 80)) + "'";
}

// One line of the header. The type is unknown where this build has no such elements.
struct Entry {
  std::string name;
  std::string dtype;
  std::optional<ElementType> type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

std::optional<std::uint64_t> offset_of(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0)
    return static_cast<std::uint64_t>(value.get_int64());
  return std::nullopt;
}

Result<Entry> entry_of(std::string_view name, const json::value& value) {
  const auto corrupt = [&](const std::string& what) {
    return fail(ErrorCode::corrupt, "tensor " + in_quotes(name) + ": " + what);
  };
  const json::object* object = value.if_object();
  const json::value* dtype = object == nullptr ? nullptr : object->if_contains("dtype");
  const json::value* shape = object == nullptr ? nullptr : object->if_contains("shape");
  const json::value* offsets = object == nullptr ? nullptr : object->if_contains("data_offsets");
  if (dtype == nullptr || shape == nullptr || offsets == nullptr || !dtype->is_string() ||
      !shape->is_array() || !offsets->is_array() || offsets->get_array().size() != 2 ||
      object->size() != 3)
    return corrupt("needs a dtype, a shape and two data_offsets");
  Entry entry{std::string(name), json::value_to<std::string>(*dtype), {}, {}, 0, 0};
  for (const json::value& size : shape->get_array()) {
    if (!size.is_int64() || size.get_int64() < 0 || entry.shape.size() == 64)
      return corrupt("the shape is not one");
    entry.shape.push_back(size.get_int64());
  }
  const auto begin = offset_of(offsets->get_array()[0]);
  const auto end = offset_of(offsets->get_array()[1]);
  if (!begin || !end || *begin > *end) return corrupt("data_offsets are not a range");
  entry.begin = *begin;
  entry.end = *end;
  for (const auto& [word, type] : dtypes)
    if (word == entry.dtype) entry.type = type;
  if (entry.type) {
    CR_TRY(const std::uint64_t needed, tensor_bytes(*entry.type, entry.shape));
    if (needed != entry.end - entry.begin)
      return corrupt("shape " + shape_text(entry.shape) + " needs " + std::to_string(needed) +
                     " bytes, data_offsets hold " + std::to_string(entry.end - entry.begin));
  }
  return entry;
}

// All entries by place, which cover the data without gap or overlap.
Result<std::vector<Entry>> entries_of(const std::string& header, std::uint64_t data_bytes) {
  json::parse_options options;
  options.max_depth = 8;
  boost::system::error_code error;
  json::value document;
  try {
    document = json::parse(header, error, {}, options);
  } catch (const std::exception&) {
    return fail(ErrorCode::corrupt, "the header is too large to be read");
  }
  if (error || !document.is_object())
    return fail(ErrorCode::corrupt, "the header is not a JSON object");
  std::vector<Entry> entries;
  for (const auto& [key, value] : document.get_object()) {
    if (key == "__metadata__") continue;
    CR_TRY(Entry entry, entry_of({key.data(), key.size()}, value));
    entries.push_back(std::move(entry));
  }
  std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
  std::uint64_t reached = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != reached)
      return fail(ErrorCode::corrupt,
                  "tensor " + in_quotes(entry.name) + " starts at byte " +
                      std::to_string(entry.begin) + " and the one before it ends at " +
                      std::to_string(reached) + "; gaps and overlaps are refused");
    reached = entry.end;
  }
  if (reached != data_bytes)
    return fail(ErrorCode::corrupt, "the header speaks of " + std::to_string(reached) +
                                        " bytes of data, the file has " +
                                        std::to_string(data_bytes));
  return entries;
}

std::string names_of(const std::vector<Entry>& entries) {
  std::string names;
  for (std::size_t i = 0; i < entries.size() && i < 8; ++i)
    names += (i == 0 ? "" : ", ") + in_quotes(entries[i].name);
  return names + (entries.size() > 8 ? ", ..." : "");
}

}  // namespace

Result<Tensor> read_safetensors(const InputFile& file, std::string_view name,
                                std::size_t bytes_max) {
  std::array<std::byte, 8> prefix{};
  if (file.bytes() < prefix.size())
    return fail(ErrorCode::corrupt, file.name() + ": too short to be a .safetensors file");
  CR_CHECK(file.read(0, prefix));
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < prefix.size(); ++i)
    length |= static_cast<std::uint64_t>(prefix[i]) << 8 * i;
  if (length > header_bytes_max || length > file.bytes() - prefix.size())
    return fail(ErrorCode::corrupt, file.name() + ": a header of " + std::to_string(length) +
                                        " bytes does not fit into the file");
  CR_TRY(const std::string header, file.text(prefix.size(), length));
  const std::uint64_t data_at = prefix.size() + length;
  const auto entries = entries_of(header, file.bytes() - data_at);
  if (!entries) return fail(entries.error(), file.name());
  if (name.empty() && entries->size() != 1)
    return fail(ErrorCode::invalid_argument, file.name() + " holds " +
                                                 std::to_string(entries->size()) +
                                                 " tensors; name one of " + names_of(*entries));
  const auto found =
      name.empty() ? entries->begin() : std::ranges::find(*entries, name, &Entry::name);
  if (found == entries->end())
    return fail(ErrorCode::not_found, file.name() + " has no tensor " + in_quotes(name) +
                                          "; it has " + names_of(*entries));
  if (!found->type)
    return fail(ErrorCode::unsupported,
                file.name() + ": elements of type " + in_quotes(found->dtype) + " are not read");
  if (found->end - found->begin > bytes_max)
    return fail(ErrorCode::invalid_argument,
                file.name() + ": tensor " + in_quotes(found->name) + " is larger than the " +
                    std::to_string(bytes_max) + " bytes that are read");
  Tensor tensor{*found->type, found->shape, {}};
  tensor.data.resize(found->end - found->begin);
  CR_CHECK(file.read(data_at + found->begin, tensor.data));
  return tensor;
}

Result<void> write_safetensors(const std::filesystem::path& path,
                               const std::map<std::string, Tensor>& tensors) {
  json::object header;
  std::vector<std::span<const std::byte>> pieces(2);
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    json::array shape;
    for (const std::int64_t size : tensor.shape) shape.emplace_back(size);
    const auto* known = dtypes.begin();
    while (known->second != tensor.type) ++known;
    header[name] = {{"dtype", std::string(known->first)},
                    {"shape", std::move(shape)},
                    {"data_offsets", {at, at + tensor.data.size()}}};
    at += tensor.data.size();
    pieces.emplace_back(tensor.data);
  }
  std::string text = json::serialize(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::array<std::byte, 8> prefix{};
  for (std::size_t i = 0; i < prefix.size(); ++i)
    prefix[i] = static_cast<std::byte>(text.size() >> 8 * i & 0xff);
  pieces[0] = prefix;
  pieces[1] = std::as_bytes(std::span(text));
  return write_file(path, pieces);
}

}  // namespace checkride::kernels
