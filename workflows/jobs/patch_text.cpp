#include "workflows/jobs/patch_text.h"

#include <algorithm>
#include <charconv>

#include "engine/base/digest.h"
#include "engine/base/files.h"
#include "workflows/jobs/bounded.h"

namespace checkride::jobs {

namespace fs = std::filesystem;

namespace {

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// A path in a header: C-quoted when it holds odd bytes, else up to a tab.
std::string header_path(std::string_view text) {
  if (!text.starts_with('"')) return std::string(text.substr(0, text.find('\t')));
  std::string path;
  for (std::size_t i = 1; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      path += text[i];
      continue;
    }
    const char c = text[++i];
    if (is_octal(c) && i + 2 < text.size() && is_octal(text[i + 1]) && is_octal(text[i + 2])) {
      path += static_cast<char>((c - '0') * 64 + (text[i + 1] - '0') * 8 + (text[i + 2] - '0'));
      i += 2;
    } else {
      constexpr std::string_view names = "abtnvfr";
      constexpr std::string_view bytes = "\a\b\t\n\v\f\r";
      const std::size_t at = names.find(c);
      path += at == std::string_view::npos ? c : bytes[at];
    }
  }
  return path;
}

std::string stripped(std::string path, int strip) {
  if (path == "/dev/null") return path;
  for (int i = 0; i < strip; ++i) {
    const std::size_t slash = path.find('/');
    if (slash == std::string::npos) break;
    path.erase(0, slash + 1);
  }
  return path;
}

// "a/X b/X" of a diff line with equal names; the only form git relies on as well.
std::string git_header_path(std::string_view rest, int strip) {
  if (rest.starts_with('"')) return stripped(header_path(rest), strip);
  for (std::size_t space = rest.find(' '); space != std::string_view::npos;
       space = rest.find(' ', space + 1)) {
    const std::string first = stripped(std::string(rest.substr(0, space)), strip);
    if (first == stripped(std::string(rest.substr(space + 1)), strip)) return first;
  }
  return {};
}

std::int64_t number_at(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Lines of the old and new side that a hunk header announces; a missing count is 1.
std::pair<std::int64_t, std::int64_t> hunk_counts(std::string_view line) {
  const auto count_after = [&](char sign) -> std::int64_t {
    const std::size_t at = line.find(sign);
    if (at == std::string_view::npos) return 0;
    const std::size_t end = line.find(' ', at);
    const std::size_t comma = line.find(',', at);
    if (comma == std::string_view::npos || comma > end) return 1;
    return number_at(line.substr(comma + 1));
  };
  return {count_after('-'), count_after('+')};
}

class HeaderReader {
 public:
  explicit HeaderReader(int strip) : strip_(strip) {}

  void line(std::string_view text) {
    if (old_left_ > 0 || new_left_ > 0) return hunk_line(text);
    const auto after = [&](std::string_view prefix) { return text.substr(prefix.size()); };
    if (text.starts_with("diff --git ")) {
      begin();
      file_->path = file_->old_path = git_header_path(after("diff --git "), strip_);
      from_git_ = true;
    } else if (text.starts_with("--- ")) {
      // A traditional diff has no line of its own before this one.
      if (!from_git_ || file_ == nullptr || has_hunks_) begin();
      old_name_ = stripped(header_path(after("--- ")), strip_);
      if (old_name_ != "/dev/null") file_->old_path = old_name_;
    } else if (file_ == nullptr) {
      return;
    } else if (text.starts_with("+++ ")) {
      const std::string name = stripped(header_path(after("+++ ")), strip_);
      if (name == "/dev/null") {
        file_->change = "delete";
        file_->path = file_->old_path;
      } else {
        file_->path = name;
        if (old_name_ == "/dev/null") mark_created();
      }
    } else if (text.starts_with("@@ -")) {
      std::tie(old_left_, new_left_) = hunk_counts(text);
      has_hunks_ = true;
    } else {
      extended(text);
    }
  }

  std::vector<PatchFile> take() { return std::move(files_); }

 private:
  void begin() {
    files_.emplace_back();
    file_ = &files_.back();
    file_->change = "modify";
    has_hunks_ = false;
    from_git_ = false;
    old_name_.clear();
  }

  void mark_created() {
    file_->change = "create";
    file_->old_path.clear();
    file_->preimage.clear();
  }

  void extended(std::string_view text) {
    const auto after = [&](std::string_view prefix) {
      return stripped(header_path(text.substr(prefix.size())), strip_ > 0 ? strip_ - 1 : 0);
    };
    if (text.starts_with("index ")) {
      const std::string_view ids = text.substr(6);
      const std::string id(ids.substr(0, ids.find("..")));
      if (file_->change != "create" && id.find_first_not_of('0') != std::string::npos)
        file_->preimage = id;
    } else if (text.starts_with("new file mode ")) {
      mark_created();
    } else if (text.starts_with("deleted file mode ")) {
      file_->change = "delete";
    } else if (text.starts_with("rename from ")) {
      file_->old_path = after("rename from ");
      file_->change = "rename";
    } else if (text.starts_with("rename to ")) {
      file_->path = after("rename to ");
    } else if (text.starts_with("copy from ")) {
      file_->old_path = after("copy from ");
      file_->change = "copy";
    } else if (text.starts_with("copy to ")) {
      file_->path = after("copy to ");
    } else if (text.starts_with("GIT binary patch") || text.starts_with("Binary files ")) {
      file_->binary = true;
    }
  }

  void hunk_line(std::string_view text) {
    const char sign = text.empty() ? ' ' : text.front();
    if (sign == '-') {
      --old_left_;
      ++file_->removed;
    } else if (sign == '+') {
      --new_left_;
      ++file_->added;
    } else if (sign != '\\') {
      --old_left_;
      --new_left_;
    }
  }

  int strip_;
  std::vector<PatchFile> files_;
  PatchFile* file_ = nullptr;
  std::string old_name_;
  bool from_git_ = false;
  bool has_hunks_ = false;
  std::int64_t old_left_ = 0;
  std::int64_t new_left_ = 0;
};

bool has_crlf_ends(std::string_view text) {
  std::size_t lines = 0;
  std::size_t with = 0;
  for (std::size_t at = text.find('\n'); at != std::string_view::npos;
       at = text.find('\n', at + 1)) {
    ++lines;
    if (at > 0 && text[at - 1] == '\r') ++with;
  }
  // A converted patch has CR on its header lines too, so on every line; a patch of a CRLF file has
  // not.
  return lines > 0 && with == lines;
}

}  // namespace

std::vector<PatchFile> parse_patch_headers(std::string_view text, int strip) {
  HeaderReader reader(strip);
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    reader.line(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  std::vector<PatchFile> files = reader.take();
  std::erase_if(files, [](const PatchFile& file) { return file.path.empty(); });
  return files;
}

std::vector<std::string> PatchText::targets() const {
  std::vector<std::string> all;
  for (const PatchFile& file : files) {
    all.push_back(file.path);
    if (!file.old_path.empty() && file.change != "copy") all.push_back(file.old_path);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

Result<PatchText> read_patch(const Git& git, const fs::path& patch, int strip) {
  PatchText parsed;
  std::error_code ignored;
  if (!fs::is_regular_file(patch, ignored)) {
    parsed.problem = "missing";
    parsed.message = "there is no patch file " + patch.string();
    return parsed;
  }
  CR_TRY(const std::string text, read_file(patch, patch_bytes_max));
  parsed.sha256 = to_hex(sha256(text));
  parsed.bytes = static_cast<std::int64_t>(text.size());
  parsed.crlf = has_crlf_ends(text);
  if (text.empty()) {
    parsed.problem = "empty";
    parsed.message = patch.string() + " is empty";
    return parsed;
  }
  CR_TRY(const ProcessReply reply,
         git.run({"apply", "--numstat", "-z", "-p" + std::to_string(strip), patch.string()}));
  if (reply.exit_code != 0) {
    parsed.problem = "corrupt";
    parsed.message = end_of(reply.err, 500);
    return parsed;
  }
  parsed.files = parse_patch_headers(text, strip);
  // Paths git sees and we did not (a form of header unknown here) still count as targets.
  for (const std::string& line : split_zero(reply.out)) {
    const std::size_t tab = line.rfind('\t');
    if (tab == std::string::npos) continue;
    const std::string path = line.substr(tab + 1);
    const auto known = std::find_if(parsed.files.begin(), parsed.files.end(),
                                    [&](const PatchFile& file) { return file.path == path; });
    if (known == parsed.files.end())
      parsed.files.push_back({path, path, "modify", {}, 0, 0, line.starts_with('-')});
  }
  return parsed;
}

}  // namespace checkride::jobs
