// How Boost.Math is called here: nothing throws; results out of range become infinite or NaN and
// are judged as such.
#pragma once

#include <boost/math/policies/policy.hpp>

namespace checkride::kernels::statistics {

using Quiet = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::pole_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<false>>;

}  // namespace checkride::kernels::statistics
