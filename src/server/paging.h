// Where a page of a list ended, as the cursor that asks for the next one. It comes back from
// outside, so it is read strictly: nullopt, and nothing is taken for the beginning.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/model.h"
#include "store/meter_events.h"

namespace ampacity::server {

inline constexpr const char* cursor_form = "must be the next_cursor of the page before";

// "project:from:sequence" of the last event shown.
struct MeterCursor {
  core::ProjectIx project = 0;
  store::MeterPlace place;
};
std::string format_cursor(const MeterCursor& cursor);
std::optional<MeterCursor> parse_meter_cursor(std::string_view text);

// Live jobs, newest first: "l" and the last one's queue order. Then the ended: "e" and the last id.
struct JobCursor {
  bool ended = false;
  std::uint64_t below = UINT64_MAX;
  std::string after;  // empty: from the first
};
std::string format_cursor(const JobCursor& cursor);
std::optional<JobCursor> parse_job_cursor(std::string_view text);

// Nodes: how many were shown.
std::optional<std::uint32_t> parse_node_cursor(std::string_view text);

}  // namespace ampacity::server
