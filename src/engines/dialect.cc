#include "engines/dialect.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "engines/exec_frames.h"
#include "engines/fields.h"

namespace ampacity::engines {

std::string volume_name(std::string_view cloud, std::uint32_t project, std::string_view name) {
  return fmt::format("amp-{}-{}-{}", cloud, project, name);
}

std::string network_name(std::string_view cloud, std::string_view network) {
  return fmt::format("amp-{}-{}", cloud, network);
}

std::string fixed_address(const std::string& subnet, std::uint32_t rank) {
  unsigned parts[4] = {};
  const char* p = subnet.data();
  const char* end = p + subnet.size();
  for (int i = 0; i < 4; i++) {
    auto [next, error] = std::from_chars(p, end, parts[i]);
    if (error != std::errc() || parts[i] > 255 || next == end) return {};
    p = next + 1;  // the dot, or the slash
  }
  // .1 is the bridge, .255 the broadcast address.
  if (rank > 250) return {};
  return fmt::format("{}.{}.{}.{}", parts[0], parts[1], parts[2], rank + 2);
}

std::string enc(std::string_view text) { return net::percent_encode(text); }

std::string label_filter(const std::string& cloud) {
  boost::json::object filter{{"label", boost::json::array{std::string(kCloudLabel) + "=" + cloud}}};
  return "filters=" + enc(boost::json::serialize(filter));
}

std::int64_t at_most(std::int64_t value, std::int64_t bound) {
  return bound > 0 ? std::min(value, bound) : value;
}

std::optional<base::Instant> instant_of(const std::string& text) {
  auto t = base::parse_instant(text);
  if (!t || t->us <= 0) return std::nullopt;
  return t;
}

std::string spool_text(std::string_view framed_log) {
  std::string text;
  FrameReader frames;
  // Each frame is a line, or 16 KiB of a long one, with its own timestamp.
  frames.feed(framed_log, [&text](std::string_view frame, bool is_stderr) {
    bool whole = frame.ends_with('\n');
    if (whole) frame.remove_suffix(1);
    std::size_t space = std::min(frame.find(' '), frame.size());
    text += fmt::format("{} {} {} {}\n", frame.substr(0, space), is_stderr ? "stderr" : "stdout",
                        whole ? 'F' : 'P', frame.substr(std::min(space + 1, frame.size())));
  });
  return text;
}

std::optional<std::string> Dialect::parse_end_event(std::string_view line) const {
  auto event = fields::parse(line, "event");
  if (!event) return std::nullopt;
  if (fields::text(*event, "Type") != "container") return std::nullopt;
  std::string action = fields::text(*event, "Action");
  if (action != "died" && action != "die" && action != "remove" && action != "destroy") {
    return std::nullopt;
  }
  std::string name = fields::text(fields::at(fields::at(*event, "Actor"), "Attributes"), "name");
  if (name.empty()) return std::nullopt;
  return name;
}

std::optional<std::string> Dialect::pull_error(std::string_view body) const {
  std::optional<std::string> error;
  while (!body.empty()) {
    std::size_t end = body.find('\n');
    auto line = fields::parse(body.substr(0, end), "pull");
    if (line) {
      std::string said = fields::text(*line, "error");
      if (!said.empty()) error = said.substr(0, 500);
    }
    if (end == std::string_view::npos) break;
    body.remove_prefix(end + 1);
  }
  return error;
}

base::Try<DaemonFacts> Dialect::parse_daemon(std::string_view body) const {
  auto value = fields::parse(body, "info");
  if (!value) return std::unexpected(value.error());
  return DaemonFacts{fields::text(*value, "CgroupDriver") == "cgroupfs",
                     fields::truth(*value, "LiveRestoreEnabled")};
}

base::Try<std::string> Dialect::parse_exec_id(std::string_view body) const {
  auto value = fields::parse(body, "exec");
  if (!value) return std::unexpected(value.error());
  std::string id = fields::text(*value, "Id");
  if (id.empty()) return base::fault("exec: the engine gave no id");
  return id;
}

base::Try<ExecState> Dialect::parse_exec_state(std::string_view body) const {
  auto value = fields::parse(body, "exec");
  if (!value) return std::unexpected(value.error());
  return ExecState{fields::truth(*value, "Running"),
                   static_cast<int>(fields::number(*value, "ExitCode")),
                   fields::process(*value, "Pid")};
}

Verdict Dialect::judge(int status, std::string_view body) const {
  if (status < 400) return Verdict::ok;  // 304: already so
  std::string said = message(body);
  auto says = [&](std::string_view part) { return said.find(part) != std::string::npos; };
  // podman answers 500 where docker answers 409.
  if (says("already in use") || says("already exists") || says("already used")) {
    return Verdict::exists;
  }
  if (says("image not known") || says("No such image")) return Verdict::no_image;
  if (status == 404) return Verdict::absent;
  return Verdict::refused;
}

std::string Dialect::message(std::string_view body) const {
  auto value = fields::parse(body, "error");
  std::string said = value ? fields::text(*value, "message") : std::string();
  if (said.empty()) said = std::string(body);
  constexpr std::size_t kMost = 600;
  if (said.size() > kMost) said.resize(kMost);
  return said;
}

}  // namespace ampacity::engines
