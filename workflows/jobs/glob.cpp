#include "workflows/jobs/glob.h"

#include <re2/re2.h>

namespace checkride::jobs {

struct Globs::Compiled {
  Compiled(const std::string& text, const re2::RE2::Options& options) : pattern(text, options) {}
  re2::RE2 pattern;
};

namespace {

std::string expression_of(std::string_view glob) {
  const bool plain = glob.find_first_of("*?[") == std::string_view::npos;
  const bool folder = glob.ends_with('/');
  if (folder) glob.remove_suffix(1);
  std::string text;
  for (std::size_t i = 0; i < glob.size(); ++i) {
    const char c = glob[i];
    const std::size_t close = c == '[' ? glob.find(']', i + 2) : std::string_view::npos;
    if (c == '*' && glob.substr(i).starts_with("**/")) {
      text += "(?:.*/)?";
      i += 2;
    } else if (c == '*' && glob.substr(i).starts_with("**")) {
      text += ".*";
      i += 1;
    } else if (c == '*') {
      text += "[^/]*";
    } else if (c == '?') {
      text += "[^/]";
    } else if (close != std::string_view::npos) {
      std::string set(glob.substr(i + 1, close - i - 1));
      const bool negated = set.starts_with('!') || set.starts_with('^');
      if (negated) set.erase(0, 1);
      text += negated ? "[^/" : "[";
      for (const char member : set) {
        if (member == '\\' || member == '[' || member == '^') text += '\\';
        text += member;
      }
      text += "]";
      i = close;
    } else {
      text += re2::RE2::QuoteMeta(re2::StringPiece(&c, 1));
    }
  }
  if (folder) return text + "/.*";
  return plain ? text + "(?:/.*)?" : text;
}

}  // namespace

Result<Globs> Globs::compile(const std::vector<std::string>& patterns) {
  Globs globs;
  globs.empty_ = patterns.empty();
  std::string all;
  for (const std::string& pattern : patterns)
    all += (all.empty() ? "(?:" : "|(?:") + expression_of(pattern) + ")";
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // paths are bytes
  options.set_dot_nl(true);
  options.set_log_errors(false);
  auto compiled = std::make_shared<Compiled>(all, options);
  if (!compiled->pattern.ok())
    return fail(ErrorCode::invalid_argument,
                "a path pattern is not valid: " + compiled->pattern.error());
  globs.compiled_ = std::move(compiled);
  return globs;
}

bool Globs::matches(std::string_view path) const {
  return !empty_ &&
         re2::RE2::FullMatch(re2::StringPiece(path.data(), path.size()), compiled_->pattern);
}

}  // namespace checkride::jobs
