#include "engine/runners/local/output_match.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <boost/json/value.hpp>
#include <charconv>
#include <map>
#include <optional>

#include "engine/base/files.h"
#include "engine/runners/local/value_json.h"

namespace checkride {

namespace {

constexpr std::size_t shown_bytes_max = 80;

std::string in_quotes(std::string_view text) {
  const bool cut = text.size() > shown_bytes_max;
  return "'" + std::string(text.substr(0, shown_bytes_max)) + (cut ? "...'" : "'");
}

// The text as the rule's type; nothing when it has another form.
std::optional<cel::Value> typed(const cel::Type& type, std::string_view text) {
  if (type.kind() == cel::Type::Kind::string) return cel::Value(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto read = [&](auto number) -> std::optional<cel::Value> {
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
    return cel::Value(number);
  };
  if (type.kind() == cel::Type::Kind::integer) return read(std::int64_t{});
  if (type.kind() == cel::Type::Kind::floating) return read(double{});
  return cel::Value(text);
}

std::string misfit(const ParseRule& rule, std::string_view text) {
  return "parse rule '" + rule.name + "' found " + in_quotes(text) + ", which is no " +
         cel::to_string(rule.type);
}

}  // namespace

struct OutputMatch::Data {
  struct Substring {
    std::string text;
    bool wanted = true;  // false: must not occur
    bool found = false;
  };
  struct Rule {
    ParseRule rule;
    std::unique_ptr<RE2> regex;
    std::optional<std::string> last;
  };
  struct Channel {
    std::string overlap;  // end of what passed, shorter than the longest substring
    std::string line;     // the unfinished line
    bool overlong = false;
  };

  std::vector<Substring> substrings;
  std::size_t overlap_bytes = 0;
  std::vector<Rule> rules;
  std::array<Channel, 2> channels;
  std::vector<std::string> unmet;
  cel::Map values;
  std::string impossible;

