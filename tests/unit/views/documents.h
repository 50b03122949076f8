// The definitions of the project as the tests of schema, reference and prose read them.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ports/job_kind.h"
#include "workflows/loader/load.h"

namespace checkride::test {

// The kinds of the program.
const JobCatalog& catalog();
LoadResult load_real(std::string_view text, std::string_view name = "t.yaml");
// A definition without findings, warnings included; fails the test where there are some.
std::shared_ptr<const Definition> load_clean(std::string_view text);

// The tree of a YAML text; fails the test where it is none.
boost::json::value json_of(std::string_view text);
const boost::json::value& schema();

struct Document {
  std::string name;
  std::string text;
};
// All that are shipped, and those of tests/ that are files.
std::vector<Document> whole_documents();
// The ```yaml blocks of a page under docs/.
std::vector<Document> examples_of(const std::string& page);
std::vector<std::string> pages();
std::string source_file(const std::string& path);  // text; fails the test where there is none

}  // namespace checkride::test
