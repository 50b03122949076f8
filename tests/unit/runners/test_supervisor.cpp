// checkride_test_supervisor supervise FOLDER: the supervisor with the test kinds.
// checkride_test_supervisor engine ATTEMPTS SPEC.json: starts the attempt as an engine would and
// watches until its end; the tests kill it meanwhile.
#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <string_view>

#include "engine/base/files.h"
#include "engine/runners/local/attempt_folder.h"
#include "engine/runners/local/local_runner.h"
#include "engine/runners/local/supervisor.h"
#include "tests/unit/runners/test_kinds.h"

namespace {

class Listener final : public checkride::JobListener {
 public:
  void on_started(const checkride::Token&, const checkride::ProcessIdentity&, bool) override {}
  void on_finished(const checkride::Token&, const checkride::JobOutcome&) override {}
  void on_unknown(const checkride::Token&, const std::string&) override {}
};

}  // namespace

int main(int argc, char** argv) {
  const checkride::JobCatalog catalog = checkride::test_catalog();
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "supervise" && argc == 3) return checkride::supervise(argv[2], catalog);
  if (verb == "engine" && argc == 4) {
    const auto text = checkride::read_file(argv[3], 1 << 20);
    const auto spec = text.and_then(checkride::spec_from_json);
    if (!spec) return 2;
    boost::asio::io_context io(1);
    Listener listener;
    checkride::LocalRunner runner(io, listener, catalog, argv[2], {"/proc/self/exe", "supervise"});
    runner.start(*spec);
    io.run();
    return 0;
  }
  std::fprintf(stderr,
               "usage: checkride_test_supervisor supervise FOLDER | engine ATTEMPTS SPEC\n");
  return 2;
}
