#include "engine/runners/local/secret_mask.h"

#include <algorithm>

namespace checkride {

namespace {
constexpr std::size_t line_bytes_min = 8;
constexpr std::string_view stars = "***";
}  // namespace

SecretMask::SecretMask(const EnvironmentVariables& secrets) {
  for (const auto& [name, value] : secrets) {
    if (value.empty()) continue;
    values_.push_back(value);
    if (value.find('\n') == std::string::npos) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.size() >= line_bytes_min) values_.emplace_back(line);
    }
  }
  std::sort(values_.begin(), values_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
  for (const std::string& value : values_)
    begins_[static_cast<unsigned char>(value.front())] = true;
}

std::string SecretMask::scan(std::string& pending, bool ended) const {
  std::string out;
  std::size_t at = 0;
  while (at < pending.size()) {
    const std::string_view rest = std::string_view(pending).substr(at);
    if (!begins_[static_cast<unsigned char>(rest.front())]) {
      out.push_back(rest.front());
      ++at;
      continue;
    }
    // The longest value wins; one that the piece ends in the middle of is waited for.
    const std::string* found = nullptr;
    bool wait = false;
    for (const std::string& value : values_) {
      if (rest.starts_with(value)) {
        found = &value;
        break;
      }
      if (!ended && std::string_view(value).starts_with(rest)) {
        wait = true;
        break;
      }
    }
    if (wait) break;
    if (found != nullptr) {
      out += stars;
      at += found->size();
    } else {
      out.push_back(rest.front());
      ++at;
    }
  }
  pending.erase(0, at);
  return out;
}

std::string SecretMask::pass(std::string_view piece) {
  if (values_.empty()) return std::string(piece);
  pending_ += piece;
  return scan(pending_, false);
}

std::string SecretMask::finish() {
  return scan(pending_, true);
}

std::string SecretMask::mask(std::string_view text) const {
  std::string pending(text);
  return values_.empty() ? pending : scan(pending, true);
}

cel::Map SecretMask::mask_map(const cel::Map& map) const {
  cel::Map masked;
  for (const auto& [key, value] : map) masked.set(mask_value(key), mask_value(value));
  return masked;
}

cel::Value SecretMask::mask_value(const cel::Value& value) const {
  switch (value.kind()) {
    case cel::Kind::string: return cel::Value(mask(value.as_string()));
    case cel::Kind::bytes: return cel::Value(cel::Bytes{mask(value.as_bytes().data)});
    case cel::Kind::map: return cel::Value(mask_map(value.as_map()));
    case cel::Kind::list: {
      cel::List masked;
      for (const cel::Value& item : value.as_list()) masked.push_back(mask_value(item));
      return cel::Value(std::move(masked));
    }
    default: return value;
  }
}

void SecretMask::mask_outcome(JobOutcome& outcome) const {
  if (values_.empty()) return;
  outcome.message = mask(outcome.message);
  outcome.result = mask_value(outcome.result);
  for (JobFact& fact : outcome.facts) fact.fields = mask_map(fact.fields);
}

}  // namespace checkride
