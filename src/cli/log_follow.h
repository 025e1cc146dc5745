// Follows a job's log over server-sent events, through cuts, and prints it line by line.
// Threads: the caller's.
//
// 1. A cut stream is resumed with Last-Event-ID: no line is printed twice or lost.
// 2. Attempts in a row without progress are bounded; progress begins the count anew.
#pragma once

#include <optional>
#include <string>

#include "cli/session.h"
#include "cli/sse.h"

namespace ampacity::cli {

// Writes log events: what was standard error goes there; ranks are told apart when there are
// several.
class LogPrinter {
 public:
  LogPrinter(Terminal& terminal, bool show_ranks) : terminal_(terminal), show_ranks_(show_ranks) {}
  void print(const api::LogEvent& event);
  void finish();  // ends a line left open

 private:
  Terminal& terminal_;
  bool show_ranks_;
  bool open_ = false;  // a partial line, of:
  std::uint32_t open_rank_ = 0;
  bool open_stderr_ = false;
};

// Reads `target` until its `end` event, the end of a stream that is not followed, or too many cuts.
// `on_event` returns false to stop; `since` is the Last-Event-ID of the first connection. The end
// event's data, if there was one.
Answer<std::optional<std::string>> follow_events(
    Session& session, const std::string& target, bool follow, std::string_view what,
    const std::function<bool(const SseEvent&)>& on_event, std::string since = {});

// The final view when the log ended because the job did.
Answer<std::optional<api::JobView>> follow_log(Session& session, const std::string& job,
                                               std::optional<std::uint32_t> rank, bool follow,
                                               bool show_ranks, bool* printed = nullptr);

}  // namespace ampacity::cli
