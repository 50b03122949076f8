#include "workflows/loader/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>
#include <unordered_map>

#include "engine/base/utf8.h"

namespace checkride::loader {
namespace {

std::string_view line_of(std::string_view document, std::uint32_t line) {
  std::size_t begin = 0;
  for (std::uint32_t i = 1; i < line; ++i) {
    const std::size_t end = document.find('\n', begin);
    if (end == std::string_view::npos) return {};
    begin = end + 1;
  }
  std::string_view text = document.substr(begin, document.find('\n', begin) - begin);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

// The beginning of each line, so that a mark becomes a place without a walk over the document.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text), begins_{0} {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') begins_.push_back(i + 1);
  }
  // yaml-cpp counts bytes from 0, places count code points from 1.
  Place place(const YAML::Mark& mark) const {
    if (mark.is_null() || mark.line < 0 || mark.column < 0) return {1, 1};
    const auto line = std::min(static_cast<std::size_t>(mark.line), begins_.size() - 1);
    const std::string_view rest = text_.substr(begins_[line]);
    const auto column = std::min(static_cast<std::size_t>(mark.column), rest.size());
    // Marks come in order, so a long line is counted once, not once for each of its marks.
    if (line != counted_line_ || column < counted_bytes_) {
      counted_line_ = line;
      counted_bytes_ = counted_points_ = 0;
    }
    counted_points_ += count_code_points(rest.substr(counted_bytes_, column - counted_bytes_));
    counted_bytes_ = column;
    return {static_cast<std::uint32_t>(line + 1), static_cast<std::uint32_t>(counted_points_ + 1)};
  }
  Place place_of_offset(std::size_t offset) const {
    const auto next = std::upper_bound(begins_.begin(), begins_.end(), offset);
    const std::size_t begin = *(next - 1);
    return {static_cast<std::uint32_t>(next - begins_.begin()),
            static_cast<std::uint32_t>(count_code_points(text_.substr(begin, offset - begin)) +
                                       1)};
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> begins_;
  // How far place() has counted.
  mutable std::size_t counted_line_ = 0;
  mutable std::size_t counted_bytes_ = 0;
  mutable std::size_t counted_points_ = 0;
};

// Builds the tree from yaml-cpp's events and reports what the language refuses.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const Lines& lines, Reporter& reporter) : lines_(lines), reporter_(reporter) {}

  std::optional<Node> take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_anchor(mark, anchor);
    Node node;
    node.place = lines_.place(mark);
    add(std::move(node));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    reporter_.error(lines_.place(mark), "yaml", "aliases are not allowed; repeat the text");
    Node node;
    node.place = lines_.place(mark);
    add(std::move(node));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_anchor(mark, anchor);
    check_tag(mark, tag);
    Node node;
    node.kind = Node::Kind::scalar;
    node.place = lines_.place(mark);
    node.text = value;
    node.plain = tag != "!";
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Node node;
    std::optional<Entry> key;                              // of a map: read, its value not yet
    std::unordered_map<std::string, std::uint32_t> lines;  // of the keys so far
    bool drop_value = false;                               // the key was refused
  };

  void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0)
      reporter_.error(lines_.place(mark), "yaml", "anchors are not allowed; remove the '&' name");
  }
  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    reporter_.error(
        lines_.place(mark), "yaml",
        "the tag '" + tag + "' is not allowed; types follow from how a value is written");
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Node::Kind kind) {
    check_anchor(mark, anchor);
    check_tag(mark, tag);
    if (too_deep_ > 0 || levels_.size() >= document_depth_max) {
      if (too_deep_++ == 0 && !reported_depth_) {
        reported_depth_ = true;
        reporter_.error(
            lines_.place(mark), "yaml",
            "the document is nested deeper than " + std::to_string(document_depth_max) + " levels");
      }
      return;
    }
    Level level;
    level.node.kind = kind;
    level.node.place = lines_.place(mark);
    levels_.push_back(std::move(level));
  }
  void close() {
    if (too_deep_ > 0) {
      if (--too_deep_ == 0) add(Node{});
      return;
    }
    Node node = std::move(levels_.back().node);
    levels_.pop_back();
    add(std::move(node));
  }
  void add(Node node) {
    if (too_deep_ > 0) return;
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.is_list()) {
      level.node.items.push_back(std::move(node));
    } else if (!level.key) {
      add_key(level, node);
    } else {
      level.key->value = std::move(node);
      if (!level.drop_value) level.node.entries.push_back(*std::move(level.key));
      level.key.reset();
    }
  }
  void add_key(Level& level, const Node& node) {
    level.key = Entry{node.text, node.place, {}};
    level.drop_value = true;
    if (!node.is_scalar()) {
      reporter_.error(node.place, "yaml",
                      "a key must be text, not " + std::string(describe(node)) + "; quote it");
    } else if (node.plain && node.text == "<<") {
      reporter_.error(node.place, "yaml", "merge keys are not allowed; repeat the text");
    } else if (const auto [first, fresh] = level.lines.emplace(node.text, node.place.line);
               !fresh) {
      reporter_.error(node.place, "yaml",
                      "the key '" + node.text + "' stands twice in this map, first in line " +
                          std::to_string(first->second));
    } else {
      level.drop_value = false;
    }
  }

  const Lines& lines_;
  Reporter& reporter_;
  std::optional<Node> root_;
  std::vector<Level> levels_;
  std::size_t too_deep_ = 0;  // open collections below the limit
  bool reported_depth_ = false;
};

