// The terminal behind standard output: how large it is, and what it can do.
#pragma once

#include "cli/render/frame.h"

namespace checkride::cli {

// By the terminal itself, else by COLUMNS and LINES, else 80 x 24. Cheap: asked before each redraw,
// so that a new size needs no signal.
TerminalSize terminal_size();

// TERM is set and not "dumb".
bool terminal_moves_cursor();
// The same, and NO_COLOR is unset or empty (https://no-color.org).
bool terminal_has_colours();

}  // namespace checkride::cli
