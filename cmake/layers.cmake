# oc_layer(name above...): the layer src/<name>/ as the static library oc_<name>.
#
# Sources are all of the folder's *.cpp except *_test.cpp (unit tests, built into <name>_test) and
# *_bench.cpp (microbenchmarks). Protobuf files proto/<name>/*.proto belong to the layer of that
# name; include them as "<name>/<file>.pb.h".
set(OC_LAYERS "" CACHE INTERNAL "")

set(OC_base_LIBRARIES fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json Boost::headers
                      Threads::Threads OpenSSL::SSL OpenSSL::Crypto)
set(OC_codec_LIBRARIES protobuf::libprotobuf-lite)
set(OC_crypto_LIBRARIES PkgConfig::sodium crypt)
set(OC_net_LIBRARIES PkgConfig::cares)
set(OC_store_LIBRARIES ${SOCI_SQLITE3} ${SOCI_CORE} PkgConfig::sqlite3 ${CMAKE_DL_LIBS})
set(OC_node_LIBRARIES PkgConfig::statgrab prometheus-cpp::core)

function(oc_layer name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$")
  file(GLOB protos CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/proto/${name}/*.proto)
  foreach(proto ${protos})
    get_filename_component(stem ${proto} NAME_WE)
    set(out ${PROJECT_BINARY_DIR}/generated/${name}/${stem}.pb)
    add_custom_command(
      OUTPUT ${out}.cc ${out}.h
      COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/generated
      COMMAND protobuf::protoc --cpp_out=lite:${PROJECT_BINARY_DIR}/generated
              -I ${PROJECT_SOURCE_DIR}/proto ${proto}
      DEPENDS ${proto} VERBATIM)
    list(APPEND sources ${out}.cc ${out}.h)
    set_source_files_properties(${out}.cc PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "-w")
  endforeach()
  if(NOT sources)
    set(sources ${PROJECT_SOURCE_DIR}/cmake/empty.cpp)
  endif()
  add_library(oc_${name} STATIC ${sources})
  oc_compile_options(oc_${name})
  target_link_libraries(oc_${name} PUBLIC ${OC_${name}_LIBRARIES})
  foreach(above ${ARGN})
    target_link_libraries(oc_${name} PUBLIC oc_${above})
  endforeach()
  if(name STREQUAL base)
    target_precompile_headers(oc_base PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.hpp)
  else()
    target_precompile_headers(oc_${name} REUSE_FROM oc_base)
  endif()
  set(OC_LAYERS ${OC_LAYERS} ${name} CACHE INTERNAL "")
endfunction()

# The vptr check of UBSan needs type information that SOCI's library keeps to itself; everything that
# includes SOCI goes without it.
function(oc_uses_soci target)
  if(OC_SANITIZE MATCHES "undefined")
    target_compile_options(${target} PRIVATE -fno-sanitize=vptr)
  endif()
endfunction()

# One GoogleTest program a layer, from src/<layer>/**/*_test.cpp; test support that several layers
# share lies in tests/support and tests/conformance.
function(oc_tests)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  foreach(layer ${OC_LAYERS})
    file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${layer}/*_test.cpp)
    if(tests)
      add_executable(${layer}_test ${tests})
      oc_compile_options(${layer}_test)
      target_include_directories(${layer}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
      target_compile_definitions(${layer}_test PRIVATE OC_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
      target_link_libraries(${layer}_test PRIVATE oc_${layer} GTest::gtest_main)
      target_precompile_headers(${layer}_test REUSE_FROM oc_base)
      if(layer STREQUAL store)
        oc_uses_soci(store_test)
      endif()
      gtest_discover_tests(${layer}_test TEST_PREFIX "${layer}: " DISCOVERY_TIMEOUT 60
                           PROPERTIES TIMEOUT 60)
    endif()
  endforeach()
endfunction()

# One Google Benchmark program a layer, from src/<layer>/**/*_bench.cpp.
function(oc_benchmarks)
  find_package(benchmark REQUIRED)
  foreach(layer ${OC_LAYERS})
    file(GLOB_RECURSE benches CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${layer}/*_bench.cpp)
    if(benches)
      add_executable(${layer}_bench ${benches})
      oc_compile_options(${layer}_bench)
      target_link_libraries(${layer}_bench PRIVATE oc_${layer} benchmark::benchmark_main)
    endif()
  endforeach()
endfunction()
