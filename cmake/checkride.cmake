# What every target shares: dialect, warnings, where dependencies come from, and the two functions the
# folders use. Static archives are named outright so that the program runs on a machine that has none
# of the packages.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()
# Debug information of -g1 keeps objects small and still names file and line.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")

find_program(CR_CCACHE ccache)
if(CR_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CR_CCACHE})
endif()

option(CR_WARNINGS_AS_ERRORS "treat warnings as errors" ON)
option(CR_FUZZ "build the fuzzers of tests/fuzz; needs clang and libFuzzer, see the preset" OFF)

# Guards decide verdicts: no fused or reordered floating point anywhere.
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off> $<$<COMPILE_LANGUAGE:CXX>:-fno-fast-math>)

function(cr_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    $<$<BOOL:${CR_WARNINGS_AS_ERRORS}>:-Werror>)
endfunction()

set(CR_BOOST_DEFINES BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)

# cr_static(NAME archive...): an interface library over static archives found by name.
function(cr_static name)
  add_library(${name} INTERFACE IMPORTED GLOBAL)
  foreach(archive ${ARGN})
    find_library(CR_ARCHIVE_${archive} NAMES lib${archive}.a REQUIRED)
    target_link_libraries(${name} INTERFACE ${CR_ARCHIVE_${archive}})
  endforeach()
endfunction()

find_package(Threads REQUIRED)
cr_static(dep::rocksdb rocksdb snappy lz4 zstd bz2 z)
target_link_libraries(dep::rocksdb INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
cr_static(dep::capnp capnp kj)
cr_static(dep::crypto crypto)
target_link_libraries(dep::crypto INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
cr_static(dep::re2 re2)
target_link_libraries(dep::re2 INTERFACE Threads::Threads)
cr_static(dep::yaml yaml-cpp)
cr_static(dep::json boost_json boost_container)
add_library(dep::spdlog INTERFACE IMPORTED GLOBAL)
target_compile_definitions(dep::spdlog INTERFACE SPDLOG_HEADER_ONLY SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY)

# cr_alone(file...): sources of this folder that keep a translation unit of their own where several are
# compiled as one (docs/decisions/0023-compile-time.md): names in their anonymous namespaces are also
# their neighbours'.
function(cr_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# cr_library(checkride_base SOURCES ... PUBLIC ... PRIVATE ...): one library per second-level folder,
# alias checkride::base.
function(cr_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  string(REPLACE "checkride_" "" short ${name})
  add_library(checkride::${short} ALIAS ${name})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  cr_warnings(${name})
endfunction()

# cr_test(test_cel SOURCES ... LINK ... [TIMEOUT seconds]): a Catch2 program, registered with CTest
# under its name; it runs with the build folder's programs in CHECKRIDE_BUILD.
function(cr_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE checkride_test_main ${ARG_LINK})
  cr_warnings(${name})
  # A test's own code runs briefly and compiles often; what it tests is optimized as ever.
  if(CMAKE_BUILD_TYPE STREQUAL RelWithDebInfo)
    target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-O1>)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} SKIP_RETURN_CODE 77
    ENVIRONMENT "CHECKRIDE_BUILD=${CMAKE_BINARY_DIR};CHECKRIDE_SOURCE=${PROJECT_SOURCE_DIR}")
endfunction()
