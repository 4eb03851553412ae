# Warnings, sanitizers, and the precompiled header, for every target of ours.


# Asio is compiled once, in src/base/asio.cpp.
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                        BOOST_ASIO_DISABLE_BOOST_COROUTINE SPDLOG_FMT_EXTERNAL)

function(oc_compile_options target)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
  target_compile_options(${target} PRIVATE -fPIE -Wall -Wextra -Wpedantic -Wno-unknown-pragmas
    $<$<CXX_COMPILER_ID:GNU>:-fcoroutines>
    $<$<BOOL:${OC_WERROR}>:-Werror>)
  # GCC 12 sees uninitialised use and accesses out of bounds inside libstdc++ and Boost headers where there is none.
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-stringop-overread -Wno-array-bounds>)
  # GCC 12 takes the frame allocator of Asio coroutines with over-aligned parameters for a mismatch.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-mismatched-new-delete>)
  # clang sees through libstdc++ 12's stable_sort to a function that C++17 deprecates.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
  # Without the time of its making in it, ccache can keep the precompiled header and what uses it.
  target_compile_options(${target} PRIVATE
    "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
  target_link_options(${target} PRIVATE -pie)
  if(OC_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${OC_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${OC_SANITIZE})
  endif()
endfunction()
option(OC_WERROR "Warnings are errors" OFF)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()
