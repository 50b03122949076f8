// The one translation unit that holds Boost.Asio's separately compiled part; every other file sees
// declarations only.
#include <boost/asio/impl/src.hpp>
