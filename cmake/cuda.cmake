# CUDA is optional at build time: kernels are built where an nvcc is found, for sm_90a and with the
# runtime linked statically, so that the same program starts on a machine that has no GPU. Without:
# -DCMAKE_CUDA_COMPILER=NOTFOUND.
include(CheckLanguage)
if(NOT DEFINED CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(CR_NVCC nvcc PATHS /usr/local/cuda/bin)
  if(CR_NVCC)
    set(CMAKE_CUDA_COMPILER ${CR_NVCC})
  endif()
endif()
check_language(CUDA)
if(CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_ARCHITECTURES OFF)  # each target names its own
  enable_language(CUDA)
  set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
  set(CMAKE_CUDA_FLAGS_RELWITHDEBINFO -O3)
  # CMake 3.25 does not know that this nvcc speaks C++20.
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  if(CR_CCACHE)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CR_CCACHE})
  endif()
endif()

set(CR_CUDA_TARGETS "" CACHE STRING
  "more -gencode options, for kernels that run on any device: -gencode=arch=compute_80,code=sm_80")

# cr_cuda_library(NAME SOURCES ... PUBLIC ... [TARGETS -gencode=...]): kernels and what launches them.
# TARGETS are of kernels that run on other devices than an H100 or H200; they travel as PTX at least.
# Device code is stored uncompressed, so that tests can read it from the objects;
# the global property CR_CUDA_LIBRARIES names all of them.
function(cr_cuda_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;TARGETS" ${ARGN})
  if(ARG_TARGETS)
    separate_arguments(more UNIX_COMMAND "${CR_CUDA_TARGETS}")
    list(APPEND ARG_TARGETS ${more})
  endif()
  add_library(${name} STATIC ${ARG_SOURCES})
  set_property(GLOBAL APPEND PROPERTY CR_CUDA_LIBRARIES ${name})
  string(REPLACE "checkride_" "" short ${name})
  add_library(checkride::${short} ALIAS ${name})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_include_directories(${name} SYSTEM PRIVATE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC})
  target_compile_options(${name} PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:-no-compress -gencode=arch=compute_90a,code=sm_90a ${ARG_TARGETS}
      -Xcompiler=-Wall,-Wextra,-Wshadow -Werror=all-warnings>
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion
      $<$<BOOL:${CR_WARNINGS_AS_ERRORS}>:-Werror>>)
endfunction()
