#include <algorithm>
#include <charconv>

#include "api/problem.h"
#include "base/json.h"
#include "core/desire.h"
#include "server/app.h"

namespace ampacity::server {
namespace {

net::Response sse_head() { return {200, "text/event-stream", "", {{"Cache-Control", "no-store"}}}; }

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

struct Resize {
  std::vector<int> resize;
  std::optional<bool> eof;
};
BOOST_DESCRIBE_STRUCT(Resize, (), (resize, eof))

struct ExecEnd {
  std::optional<int> exit_code;
  std::optional<std::string> error;
};
BOOST_DESCRIBE_STRUCT(ExecEnd, (), (exit_code, error))

// What a rank says, and its end, as frames to `peer` while that is there.
engines::ExecEvents events_to(const std::weak_ptr<net::WebSocket>& peer) {
  engines::ExecEvents events;
  events.on_output = [peer](std::string_view bytes, bool is_stderr) {
    if (const auto s = peer.lock()) s->send((is_stderr ? '\2' : '\1') + std::string(bytes), false);
  };
  events.on_end = [peer](std::optional<int> exit_code, std::string why) {
    ExecEnd end{exit_code, {}};
    if (!exit_code) end.error = std::move(why);
    if (const auto s = peer.lock()) {
      s->send(base::to_json(end), true);
      s->close("ended");
    }
  };
  return events;
}

}  // namespace

void App::job_logs(Call& c, net::Reply& r) {
  const auto found = find_job(c);
  if (!found) return r.send(api::problem_response(found.error()));
  LogFollow follow;
  follow.job = found->job.id;
  follow.job_name = core::job_name(found->job.id);
  follow.generation = std::max(1U, found->job.generation);
  follow.offsets.assign(found->job.demand.nodes, 0);
  follow.follow = c.target.param("follow") == "1";
  follow.ended = !found->live;
  // Logs lie with the engine's: on this machine only if that is here.
  if (!loop_.leads() && options_.forwarder && !live_.has_log(follow))
    return options_.forwarder->stream(std::move(c.request), std::move(r));
  if (const std::string_view rank = c.target.param("rank"); !rank.empty()) {
    follow.rank = number_of(rank);
    if (!follow.rank || *follow.rank >= found->job.demand.nodes)
      return r.send(api::problem_response(base::refusal_of(
          {{"rank", "must be 0 to " + std::to_string(found->job.demand.nodes - 1)}})));
  }
  parse_log_position(c.request.header("Last-Event-ID"), follow);
  auto stream = r.stream(sse_head());
  lines_.add(c.caller, stream);
  stream->write(": log of " + follow.job_name + "\n\n");
  if (!live_.follow_log(stream, std::move(follow)))
    stream->write("event: error\ndata: {\"detail\":\"too many followers\"}\n\n");
}

void App::events(Call& c, net::Reply& r) {
  Live::EventsWanted wanted;
  wanted.named = c.target.param("unnamed") != "1";
  if (!c.caller.is_owner())
    wanted.project =
        loop_.ask([&](const core::World& w) { return w.state().projects[c.caller.project].name; });
  const std::string_view last = c.request.header("Last-Event-ID");
  std::uint64_t n = 0;
  if (!last.empty() && std::from_chars(last.data(), last.data() + last.size(), n).ec == std::errc{})
    wanted.after = n;
  // Without Last-Event-ID and follow: the latest hundred.
  wanted.go_on = c.target.param("follow") != "0";
  if (!wanted.go_on && !wanted.after)
    wanted.after = loop_.ask([](const core::World& w) {
      return w.state().sequence - std::min<std::uint64_t>(w.state().sequence, 100);
    });
  auto stream = r.stream(sse_head());
  lines_.add(c.caller, stream);
  live_.follow_events(std::move(stream), wanted);
}

// Frames: binary in = stdin, text in = {"resize":[c,r]} or {"eof":true}; binary out = 1|2 + bytes
// of stdout|stderr, one last text out = {"exit_code":n} or {"error":"…"}.
void App::job_exec(Call& c, net::Reply& r) {
  const auto found = find_job(c);
  if (!found) return r.send(api::problem_response(found.error()));
  const auto refuse = [&r](base::Code code, std::string why) {
    r.send(api::problem_response({code, std::move(why), {}, {}, {}}));
  };
  const auto rank = number_of(c.target.param("rank").empty() ? "0" : c.target.param("rank"));
  if (!rank || *rank >= found->job.demand.nodes)
    return refuse(base::Code::invalid,
                  "rank must be 0 to " + std::to_string(found->job.demand.nodes - 1));
  if (!found->live || !found->job.lease ||
      found->job.lease->ranks[*rank].state != core::RankState::running)
    return refuse(base::Code::conflict,
                  found->live ? "the job is " + std::string(base::enum_name(found->job.state)) +
                                    ": that rank is not running"
                              : "the job has ended (" +
                                    std::string(base::enum_name(found->job.outcome)) + ")");
  std::vector<std::string> argv;
  for (const auto& [name, value] : c.target.query)
    if (name == "arg") argv.push_back(value);
  if (argv.empty()) return refuse(base::Code::invalid, "arg: the command is required");
  if (!r.wants_websocket()) return refuse(base::Code::invalid, "exec speaks over a WebSocket");

  std::shared_ptr<net::WebSocket> socket = r.websocket();
  if (!socket) return;
  lines_.add(c.caller, socket);
  const std::string container = core::job_name(found->job.id) + "-" +
                                std::to_string(found->job.generation) + "-" + std::to_string(*rank);
  const auto engine = engine_.at(loop_.ask(
      [&](const core::World& w) { return w.state().sites[w.site_of(*found->job.lease)].name; }));
  auto session = engine ? engine->exec(container, std::move(argv), c.target.param("tty") == "1",
                                       events_to(socket))
                        : base::fault("its site cannot be reached now", true);
  if (!session) {
    socket->send(base::to_json(ExecEnd{{}, session.error().message}), true);
    return socket->close("failed");
  }
  using Exec = std::shared_ptr<engines::ExecSession>;
  const auto exec = std::make_shared<Exec>(std::move(*session));
  // Resizing and ending ask the engine and may block: never on the I/O thread.
  const auto resize = [this, exec](int to_columns, int to_rows) {
    workers_.post([session = *exec, to_columns, to_rows] {
      if (session) session->resize(to_columns, to_rows);
    });
  };
  const auto columns = number_of(c.target.param("columns"));
  const auto rows = number_of(c.target.param("rows"));
  if (columns && rows) resize(static_cast<int>(*columns), static_cast<int>(*rows));
  socket->on_message([exec, resize](std::string bytes, bool text) {
    if (!*exec) return;
    if (!text) {
      (*exec)->write(std::move(bytes));
      return;
    }
    const auto control = base::from_json<Resize>(bytes);
    if (!control) return;
    if (control->eof.value_or(false)) (*exec)->close_stdin();
    if (control->resize.size() == 2) resize(control->resize[0], control->resize[1]);
  });
  socket->on_close(
      [this, socket, exec] { workers_.post([session = std::exchange(*exec, nullptr)] {}); });
}

}  // namespace ampacity::server
