// All GPU jobs of this program, one line each in catalog.cpp.
#pragma once

#include <span>
#include <string_view>

#include "kernels/job/job.h"

namespace checkride::kernels {

std::span<const Job> jobs();                 // sorted by name
const Job* find_job(std::string_view name);  // null: there is none

}  // namespace checkride::kernels
