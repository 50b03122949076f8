// What is no SCXML, or more than anybody writes, is refused with its place.
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "workflows/loader/load.h"
#include "workflows/scxml/scxml.h"
#include "workflows/scxml/xml.h"

namespace checkride {
namespace {

std::string refusal(const std::string& text) {
  const auto imported = import_scxml(text, "x");
  REQUIRE_FALSE(imported.has_value());
  return imported.error().text();
}

TEST_CASE("a document that is not well formed is refused with line and column", "[scxml]") {
  CHECK_THAT(refusal("<scxml>\n  <state id='a'>\n</scxml>"),
             Catch::Matchers::Contains("3:") && Catch::Matchers::Contains("mismatched"));
  CHECK_THAT(refusal(""), Catch::Matchers::Contains("no element"));
}

TEST_CASE("another kind of document is refused by name", "[scxml]") {
  CHECK_THAT(refusal("<scxml/>"), Catch::Matchers::Contains("1:1: the document is no SCXML"));
  CHECK_THAT(refusal("<html xmlns='http://www.w3.org/1999/xhtml'/>"),
             Catch::Matchers::Contains("html"));
}

TEST_CASE("document types, and so entities, are refused", "[scxml]") {
  const std::string bomb =
      "<!DOCTYPE scxml [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>\n"
      "<scxml xmlns='http://www.w3.org/2005/07/scxml'>&b;</scxml>";
  CHECK_THAT(refusal(bomb), Catch::Matchers::Contains("DOCTYPE"));
  const std::string outside =
      "<!DOCTYPE scxml SYSTEM 'file:///etc/passwd'><scxml "
      "xmlns='http://www.w3.org/2005/07/scxml'/>";
  CHECK_THAT(refusal(outside), Catch::Matchers::Contains("DOCTYPE"));
}

TEST_CASE("depth and size are bounded", "[scxml]") {
  std::string deep;
  for (std::size_t i = 0; i <= scxml::xml_depth_max; ++i) deep += "<a>";
  CHECK_THAT(refusal(deep), Catch::Matchers::Contains("nested deeper"));
  CHECK_THAT(refusal(std::string(scxml::xml_bytes_max + 1, ' ')),
             Catch::Matchers::Contains("larger than"));
}

TEST_CASE("a document put together at random is imported or refused, never a crash", "[scxml]") {
  const std::vector<std::string> parts = {
      "<state id='a'>",
      "<state id='b.c' initial='a'>",
      "</state>",
      "<parallel id='p'>",
      "</parallel>",
      "<final id='f'/>",
      "<history id='h' type='deep'/>",
      "<history id='g'><transition target='a b'/></history>",
      "<onentry>",
      "</onentry>",
      "<onexit><cancel sendid='after.a.0'/></onexit>",
      "<raise event='e'/>",
      "<send event='after.a.0' id='after.a.0' delay='1.5s'/>",
      "<send delay='-1'/>",
      "<transition event='e *' cond='In(' target='a a'/>",
      "<transition/>",
      "<transition event='done error x.' cond=\"In('b.c')\" target='b.c f'>",
      "</transition>",
      "<if cond='x === \\'>",
      "<else/>",
      "<elseif/>",
      "</if>",
      "<assign location='x'/>",
      "<datamodel><data id='x' expr='[1'/><data id='x'/></datamodel>",
      "<cr:key name='on'>{a: [}</cr:key>",
      "<cr:key name='title'>t</cr:key>",
      "<cr:root>",
      "</cr:root>",
      "<initial><transition target='nowhere'/></initial>",
      "text &amp; more"};
  const std::vector<std::string> closing = {"</state>",      "</parallel>", "</onentry>",
                                            "</transition>", "</if>",       "</cr:root>"};
  std::mt19937_64 random(7);
  std::size_t imported = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text =
        "<scxml xmlns='http://www.w3.org/2005/07/scxml' xmlns:cr='urn:checkride:scxml:1' "
        "datamodel='" +
        std::string(round % 2 == 0 ? "cel" : "ecmascript") + "'>";
    std::vector<std::string> open;
    const std::size_t count = random() % 24;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& part = parts[random() % parts.size()];
      const bool closes = part.starts_with("</");
      // Most documents are well formed, some are not.
      if (closes && (open.empty() || open.back() != part) && random() % 50 != 0) continue;
      text += part;
      if (closes && !open.empty()) open.pop_back();
      for (const std::string& end : closing) {
        const std::string name = end.substr(2, end.size() - 3);
        if (part.starts_with("<" + name) && !part.ends_with("/>") && !part.ends_with(end))
          open.push_back(end);
      }
    }
    for (; !open.empty(); open.pop_back()) text += open.back();
    INFO(text);
    const auto result = import_scxml(text + "</scxml>", "x");
    if (!result) continue;
    ++imported;
    // Whatever came out can be looked at, and whatever is a definition goes out again.
    const LoadResult loaded = load_definition(result->yaml, "x.yaml", {});
    if (loaded.definition != nullptr) CHECK(export_scxml(result->yaml, "x.yaml").has_value());
    CHECK((loaded.definition != nullptr || !loaded.diagnostics.empty()));
  }
  CHECK(imported > 1500);
}

}  // namespace
}  // namespace checkride