// Notes whether there was a document, and where.
class SecondDocument final : public YAML::EventHandler {
 public:
  std::optional<YAML::Mark> start;
  void OnDocumentStart(const YAML::Mark& mark) override { start = mark; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

bool check_bytes(std::string_view text, const Lines& lines, Reporter& reporter) {
  if (text.size() > document_bytes_max) {
    reporter.error({1, 1}, "yaml",
                   "the document has " + std::to_string(text.size()) + " bytes; at most " +
                       std::to_string(document_bytes_max) + " are read");
    return false;
  }
  if (!is_valid_utf8(text)) {
    std::size_t at = 0;
    std::size_t bad = 0;
    // An ill-formed byte moves by one; code points beyond ASCII have two bytes or more.
    while (at < text.size()) {
      bad = at;
      static_cast<void>(decode_utf8(text, at));
      if (at == bad + 1 && static_cast<unsigned char>(text[bad]) >= 0x80) break;
    }
    reporter.error(lines.place_of_offset(bad), "yaml", "the document is not valid UTF-8 here");
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) {
      reporter.error(lines.place_of_offset(i), "yaml",
                     "a carriage return stands here without a line feed; end lines with a line "
                     "feed, or with both");
      return false;
    }
    if ((byte >= 0x20 && byte != 0x7f) || byte == '\t' || byte == '\n' || byte == '\r') continue;
    reporter.error(lines.place_of_offset(i), "yaml",
                   "the document holds a control character here; remove it");
    return false;
  }
  return true;
}

bool digits_only(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

enum class Lexical : std::uint8_t { null, boolean, decimal, octal, hexadecimal, floating, string };

// YAML 1.2.2, section 10.3.2: the core schema's regular expressions.
Lexical classify(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return Lexical::null;
  if (text == "true" || text == "True" || text == "TRUE" || text == "false" || text == "False" ||
      text == "FALSE")
    return Lexical::boolean;
  const auto all_of = [](std::string_view part, std::string_view allowed) {
    return !part.empty() && part.find_first_not_of(allowed) == std::string_view::npos;
  };
  if (text.starts_with("0o") && all_of(text.substr(2), "01234567")) return Lexical::octal;
  if (text.starts_with("0x") && all_of(text.substr(2), "0123456789abcdefABCDEF"))
    return Lexical::hexadecimal;
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return Lexical::floating;
  std::string_view rest = text;
  if (rest.front() == '-' || rest.front() == '+') rest.remove_prefix(1);
  if (digits_only(rest)) return Lexical::decimal;
  if (rest == ".inf" || rest == ".Inf" || rest == ".INF") return Lexical::floating;
  // [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
  const std::size_t e = rest.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view exponent = rest.substr(e + 1);
    if (!exponent.empty() && (exponent.front() == '-' || exponent.front() == '+'))
      exponent.remove_prefix(1);
    if (!digits_only(exponent)) return Lexical::string;
    rest = rest.substr(0, e);
  }
  const std::size_t dot = rest.find('.');
  const std::string_view whole = rest.substr(0, dot);
  if (dot == std::string_view::npos)
    return digits_only(whole) ? Lexical::floating : Lexical::string;
  const std::string_view fraction = rest.substr(dot + 1);
  const bool fits = whole.empty()
                        ? digits_only(fraction)
                        : digits_only(whole) && (fraction.empty() || digits_only(fraction));
  return fits ? Lexical::floating : Lexical::string;
}

std::optional<cel::Value> whole_number(std::string_view text, int base) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return cel::Value(number);
}

