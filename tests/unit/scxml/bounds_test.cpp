// What is no SCXML, or more than anybody writes, is refused with its place.
#include <catch2/catch.hpp>

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
  CHECK_THAT(refusal("<scxml/>"), Catch::Matchers::Contains("no SCXML"));
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

}  // namespace
}  // namespace checkride
