#include "engine/cel/regex.h"

#include <re2/re2.h>

#include <algorithm>

namespace checkride::cel {
namespace {

constexpr std::size_t pattern_bytes_max = 4096;
constexpr std::int64_t automaton_bytes_max = 1 << 20;

class Re2Regex final : public Regex {
 public:
  Re2Regex(std::string_view pattern, const RE2::Options& options)
      : re_(re2::StringPiece(pattern.data(), pattern.size()), options) {}
  const RE2& re() const { return re_; }
  bool matches(std::string_view text) const override {
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), re_);
  }
  std::size_t size() const override {
    return static_cast<std::size_t>(std::max(re_.ProgramSize(), 0));
  }

 private:
  RE2 re_;
};

}  // namespace

Result<std::shared_ptr<const Regex>> compile_regex(std::string_view pattern) {
  if (pattern.size() > pattern_bytes_max)
    return fail(ErrorCode::invalid_argument, "a regular expression is longer than 4096 bytes");
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(automaton_bytes_max);
  auto regex = std::make_shared<const Re2Regex>(pattern, options);
  if (!regex->re().ok())
    return fail(ErrorCode::invalid_argument, "invalid regular expression: " + regex->re().error());
  return std::shared_ptr<const Regex>(std::move(regex));
}

}  // namespace checkride::cel
