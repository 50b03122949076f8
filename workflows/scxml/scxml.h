// Definitions from SCXML documents and SCXML documents from definitions (W3C SCXML 1.0), so that
// charts can come from other tools and go there. Structure, guards and executable content have
// SCXML's own elements; what only checkride has (jobs, report texts, budgets, params) stands in its
// namespace, which other tools ignore. export then import gives a definition with the same hash.
//
// Pure: text in, text out. Input is bounded (xml.h); nothing outside the document is ever read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/decider/definition.h"

namespace checkride {

inline constexpr std::string_view scxml_namespace = "http://www.w3.org/2005/07/scxml";
inline constexpr std::string_view scxml_extension_namespace = "urn:checkride:scxml:1";

// Something that could not be carried over as it is. An error changes what the chart does and wants
// a person; a note does not.
struct ScxmlRemark {
  enum class Severity : std::uint8_t { error, note };
  Severity severity = Severity::error;
  Place place;  // in the input
  std::string message;
};

struct ScxmlImport {
  std::string yaml;  // a definition document; remarks stand in it as comments, too
  std::vector<ScxmlRemark> remarks;
  bool complete() const;  // no errors: it does what the SCXML document does
};
// `name` serves where the document has none. An Error: it is no SCXML document at all. Whether the
// definition may be run is for load_definition to say.
Result<ScxmlImport> import_scxml(std::string_view text, std::string_view name);

struct ScxmlExport {
  std::string scxml;
  std::vector<ScxmlRemark> remarks;  // what other tools will not see
};
// From a document that load_definition accepts.
Result<ScxmlExport> export_scxml(std::string_view yaml, const std::string& source_name);

}  // namespace checkride
