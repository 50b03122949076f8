// Small steps between C++ fields and Cap'n Proto fields, shared by every file of this folder: text,
// digests, numbers with a meaning, enumerations, optionals and lists. `write` puts a value into a
// builder and `read` takes it out again, one overload pair per type. A struct is written through a
// structured binding over all its fields, so a new field is a compile error until it is written.
//
// Null pointers stand for empty text, empty lists, zero digests and absent optionals: what is empty
// costs no bytes, and every value has one encoding.
#pragma once

#include <capnp/message.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/ids.h"
#include "engine/base/time.h"
#include "store/schema/value.capnp.h"

namespace checkride::codec {

// The first thing that could not be written or read; what follows it is not to be used.
struct Trouble {
  std::string what;
  void note(std::string_view text) {
    if (what.empty()) what = text;
  }
  explicit operator bool() const { return !what.empty(); }
};

// --- scalars ------------------------------------------------------------------------------------
inline capnp::Text::Reader text_of(const std::string& s) {
  return {s.c_str(), s.size()};
}
inline std::string string_of(capnp::Text::Reader text) {
  return {text.cStr(), text.size()};
}
inline std::string string_of(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

// put_text(b, &B::setName, name): nothing where the text is empty.
template <class Builder>
void put_text(Builder& to, void (Builder::*set)(capnp::Text::Reader), const std::string& value) {
  if (!value.empty()) (to.*set)(text_of(value));
}
template <class Builder, class Tag>
void put_text(Builder& to, void (Builder::*set)(capnp::Text::Reader), const Name<Tag>& value) {
  put_text(to, set, value.value);
}
template <class Builder>
void put_digest(Builder& to, void (Builder::*set)(capnp::Data::Reader), const Digest& value) {
  if (!value.zero()) (to.*set)(capnp::Data::Reader(value.bytes.data(), value.bytes.size()));
}

inline void read(capnp::Text::Reader from, std::string& to, Trouble&) {
  to = string_of(from);
}
template <class Tag>
void read(capnp::Text::Reader from, Name<Tag>& to, Trouble&) {
  to.value = string_of(from);
}
inline void read(capnp::Data::Reader from, Digest& to, Trouble& trouble) {
  to = Digest{};
  if (from.size() == 0) return;
  if (from.size() != to.bytes.size()) return trouble.note("a digest does not have 32 bytes");
  std::memcpy(to.bytes.data(), from.begin(), to.bytes.size());
}
template <class Tag, class Integer>
void read(Integer from, Number<Tag, Integer>& to, Trouble&) {
  to.value = from;
}

// Enumerations on disk have the numbers of those in memory; each pair is checked once where it is
// defined (`enums.h`).
template <class OnDisk, class InMemory>
OnDisk to_disk(InMemory value) {
  return static_cast<OnDisk>(static_cast<std::uint16_t>(value));
}

// --- optionals: a pointer to a struct with one field
// ----------------------------------------------
template <class Builder, class Value>
void put_optional(Builder& to, schema::OptionalInt64::Builder (Builder::*init)(),
                  const std::optional<Value>& value) {
  if (!value) return;
  auto box = (to.*init)();
  if constexpr (std::is_same_v<Value, Timestamp>)
    box.setValue(value->ns);
  else if constexpr (std::is_same_v<Value, Duration>)
    box.setValue(value->count());
  else
    box.setValue(*value);
}
template <class Builder, class Value>
void put_optional(Builder& to, schema::OptionalUInt64::Builder (Builder::*init)(),
                  const std::optional<Value>& value) {
  if (value) (to.*init)().setValue(value->value);
}
template <class Builder, class Value>
void put_optional(Builder& to, schema::OptionalText::Builder (Builder::*init)(),
                  const std::optional<Value>& value) {
  if (!value) return;
  auto box = (to.*init)();
  put_text(box, &schema::OptionalText::Builder::setValue, *value);
}

// --- lists --------------------------------------------------------------------------------------
// put_list(b, &B::initFacts, facts, trouble): nothing where the list is empty. Elements are written
// by the `write` overload of their type.
template <class Builder, class ListBuilder, class Items>
void put_list(Builder& to, ListBuilder (Builder::*init)(unsigned), const Items& items,
              Trouble& trouble) {
  if (items.empty()) return;
  auto list = (to.*init)(static_cast<unsigned>(items.size()));
  unsigned i = 0;
  for (const auto& item : items) write(list[i++], item, trouble);
}
// The same for numbers (plain or with a meaning) and for text (plain or with a meaning).
template <class Builder, class ListBuilder, class Items>
void put_scalars(Builder& to, ListBuilder (Builder::*init)(unsigned), const Items& items) {
  if (items.empty()) return;
  auto list = (to.*init)(static_cast<unsigned>(items.size()));
  unsigned i = 0;
  for (const auto& item : items) {
    if constexpr (std::is_same_v<std::decay_t<decltype(item)>, std::string>)
      list.set(i++, text_of(item));
    else if constexpr (requires { item.str(); })
      list.set(i++, text_of(item.str()));
    else if constexpr (requires { item.value; })
      list.set(i++, item.value);
    else
      list.set(i++, item);
  }
}

template <class ListReader, class Items>
void read_list(const ListReader& from, Items& to, Trouble& trouble) {
  to.clear();
  for (const auto& element : from) {
    if (trouble) return;
    typename Items::value_type item{};
    read(element, item, trouble);
    to.push_back(std::move(item));
  }
}
template <class ListReader, class Items>
void read_scalars(const ListReader& from, Items& to) {
  using Item = typename Items::value_type;
  to.clear();
  for (const auto& element : from) {
    if constexpr (std::is_convertible_v<decltype(element), capnp::Text::Reader>)
      to.push_back(Item(string_of(capnp::Text::Reader(element))));
    else
      to.push_back(Item(element));
  }
}

}  // namespace checkride::codec
