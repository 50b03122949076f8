#include "cli/interrupt.h"

#include <array>
#include <csignal>
#include <cstddef>

namespace checkride::cli {

namespace {

constexpr std::array<int, 3> caught = {SIGINT, SIGTERM, SIGHUP};
volatile std::sig_atomic_t came_flag = 0;  // a handler can reach nothing else
std::array<struct sigaction, caught.size()> before_handlers;

void remember(int) {
  came_flag = 1;
}

}  // namespace

Interruption::Interruption() {
  came_flag = 0;
  struct sigaction action {};
  action.sa_handler = remember;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < caught.size(); ++i)
    ::sigaction(caught[i], &action, &before_handlers[i]);
}

Interruption::~Interruption() {
  for (std::size_t i = 0; i < caught.size(); ++i)
    ::sigaction(caught[i], &before_handlers[i], nullptr);
}

bool Interruption::came() const {
  return came_flag != 0;
}

}  // namespace checkride::cli