  void match_substrings(Channel& channel, std::string_view piece);
  void match_lines(Channel& channel, std::string_view piece);
  void match_line(Channel& channel);
};

void OutputMatch::Data::match_substrings(Channel& channel, std::string_view piece) {
  if (substrings.empty()) return;
  channel.overlap += piece;
  for (Substring& substring : substrings)
    if (!substring.found)
      substring.found = channel.overlap.find(substring.text) != std::string::npos;
  if (channel.overlap.size() > overlap_bytes)
    channel.overlap.erase(0, channel.overlap.size() - overlap_bytes);
}

void OutputMatch::Data::match_lines(Channel& channel, std::string_view piece) {
  if (rules.empty()) return;
  while (!piece.empty()) {
    const std::size_t end = piece.find_first_of("\n\r");
    const std::string_view part = piece.substr(0, end);
    if (channel.line.size() + part.size() > line_bytes_max)
      channel.overlong = true;
    else
      channel.line += part;
    if (end == piece.npos) return;
    match_line(channel);
    piece.remove_prefix(end + 1);
  }
}

void OutputMatch::Data::match_line(Channel& channel) {
  if (channel.overlong) {
    impossible = "a line of the output is longer than " + std::to_string(line_bytes_max) +
                 " bytes, so the parse rules could not be matched on it";
    channel.overlong = false;
    channel.line.clear();
    return;
  }
  const re2::StringPiece line(channel.line);
  for (Rule& rule : rules) {
    const int groups = rule.regex->NumberOfCapturingGroups() > 0 ? 2 : 1;
    std::array<re2::StringPiece, 2> found;
    std::size_t from = 0;
    while (from <= line.size() &&
           rule.regex->Match(line, from, line.size(), RE2::UNANCHORED, found.data(), groups)) {
      const re2::StringPiece& value = found[static_cast<std::size_t>(groups - 1)];
      rule.last = std::string(value.data() == nullptr ? "" : value.data(), value.size());
      const auto end = static_cast<std::size_t>(found[0].data() - line.data()) + found[0].size();
      from = found[0].empty() ? end + 1 : end;
    }
  }
  channel.line.clear();
}

OutputMatch::OutputMatch(std::unique_ptr<Data> data) : data_(std::move(data)) {}
OutputMatch::OutputMatch(OutputMatch&&) noexcept = default;
OutputMatch& OutputMatch::operator=(OutputMatch&&) noexcept = default;
OutputMatch::~OutputMatch() = default;

Result<OutputMatch> OutputMatch::create(const Expectation& expect,
                                        const std::vector<ParseRule>& parse) {
  auto data = std::make_unique<Data>();
  for (const std::string& text : expect.log_contains)
    data->substrings.push_back({text, true, false});
  for (const std::string& text : expect.log_lacks) data->substrings.push_back({text, false, false});
  for (auto& substring : data->substrings) {
    substring.found = substring.text.empty();
    data->overlap_bytes = std::max(data->overlap_bytes, substring.text.size());
  }
  if (data->overlap_bytes > 0) --data->overlap_bytes;
  RE2::Options options;
  options.set_log_errors(false);
  for (const ParseRule& rule : parse) {
    if (rule.regex.empty()) continue;
    auto regex = std::make_unique<RE2>(rule.regex, options);
    if (!regex->ok())
      return fail(ErrorCode::invalid_argument, "the regular expression of parse rule '" +
                                                   rule.name + "' is none: " + regex->error());
    data->rules.push_back({rule, std::move(regex), std::nullopt});
  }
  return OutputMatch(std::move(data));
}

void OutputMatch::pass(Stream stream, std::string_view piece) {
  Data::Channel& channel = data_->channels[static_cast<std::size_t>(stream)];
  data_->match_substrings(channel, piece);
  data_->match_lines(channel, piece);
}

void OutputMatch::finish() {
  for (Data::Channel& channel : data_->channels)
    if (!channel.line.empty() || channel.overlong) data_->match_line(channel);
  for (const Data::Substring& substring : data_->substrings) {
    if (substring.wanted && !substring.found)
      data_->unmet.push_back("the output does not contain " + in_quotes(substring.text));
    if (!substring.wanted && substring.found)
      data_->unmet.push_back("the output contains " + in_quotes(substring.text));
  }
  for (const Data::Rule& rule : data_->rules) {
    if (!rule.last) continue;
    if (auto value = typed(rule.rule.type, *rule.last))
      data_->values.set(rule.rule.name, *std::move(value));
    else
      data_->unmet.push_back(misfit(rule.rule, *rule.last));
  }
}

const std::vector<std::string>& OutputMatch::unmet() const {
  return data_->unmet;
}
const cel::Map& OutputMatch::values() const {
  return data_->values;
}
const std::string& OutputMatch::impossible() const {
  return data_->impossible;
}

namespace {

// The JSON found by the pointer, as the rule's type.
std::optional<cel::Value> typed_json(const cel::Type& type, const boost::json::value& json) {
  switch (type.kind()) {
    case cel::Type::Kind::integer:
      if (json.is_int64()) return cel::Value(json.get_int64());
      return std::nullopt;
    case cel::Type::Kind::floating:
      if (json.is_number()) return cel::Value(json.to_number<double>());
      return std::nullopt;
    default:
      if (!json.is_string()) return std::nullopt;
      return cel::Value(std::string(json.get_string().data(), json.get_string().size()));
  }
}

}  // namespace

FileValues parse_files(const std::vector<ParseRule>& parse, const std::filesystem::path& folder,
                       const std::filesystem::path& standard_output, bool output_whole) {
  FileValues found;
  std::map<std::string, Result<boost::json::value>> documents;  // by path; each is read once
  for (const ParseRule& rule : parse) {
    if (!rule.regex.empty()) continue;
    const std::filesystem::path path = rule.file.empty() ? standard_output : folder / rule.file;
    if (rule.file.empty() && !output_whole) {
      found.impossible =
          "standard output was not kept whole, so parse rule '" + rule.name + "' could not read it";
      continue;
    }
    std::error_code no_size;
    const auto bytes = std::filesystem::file_size(path, no_size);
    if (no_size) continue;  // no file, no value: guards ask has()
    if (bytes > parsed_file_bytes_max) {
      found.impossible = "'" + path.native() + "' has more than " +
                         std::to_string(parsed_file_bytes_max) + " bytes, so parse rule '" +
                         rule.name + "' could not read it";
      continue;
    }
    auto place = documents.find(path.native());
    if (place == documents.end()) {
      auto text = read_file(path, parsed_file_bytes_max);
      place = documents.emplace(path.native(), text.and_then(parse_json)).first;
    }
    if (!place->second) {
      found.unmet.push_back("parse rule '" + rule.name + "' cannot read '" + path.native() +
                            "': " + place->second.error().message);
      continue;
    }
    std::error_code absent;
    const boost::json::value* json = place->second->find_pointer(rule.pointer, absent);
    if (json == nullptr) continue;
    if (auto value = typed_json(rule.type, *json))
      found.values.set(rule.name, *std::move(value));
    else
      found.unmet.push_back("parse rule '" + rule.name + "' found at '" + rule.pointer +
                            "' what is no " + cel::to_string(rule.type));
  }
  return found;
}

}  // namespace checkride
