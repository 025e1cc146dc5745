// Cursors of paging, as they come back from outside: what is read is written the same.
#include "base/fuzz_input.h"
#include "server/paging.h"

namespace base = ampacity::base;
namespace server = ampacity::server;
namespace store = ampacity::store;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  if (const auto c = server::parse_meter_cursor(text)) {
    CHECK_THAT(c->place.sequence <= store::newest, "an event that cannot be");
    const auto again = server::parse_meter_cursor(server::format_cursor(*c));
    CHECK_THAT(again && again->project == c->project && again->place.from == c->place.from &&
                   again->place.sequence == c->place.sequence,
               "a place that changes");
  }
  if (const auto c = server::parse_job_cursor(text)) {
    CHECK_THAT(c->after.empty() || c->ended, "an ended job among the live");
    CHECK_THAT(text.empty() || c->ended || text.front() == 'l', "taken for the beginning");
    const auto again = server::parse_job_cursor(server::format_cursor(*c));
    CHECK_THAT(
        again && again->ended == c->ended && again->below == c->below && again->after == c->after,
        "a job that changes");
  }
  if (const auto shown = server::parse_node_cursor(text))
    CHECK_THAT(text.empty() || server::parse_node_cursor(std::to_string(*shown)) == *shown,
               "a node that changes");
  return 0;
}
