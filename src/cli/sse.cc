#include "cli/sse.h"

#include <utility>

namespace ampacity::cli {

void SseParser::restart() {
  line_.clear();
  event_ = {};
  id_ = last_id_;
  has_data_ = after_return_ = overflowed_ = false;
  first_line_ = true;
}

bool SseParser::feed(std::string_view bytes, const std::function<bool(const SseEvent&)>& on_event) {
  while (!bytes.empty()) {
    if (after_return_ && bytes.front() == '\n') bytes.remove_prefix(1);
    after_return_ = false;
    const auto end = bytes.find_first_of("\r\n");
    line_.append(bytes.substr(0, end));
    if (line_.size() + event_.data.size() > max_event_bytes) {
      overflowed_ = true;
      return false;
    }
    if (end == std::string_view::npos) break;
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    if (!take_line(on_event)) return false;
  }
  return true;
}

bool SseParser::take_line(const std::function<bool(const SseEvent&)>& on_event) {
  std::string line;
  line.swap(line_);
  if (first_line_ && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  first_line_ = false;
  if (line.empty()) {
    SseEvent whole;
    std::swap(whole, event_);
    const bool has_data = std::exchange(has_data_, false);
    last_id_ = id_;
    if (!has_data) return true;
    if (whole.name.empty()) whole.name = "message";
    whole.id = last_id_;
    return on_event(whole);
  }
  const auto colon = line.find(':');
  const std::string field = line.substr(0, colon);
  std::string value = colon == std::string::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.erase(0, 1);
  if (field == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  } else if (field == "event") {
    event_.name = value;
  } else if (field == "id" && value.find('\0') == std::string::npos) {
    id_ = value;
  }
  return true;
}

}  // namespace ampacity::cli
