// Server-sent events, parsed as they arrive in pieces of any size.
// Threads: one reader.
//
// 1. Lines end in \n, \r\n or \r; comments are skipped; several data lines are joined by \n.
// 2. `last_id` is that of the last event handed on: what a resumed stream gives as Last-Event-ID.
// 3. An event and a line are bounded; beyond, `feed` returns false and the stream is to be dropped.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace ampacity::cli {

struct SseEvent {
  std::string name;  // "message" unless the stream says otherwise
  std::string data;
  std::string id;  // the last one seen, if this event has none
};

class SseParser {
 public:
  static constexpr std::size_t max_event_bytes = 4 << 20;

  explicit SseParser(std::string last_id = {}) : id_(last_id), last_id_(std::move(last_id)) {}

  // Calls `on_event` for each whole event; false when it returned false or a bound was passed.
  bool feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& on_event);
  // Forgets a half-read event, for a new connection; `last_id` stays.
  void restart();
  const std::string& last_id() const { return last_id_; }
  bool overflowed() const { return overflowed_; }

 private:
  bool take_line(const std::function<bool(const SseEvent&)>& on_event);

  std::string line_;
  SseEvent event_;
  std::string id_;  // of the event being read
  std::string last_id_;
  bool has_data_ = false;
  bool after_return_ = false;  // a \r ended the last line: a \n now belongs to it
  bool first_line_ = true;
  bool overflowed_ = false;
};

}  // namespace ampacity::cli
