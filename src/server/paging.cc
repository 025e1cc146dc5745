#include "server/paging.h"

#include <charconv>

namespace ampacity::server {
namespace {

// Takes a number and the character after it; '\0': the number is all there is.
template <typename T>
bool take(std::string_view& text, T& out, char after) {
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, out);
  if (error != std::errc{} || (after ? end == last || *end != after : end != last)) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + (after ? 1 : 0));
  return true;
}

}  // namespace

std::string format_cursor(const MeterCursor& c) {
  return std::to_string(c.project) + ":" + std::to_string(c.place.from.us) + ":" +
         std::to_string(c.place.sequence);
}

std::optional<MeterCursor> parse_meter_cursor(std::string_view text) {
  MeterCursor c;
  if (!take(text, c.project, ':') || !take(text, c.place.from.us, ':') ||
      !take(text, c.place.sequence, '\0') || c.place.sequence > store::newest)
    return std::nullopt;
  return c;
}

std::string format_cursor(const JobCursor& c) {
  if (c.ended) return "e" + c.after;
  return c.below == UINT64_MAX ? "" : "l" + std::to_string(c.below);
}

std::optional<JobCursor> parse_job_cursor(std::string_view text) {
  JobCursor c;
  if (text.empty()) return c;
  const char kind = text.front();
  text.remove_prefix(1);
  if (kind == 'l') return take(text, c.below, '\0') ? std::optional(c) : std::nullopt;
  c.ended = true;
  c.after = text;
  if (kind != 'e' || (!text.empty() && !base::parse_bare_id(text))) return std::nullopt;
  return c;
}

std::optional<std::uint32_t> parse_node_cursor(std::string_view text) {
  std::uint32_t shown = 0;
  if (text.empty()) return shown;
  return take(text, shown, '\0') ? std::optional(shown) : std::nullopt;
}

}  // namespace ampacity::server
