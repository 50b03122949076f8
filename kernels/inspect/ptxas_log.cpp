#include "kernels/inspect/ptxas_log.h"

#include <charconv>
#include <map>
#include <optional>
#include <string>

namespace checkride::kernels::inspect {

namespace {

constexpr std::size_t kernels_max = 65536;

// The whole number at the beginning of the text.
std::optional<std::int64_t> leading_number(std::string_view text) {
  std::int64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end.ec != std::errc() || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> number_before(std::string_view line, std::string_view words) {
  const std::size_t end = line.find(words);
  if (end == std::string_view::npos) return std::nullopt;
  std::size_t begin = end;
  while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9') --begin;
  return leading_number(line.substr(begin, end - begin));
}

std::string_view quoted_after(std::string_view line, std::string_view words) {
  const std::size_t at = line.find(words);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = line.substr(at + words.size());
  return rest.substr(0, rest.find('\''));
}

class Reader {
 public:
  void line(std::string_view text) {
    if (const auto entry = quoted_after(text, "Compiling entry function '"); !entry.empty()) {
      entry_ = at(entry);
      kernels_[entry_].entry = true;
      const auto sm = leading_number(quoted_after(text, "for 'sm_"));
      kernels_[entry_].sm = static_cast<int>(sm.value_or(0) % 1000);
    } else if (const std::size_t name = text.find(properties_); name != std::string_view::npos) {
      function_ = at(text.substr(name + properties_.size()));
      has_function_ = true;
    } else if (const auto stores = number_before(text, " bytes spill stores"); stores) {
      if (!has_function_) return;
      KernelCode& kernel = kernels_[function_];
      kernel.spills.store_bytes = *stores;
      kernel.spills.load_bytes = number_before(text, " bytes spill loads").value_or(0);
      kernel.stack_bytes = number_before(text, " bytes stack frame").value_or(0);
    } else if (const std::size_t used = text.find("Used "); used != std::string_view::npos) {
      if (kernels_.empty() || !kernels_[entry_].entry) return;
      KernelCode& kernel = kernels_[entry_];
      kernel.registers = number_before(text, " registers").value_or(0);
      kernel.smem_bytes = number_before(text, " bytes smem").value_or(0);
    }
  }

  std::vector<KernelCode> take() { return std::move(kernels_); }

 private:
  std::size_t at(std::string_view name) {
    const auto [found, is_new] = index_.emplace(std::string(name), kernels_.size());
    if (is_new && kernels_.size() < kernels_max) {
      kernels_.emplace_back().mangled = name;
    } else if (is_new) {
      found->second = 0;
    }
    return found->second;
  }

  static constexpr std::string_view properties_ = "Function properties for ";
  std::vector<KernelCode> kernels_;
  std::map<std::string, std::size_t> index_;
  std::size_t entry_ = 0;
  std::size_t function_ = 0;
  bool has_function_ = false;
};

}  // namespace

std::vector<KernelCode> read_ptxas_log(std::string_view log) {
  Reader reader;
  while (!log.empty()) {
    const std::size_t end = log.find('\n');
    std::string_view line = log.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    reader.line(line);
    log.remove_prefix(end == std::string_view::npos ? log.size() : end + 1);
  }
  auto all = reader.take();
  // An entry without its "Used" line was cut off: no figures.
  std::erase_if(all, [](const KernelCode& k) { return k.entry && k.registers == 0; });
  return all;
}

}  // namespace checkride::kernels::inspect
