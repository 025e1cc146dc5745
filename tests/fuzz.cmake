# Fuzz targets, only under the preset fuzz: src/<room>/<name>_fuzz.cc becomes bin/<name>_fuzz, with
# a seed corpus in tests/corpus/<name>. Everything is compiled with two sanitizers and coverage,
# which is slow: so they link the decoders and what those call, file by file, and not the rooms.
set(decoders
    api/bind_billing api/bind_capacity api/bind_job api/bind_ledger api/job_file api/meter_events
    api/price_file api/problem api/when api/yaml_tree
    base/check base/crypto base/currency base/id base/json base/money base/time base/utf8
    billing/contract cli/sse
    core/fact_json core/meter core/price core/price_book core/request
    documents/payment_file
    engines/cdi engines/dialect engines/docker_dialect engines/exec_frames engines/fields
    engines/log_copy engines/podman_dialect engines/slurm_codec engines/slurm_inventory
    engines/slurm_job_reader engines/slurm_wrapper
    ledger/model ledger/outcome
    net/asio_impl net/destination net/http net/http_connection net/http_loop net/http_reply
    net/http_text net/http_websocket net/tls net/tls_certificate net/tls_pipe
    server/keys server/paging sim/csv sim/trace)
list(TRANSFORM decoders PREPEND ${CMAKE_SOURCE_DIR}/src/)
list(TRANSFORM decoders APPEND .cc)
add_library(ampacity_fuzzed STATIC ${decoders})
target_include_directories(ampacity_fuzzed PUBLIC ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(ampacity_fuzzed PUBLIC Boost::headers Boost::json fmt::fmt yaml-cpp
                      PkgConfig::SODIUM OpenSSL::SSL Threads::Threads)

file(GLOB fuzzers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*/*_fuzz.cc)
foreach(fuzzer ${fuzzers})
  get_filename_component(stem ${fuzzer} NAME_WE)
  add_executable(${stem} ${fuzzer})
  target_link_libraries(${stem} PRIVATE ampacity_fuzzed)
  target_link_options(${stem} PRIVATE -fsanitize=fuzzer)
endforeach()
