#include "workflows/scxml/xml.h"

#include <expat.h>

#include <memory>
#include <utility>

namespace checkride::scxml {
namespace {

constexpr char separator = '\n';  // between namespace and name; no namespace holds a line end

// Expat's callbacks get one of these. The document is the only child of `top`.
struct Reading {
  XML_Parser parser = nullptr;
  Element top;
  std::vector<Element*> path;
  std::string refused;  // why the reading was stopped

  Place place() const {
    return {static_cast<std::uint32_t>(XML_GetCurrentLineNumber(parser)),
            static_cast<std::uint32_t>(XML_GetCurrentColumnNumber(parser) + 1)};
  }
  void refuse(std::string why) {
    if (!refused.empty()) return;
    refused = std::move(why);
    XML_StopParser(parser, XML_FALSE);
  }
};

std::pair<std::string, std::string> split(const char* name) {
  const std::string_view text(name);
  const std::size_t at = text.rfind(separator);
  if (at == std::string_view::npos) return {std::string(), std::string(text)};
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

void on_start(void* data, const XML_Char* name, const XML_Char** attributes) {
  auto& reading = *static_cast<Reading*>(data);
  if (reading.path.size() > xml_depth_max) {
    reading.refuse("elements are nested deeper than " + std::to_string(xml_depth_max));
    return;
  }
  Element element;
  std::tie(element.space, element.name) = split(name);
  element.place = reading.place();
  for (const XML_Char** at = attributes; *at != nullptr; at += 2) {
    auto [space, local] = split(at[0]);
    element.attributes.push_back({std::move(space), std::move(local), at[1]});
  }
  // The parent's children do not move while one of them is open.
  Element& parent = *reading.path.back();
  parent.children.push_back(std::move(element));
  reading.path.push_back(&parent.children.back());
}

void on_end(void* data, const XML_Char*) {
  static_cast<Reading*>(data)->path.pop_back();
}

void on_text(void* data, const XML_Char* text, int length) {
  static_cast<Reading*>(data)->path.back()->text.append(text, static_cast<std::size_t>(length));
}

void on_doctype(void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) {
  static_cast<Reading*>(data)->refuse(
      "the document has a document type (<!DOCTYPE>), which is not read; remove it");
}

}  // namespace

const std::string* Element::find(std::string_view attribute, std::string_view in_space) const {
  for (const Attribute& a : attributes) {
    if (a.name == attribute && a.space == in_space) return &a.value;
  }
  return nullptr;
}

std::string Element::get(std::string_view attribute) const {
  const std::string* value = find(attribute);
  return value == nullptr ? std::string() : *value;
}

Result<Element> read_xml(std::string_view text) {
  if (text.size() > xml_bytes_max) {
    return fail(ErrorCode::invalid_argument,
                "the XML document is larger than " + std::to_string(xml_bytes_max) + " bytes");
  }
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(
      XML_ParserCreateNS(nullptr, separator), &XML_ParserFree);
  if (!parser) return fail(ErrorCode::io, "expat could not make a parser");
  Reading reading;
  reading.parser = parser.get();
  reading.path.push_back(&reading.top);
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), on_start, on_end);
  XML_SetCharacterDataHandler(parser.get(), on_text);
  XML_SetStartDoctypeDeclHandler(parser.get(), on_doctype);
  const auto status = XML_Parse(parser.get(), text.data(), static_cast<int>(text.size()), XML_TRUE);
  if (status != XML_STATUS_OK) {
    const Place place = reading.place();
    const std::string why = !reading.refused.empty()
                                ? reading.refused
                                : std::string(XML_ErrorString(XML_GetErrorCode(parser.get())));
    return fail(ErrorCode::invalid_argument,
                std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + why);
  }
  return std::move(reading.top.children.front());
}

}  // namespace checkride::scxml
