// Job kinds for the tests of the runners, known to the test program and to
// checkride_test_supervisor.
//
//   test.sh      {script, input?, folder?}  sh -c; result {exit_code, values, output}
//   test.exec    {argv}                     a program without a shell; result as test.sh
//   test.own     {do, text?}                code of our own in a process: echo, print, throw,
//   abort,
//                                           huge, misfit, kill, token, children, hang
//   test.inline  {do, text?, fifo?}         the same on the engine's pool: echo, throw, block
#pragma once

#include "engine/ports/job_kind.h"

namespace checkride {

JobCatalog test_catalog();

}  // namespace checkride
