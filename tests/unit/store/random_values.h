// Random values of every type that the log keeps, from one seed: each field of each struct is
// filled (Boost.PFR walks them), so a new field takes part without being named here.
#pragma once

#include <bit>
#include <boost/pfr.hpp>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <type_traits>

#include "engine/decider/state.h"
#include "engine/ports/event_log.h"
#include "store/codec/enums.h"

namespace checkride::testing {

class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }

  template <class T>
  T make() {
    T value{};
    fill(value);
    return value;
  }

  // The alternative with this index, filled.
  template <class Variant, std::size_t index = 0>
  Variant alternative(std::size_t wanted) {
    if constexpr (index < std::variant_size_v<Variant>) {
      if (wanted == index) return Variant(make<std::variant_alternative_t<index, Variant>>());
      return alternative<Variant, index + 1>(wanted);
    } else {
      return Variant();
    }
  }

  cel::Value value(int depth = 0) {
    switch (below(depth < 3 ? 14 : 9)) {
      case 0: return {};
      case 1: return cel::Value(below(2) == 1);
      case 2: return cel::Value(static_cast<std::int64_t>(number()));
      case 3: return cel::Value(number());
      case 4: return cel::Value(std::bit_cast<double>(number()));
      case 5: return cel::Value(text());
      case 6: return cel::Value(cel::Bytes{text()});
      case 7:
        return cel::Value(cel::Instant{static_cast<std::int64_t>(number() >> 20),
                                       static_cast<std::int32_t>(below(1'000'000'000))});
      case 8: return cel::Value(Duration(static_cast<std::int64_t>(number())));
      case 9: {
        cel::List list;
        for (std::uint64_t i = below(4); i > 0; --i) list.push_back(value(depth + 1));
        return cel::Value(std::move(list));
      }
      case 10: return cel::Value(map(depth + 1));
      case 11: return cel::Value(type(depth + 1));
      case 12: return cel::Value::optional_none();
      default: return cel::Value::optional_of(value(depth + 1));
    }
  }

  cel::Map map(int depth) {
    cel::Map map;
    for (std::uint64_t i = below(4); i > 0; --i) {
      cel::Value key;
      switch (below(4)) {
        case 0: key = cel::Value(below(2) == 1); break;
        case 1: key = cel::Value(static_cast<std::int64_t>(number())); break;
        case 2: key = cel::Value(number()); break;
        default: key = cel::Value(text()); break;
      }
      map.set(key, value(depth));
    }
    return map;
  }

  cel::Type type(int depth) {
    switch (below(depth < 3 ? 15 : 10)) {
      case 0: return cel::Type::dyn();
      case 1: return cel::Type::null();
      case 2: return cel::Type::boolean();
      case 3: return cel::Type::integer();
      case 4: return cel::Type::unsigned_integer();
      case 5: return cel::Type::floating();
      case 6: return cel::Type::string();
      case 7: return cel::Type::bytes();
      case 8: return cel::Type::timestamp();
      case 9: return cel::Type::duration();
      case 10: return cel::Type::list(type(depth + 1));
      case 11: return cel::Type::map(type(depth + 1), type(depth + 1));
      case 12: return cel::Type::optional(type(depth + 1));
      case 13: return cel::Type::type_of(type(depth + 1));
      default: {
        std::vector<cel::Field> fields;
        for (std::uint64_t i = below(3); i > 0; --i)
          fields.push_back(cel::Field{"f" + std::to_string(i), type(depth + 1), below(2) == 1});
        return cel::Type::record(std::move(fields));
      }
    }
  }

 private:
  // Small, large and extreme numbers are all likely.
  std::uint64_t number() {
    switch (below(4)) {
      case 0: return below(4);
      case 1: return below(100'000);
      case 2: return UINT64_MAX - below(3);
      default: return engine_();
    }
  }
  std::string text() {
    std::string text;
    for (std::uint64_t i = below(3) == 0 ? 0 : below(20); i > 0; --i)
      text.push_back(static_cast<char>(below(8) == 0 ? below(256) : 'a' + below(26)));
    return text;
  }

  void fill(bool& v) { v = below(2) == 1; }
  void fill(std::string& v) { v = text(); }
  void fill(cel::Value& v) { v = value(); }
  void fill(cel::Map& v) { v = map(1); }
  void fill(cel::Type& v) { v = type(1); }
  void fill(Duration& v) { v = Duration(static_cast<std::int64_t>(number())); }
  void fill(Digest& v) {
    v = Digest{};
    if (below(3) != 0)
      for (auto& byte : v.bytes) byte = static_cast<std::uint8_t>(below(256));
  }
  template <class Tag>
  void fill(Name<Tag>& v) {
    v.value = text();
  }
  template <class Tag, class Integer>
  void fill(Number<Tag, Integer>& v) {
    v.value = static_cast<Integer>(number());
  }
  template <class T>
  void fill(std::optional<T>& v) {
    v.reset();
    if (below(2) == 1) v = make<T>();
  }
  template <class T>
  void fill(std::vector<T>& v) {
    v.clear();
    for (std::uint64_t i = below(4); i > 0; --i) v.push_back(make<T>());
  }
  template <class T>
  void fill(std::deque<T>& v) {
    v.clear();
    for (std::uint64_t i = below(4); i > 0; --i) v.push_back(make<T>());
  }
  template <class K, class T>
  void fill(std::map<K, T>& v) {
    v.clear();
    for (std::uint64_t i = below(4); i > 0; --i) v.insert_or_assign(make<K>(), make<T>());
  }
  template <class A, class B>
  void fill(std::pair<A, B>& v) {
    fill(v.first);
    fill(v.second);
  }
  template <class T>
  void fill(std::shared_ptr<const T>& v) {
    v = std::make_shared<const T>(make<T>());
  }
  template <class... Alternatives>
  void fill(std::variant<Alternatives...>& v) {
    v = alternative<std::variant<Alternatives...>>(below(sizeof...(Alternatives)));
  }
  template <class T>
  void fill(T& v) {
    if constexpr (std::is_enum_v<T>)
      v = static_cast<T>(below(codec::alternatives<T>));
    else if constexpr (std::is_integral_v<T>)
      v = static_cast<T>(number());
    else
      boost::pfr::for_each_field(v, [this](auto& field) { fill(field); });
  }

  std::mt19937_64 engine_;
};

}  // namespace checkride::testing
