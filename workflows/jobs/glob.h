// Path patterns as definitions write them: '*' and '?' stay within one folder, "**" crosses
// folders, [abc] is a set. "logs/**" is everything below logs; a pattern ending in '/' means the
// same; one without wildcards names a file, or a folder with all below it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace checkride::jobs {

class Globs {
 public:
  static Result<Globs> compile(const std::vector<std::string>& patterns);
  bool matches(std::string_view path) const;
  bool empty() const { return empty_; }

  struct Compiled;

 private:
  std::shared_ptr<const Compiled> compiled_;
  bool empty_ = true;
};

}  // namespace checkride::jobs
