// What people watch: the event feed and logs, as server-sent events that resume.
// Threads: one tail thread reads log files for all followers; publish comes from the loop.
// 1. An event is sent only when durable, once, in order. 2. Every backlog is bounded by the
// stream's.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/threads.h"
#include "engines/log_spool.h"
#include "net/http_server.h"
#include "server/loop.h"
#include "store/journal.h"

namespace ampacity::server {

struct LogFollow {
  base::Id job;
  std::string job_name;
  std::uint32_t generation = 1;
  std::vector<std::int64_t> offsets;  // by rank
  std::optional<std::uint32_t> rank;  // only this one
  bool follow = false;
  bool ended = false;

  std::string container_of(std::uint32_t of_rank) const {
    return job_name + "-" + std::to_string(generation) + "-" + std::to_string(of_rank);
  }
};

class Live {
 public:
  Live(Loop& loop, engines::LogSpool logs, store::StoreAt store, base::Clock& clock);
  ~Live();
  void stop();

  void publish(const Published& published);
  bool anybody_listens() const { return event_followers_ > 0; }

  // `after`: the last sequence the peer has; nullopt: only what is new. Blocks while it catches up;
  // without `go_on` that is all.
  struct EventsWanted {
    std::optional<std::string> project;  // nullopt: all
    std::optional<std::uint64_t> after;
    bool go_on = true;
    bool named = true;  // with `event: kind`
  };
  void follow_events(std::shared_ptr<net::Stream> stream, const EventsWanted& wanted);
  // Of the facts after this one, at most so many: what was said of them, and who made them.
  struct Told {
    api::Event event;
    std::string actor;
  };
  std::vector<Told> told_after(store::Reader& reader, std::uint64_t after, int limit);
  // Whether anything of it is in this server's spool.
  bool has_log(const LogFollow& of) const;
  // False: too many followers.
  bool follow_log(std::shared_ptr<net::Stream> stream, LogFollow follow);

 private:
  struct EventFollower;
  struct LogFollower;
  void tail();
  bool tail_one(LogFollower& f, store::Reader& reader);
  bool send_lines(LogFollower& f);
  void send_end(LogFollower& f, store::Reader& reader);

  Loop& loop_;
  const engines::LogSpool logs_;
  const store::StoreAt store_;
  base::Clock& clock_;
  base::Mutex mutex_;
  base::Condition wake_;  // for the tail thread
  std::vector<std::shared_ptr<EventFollower>> events_;
  std::vector<std::shared_ptr<LogFollower>> logs_followed_;
  std::atomic<int> event_followers_{0};
  std::atomic<bool> stopping_{false};
  base::Thread thread_;
};

// "2:120,340" <-> generation and offsets; nullopt if it is not such a thing.
std::string format_log_position(std::uint32_t generation, const std::vector<std::int64_t>& offsets);
bool parse_log_position(std::string_view text, LogFollow& follow);

}  // namespace ampacity::server