double floating_number(std::string_view text) {
  const bool negative = text.front() == '-';
  if (text.front() == '-' || text.front() == '+') text.remove_prefix(1);
  double number = 0;
  if (text[0] == '.' && text.size() == 4 && (text[1] == 'i' || text[1] == 'I'))
    number = std::numeric_limits<double>::infinity();
  else if (text[0] == '.' && text.size() == 4 && (text[1] == 'n' || text[1] == 'N'))
    return std::numeric_limits<double>::quiet_NaN();
  else if (std::from_chars(text.data(), text.data() + text.size(), number).ec ==
           std::errc::result_out_of_range)
    number = text.find("e-") == std::string_view::npos && text.find("E-") == std::string_view::npos
                 ? std::numeric_limits<double>::infinity()
                 : 0.0;
  return negative ? -number : number;
}

}  // namespace

bool Node::is_string() const {
  return is_scalar() && (!plain || classify(text) == Lexical::string);
}

const Node* Node::find(std::string_view key) const {
  const Entry* found = entry(key);
  return found == nullptr ? nullptr : &found->value;
}

const Entry* Node::entry(std::string_view key) const {
  for (const Entry& e : entries)
    if (e.key == key) return &e;
  return nullptr;
}

std::string_view describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::list: return "a list";
    case Node::Kind::map: return "a map";
    case Node::Kind::scalar: break;
  }
  if (!node.plain) return "text";
  switch (classify(node.text)) {
    case Lexical::null: return "nothing";
    case Lexical::boolean: return "a bool";
    case Lexical::floating: return "a double";
    case Lexical::string: return "text";
    default: return "an int";
  }
}

std::optional<cel::Value> scalar_value(const Node& node) {
  if (node.is_null()) return cel::Value();
  if (!node.is_scalar()) return std::nullopt;
  if (!node.plain) return cel::Value(node.text);
  switch (classify(node.text)) {
    case Lexical::null: return cel::Value();
    case Lexical::boolean: return cel::Value(node.text[0] == 't' || node.text[0] == 'T');
    case Lexical::decimal: return whole_number(node.text, 10);
    case Lexical::octal: return whole_number(std::string_view(node.text).substr(2), 8);
    case Lexical::hexadecimal: return whole_number(std::string_view(node.text).substr(2), 16);
    case Lexical::floating: return cel::Value(floating_number(node.text));
    case Lexical::string: break;
  }
  return cel::Value(node.text);
}

std::optional<Node> read_yaml(std::string_view text, Reporter& reporter) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const Lines lines(text);
  if (!check_bytes(text, lines, reporter)) return std::nullopt;
  const std::size_t errors = reporter.errors();
  TreeBuilder builder(lines, reporter);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      reporter.error({1, 1}, "yaml", "the document is empty; a workflow starts with 'checkride: 1', its cases with 'rehearsal: 1'");
      return std::nullopt;
    }
    SecondDocument second;
    if (parser.HandleNextDocument(second))
      reporter.error(lines.place(*second.start), "yaml",
                     "a second document begins here; write one workflow in each file");
  } catch (const YAML::Exception& e) {
    const Place place = lines.place(e.mark);
    const std::string_view line = line_of(text, place.line);
    const std::string_view indent = line.substr(0, line.find_first_not_of(" \t"));
    std::string suggestion;
    // yaml-cpp ends plain text at '?' inside braces, where YAML would go on.
    if (e.msg == "unknown token")
      suggestion = "quote text that holds '?' inside {} or []";
    else if (indent.find('\t') != std::string_view::npos)
      suggestion = "indent with spaces; a tab is no indentation";
    reporter.error(place, "yaml", "this is not YAML: " + e.msg, std::move(suggestion));
  }
  if (reporter.errors() != errors) return std::nullopt;
  return builder.take();
}

Place place_within(const Node& scalar, const cel::Position& position, std::string_view document) {
  if (document.starts_with("\xEF\xBB\xBF")) document.remove_prefix(3);
  const std::string_view line = line_of(document, scalar.place.line);
  std::size_t at = offset_of_code_point(line, scalar.place.column - 1);
  if (at >= line.size()) return scalar.place;
  if (line[at] == '|') {
    // A literal block: its lines stand below, indented alike.
    const std::uint32_t target = scalar.place.line + position.line;
    std::uint32_t first = scalar.place.line + 1;
    std::string_view block = line_of(document, first);
    while (first < target && block.find_first_not_of(' ') == std::string_view::npos)
      block = line_of(document, ++first);
    const std::size_t indent = block.find_first_not_of(' ');
    if (indent == std::string_view::npos) return scalar.place;
    return {target, static_cast<std::uint32_t>(indent + position.column)};
  }
  if (position.line != 1) return scalar.place;
  if (line[at] == '"' || line[at] == '\'') ++at;
  if (line.substr(at, scalar.text.size()) != scalar.text) return scalar.place;
  const auto quote = at > 0 && !scalar.plain ? 1U : 0U;
  return {scalar.place.line, scalar.place.column + quote + position.column - 1};
}

}  // namespace checkride::loader
