#include "server/live.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>

#include "api/views.h"
#include "base/log.h"
#include "core/desire.h"

namespace ampacity::server {
namespace {

constexpr std::size_t most_log_followers = 512, most_event_followers = 512;
constexpr std::size_t most_bytes_at_once = 256 << 10;  // far below a stream's backlog
constexpr std::int64_t logs_kept_s = 14 * 86'400;      // after the last line
constexpr base::Duration tail_period = base::Duration::millis(40);
constexpr base::Duration idle_period = base::Duration::seconds(3'600);

std::string sse(std::string_view id, std::string_view event, const std::string& data) {
  std::string out;
  if (!id.empty()) out.append("id: ").append(id).append("\n");
  if (!event.empty()) out.append("event: ").append(event).append("\n");
  return out.append("data: ").append(data).append("\n\n");
}

}  // namespace

struct Live::EventFollower {
  std::shared_ptr<net::Stream> stream;
  std::optional<std::string> project;
  bool named = true;
  std::uint64_t sent = 0;
  bool catching_up = true;
  std::vector<api::Event> waiting;  // published while it catches up

  // Adds what it is to hear of it; `json`: of the event, made once for all who hear it.
  void tell(const api::Event& e, std::string& json, std::string& out) {
    if (e.sequence <= sent) return;
    sent = e.sequence;
    if (project && e.project != project) return;
    if (json.empty()) json = base::to_json(e);
    out += sse(std::to_string(e.sequence), named ? e.kind : "", json);
  }
};

struct Live::LogFollower {
  std::shared_ptr<net::Stream> stream;
  LogFollow at;
  std::optional<std::uint32_t> next_generation;
  std::size_t next_ranks = 0;
  base::Duration last_write = base::elapsed();
};

Live::Live(Loop& loop, engines::LogSpool logs, store::StoreAt store, base::Clock& clock)
    : loop_(loop), logs_(std::move(logs)), store_(std::move(store)), clock_(clock) {
  thread_ = base::Thread([this] { tail(); });
}

Live::~Live() { stop(); }

void Live::stop() {
  {
    const base::Guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  const base::Guard lock(mutex_);
  events_.clear();
  logs_followed_.clear();
}

void Live::publish(const Published& p) {
  const base::Guard lock(mutex_);
  std::vector<std::string> said(p.events.size());
  for (const auto& f : events_) {
    if (f->catching_up) {
      f->waiting.insert(f->waiting.end(), p.events.begin(), p.events.end());
      continue;
    }
    std::string text;
    for (std::size_t i = 0; i < p.events.size(); ++i) f->tell(p.events[i], said[i], text);
    if (!text.empty()) f->stream->write(std::move(text));
  }
  const auto gone = std::erase_if(
      events_, [](const auto& f) { return f->stream->closed() || f->waiting.size() > 100'000; });
  event_followers_ -= static_cast<int>(gone);
  if (logs_followed_.empty()) return;
  for (const core::Fact& fact : p.facts) {
    const auto* granted = std::get_if<core::LeaseGranted>(&fact.body);
    const auto* closed = std::get_if<core::LeaseClosed>(&fact.body);
    const auto* ended = std::get_if<core::JobEnded>(&fact.body);
    if (!granted && !closed && !ended) continue;
    for (const auto& f : logs_followed_) {
      if (f->at.job != core::job_of(fact)) continue;
      if (granted) {
        f->next_generation = granted->generation;
        f->next_ranks = granted->lease.places.size();
      } else if (ended || !closed->requeue) {
        f->at.ended = true;
      }
    }
  }
}

std::vector<Live::Told> Live::told_after(store::Reader& reader, std::uint64_t after, int limit) {
  auto facts = reader.facts_after(after, limit);
  std::vector<core::ProjectIx> projects(facts.size(), core::nobody);
  loop_.ask([&](const core::World& w) {
    for (std::size_t i = 0; i < facts.size(); ++i)
      if (const core::Job* job = w.job(core::job_of(facts[i].fact))) projects[i] = job->project;
    return 0;
  });
  // Of jobs that left the world, the project is in the store.
  for (std::size_t i = 0; i < facts.size(); ++i)
    if (const base::Id id = core::job_of(facts[i].fact);
        projects[i] == core::nobody && !id.is_nil())
      if (const auto job = reader.job(id)) projects[i] = job->project;
  return loop_.ask([&](const core::World& w) {
    std::vector<Told> all;
    for (std::size_t i = 0; i < facts.size(); ++i)
      all.push_back(
          {api::view_event(w, facts[i].fact, facts[i].sequence, projects[i]), facts[i].fact.actor});
    return all;
  });
}

void Live::follow_events(std::shared_ptr<net::Stream> stream, const EventsWanted& wanted) {
  auto f = std::make_shared<EventFollower>();
  f->stream = std::move(stream);
  f->project = wanted.project;
  f->named = wanted.named;
  {
    const base::Guard lock(mutex_);
    event_followers_ -=
        static_cast<int>(std::erase_if(events_, [](const auto& e) { return e->stream->closed(); }));
    if (events_.size() >= most_event_followers) return;  // ends the stream
    events_.push_back(f);
    ++event_followers_;
  }
  auto reader = store::open_reader(store_);
  const std::uint64_t now = loop_.ask([](const core::World& w) { return w.state().sequence; });
  f->stream->write(": events of Ampacity\n\n");
  f->sent = std::min(wanted.after.value_or(now), now);
  while (reader && f->sent < now && !f->stream->closed()) {
    const auto told = told_after(**reader, f->sent, 1000);
    if (told.empty()) break;
    std::string text;
    for (const Told& t : told) {
      std::string json;
      f->tell(t.event, json, text);
    }
    f->stream->write(std::move(text));
  }
  const base::Guard lock(mutex_);
  std::string text;
  for (const auto& e : f->waiting) {
    std::string json;
    f->tell(e, json, text);
  }
  f->stream->write(std::move(text));
  f->waiting.clear();
  f->catching_up = false;
  if (!wanted.go_on) event_followers_ -= static_cast<int>(std::erase(events_, f));
}

bool Live::follow_log(std::shared_ptr<net::Stream> stream, LogFollow follow) {
  auto f = std::make_shared<LogFollower>();
  f->stream = std::move(stream);
  f->at = std::move(follow);
  {
    const base::Guard lock(mutex_);
    if (logs_followed_.size() >= most_log_followers) return false;
    logs_followed_.push_back(f);
  }
  wake_.notify_all();
  // It may have ended between the caller's look and this registration.
  struct Now {
    bool live = false;
    std::uint32_t generation = 0;
    std::size_t ranks = 0;
  };
  const Now now = loop_.ask([id = f->at.job](const core::World& w) {
    const core::Job* job = w.job(id);
    return job ? Now{true, job->generation, job->lease ? job->lease->places.size() : 0} : Now{};
  });
  const base::Guard lock(mutex_);
  f->at.ended = f->at.ended || !now.live;
  if (now.generation > f->at.generation && now.ranks > 0) {  // granted between the two looks
    f->next_generation = now.generation;
    f->next_ranks = now.ranks;
  }
  return true;
}

bool Live::has_log(const LogFollow& of) const {
  for (std::uint32_t rank = 0; rank < of.offsets.size(); ++rank)
    if (std::filesystem::exists(logs_.path(of.container_of(rank)))) return true;
  return false;
}

// True if anything was sent.
bool Live::send_lines(LogFollower& f) {
  bool any = false;
  for (std::uint32_t rank = 0; rank < f.at.offsets.size(); ++rank) {
    if (f.at.rank && *f.at.rank != rank) continue;
    const auto lines = logs_.read(f.at.container_of(rank), f.at.offsets[rank], 500);
    if (!lines) continue;
    std::string out;
    for (const auto& line : *lines) {
      f.at.offsets[rank] = line.next_offset;
      const api::LogEvent e{rank, line.at, line.is_stderr, line.partial, line.text};
      out += sse(format_log_position(f.at.generation, f.at.offsets), "", base::to_json(e));
      if (out.size() > most_bytes_at_once) break;
    }
    if (out.empty()) continue;
    any = true;
    f.stream->write(std::move(out));
  }
  return any;
}

void Live::send_end(LogFollower& f, store::Reader& reader) {
  const auto ended = reader.job(f.at.job);
  const auto view = loop_.ask([&](const core::World& w) {
    const core::Job* live = w.job(f.at.job);
    const core::Job* job = live ? live : ended ? &*ended : nullptr;
    return job ? base::to_json(api::view_job(w, *job, clock_.now())) : std::string("{}");
  });
  f.stream->write(sse("", "end", view));
}

// False: this follower is done.
bool Live::tail_one(LogFollower& f, store::Reader& reader) {
  if (f.stream->closed()) return false;
  bool ended = false;
  std::optional<std::uint32_t> next;
  std::size_t next_ranks = 0;
  {
    const base::Guard lock(mutex_);
    ended = f.at.ended;
    next = f.next_generation;
    next_ranks = f.next_ranks;
  }
  const base::Duration now = base::elapsed();
  if (send_lines(f)) {
    f.last_write = now;
    return true;  // there may be more
  }
  if (next && *next > f.at.generation) {
    f.at.generation = *next;
    f.at.offsets.assign(next_ranks, 0);
    return true;
  }
  if (ended || !f.at.follow) {
    if (f.at.follow || ended) send_end(f, reader);
    return false;
  }
  if (now.us - f.last_write.us > base::Duration::seconds(15).us) {
    f.last_write = now;
    f.stream->write(": still here\n\n");
  }
  return true;
}

void Live::tail() {
  base::Try<std::unique_ptr<store::Reader>> reader = base::fault("not opened yet");
  base::Duration next_expiry = base::elapsed();
  while (!stopping_) {
    if (const base::Duration now = base::elapsed(); now >= next_expiry) {
      next_expiry = now + base::Duration::seconds(3'600);
      logs_.expire(logs_kept_s);
    }
    std::vector<std::shared_ptr<LogFollower>> all;
    {
      const base::Guard lock(mutex_);
      all = logs_followed_;
    }
    // Anew each time somebody comes: a database may have failed over since.
    if (!all.empty() && !reader) reader = store::open_reader(store_);
    if (all.empty()) reader = base::fault("nobody follows");
    for (const auto& f : all) {
      if (!reader || tail_one(*f, **reader)) continue;
      const base::Guard lock(mutex_);
      std::erase(logs_followed_, f);
    }
    all.clear();
    base::Lock lock(mutex_);
    if (logs_followed_.empty())
      wake_.wait_for(lock, idle_period, [this] { return stopping_ || !logs_followed_.empty(); });
    else
      (void)wake_.wait_for(lock, tail_period);
  }
}

std::string format_log_position(std::uint32_t generation,
                                const std::vector<std::int64_t>& offsets) {
  std::string out = std::to_string(generation) + ":";
  for (std::size_t i = 0; i < offsets.size(); ++i)
    out += (i ? "," : "") + std::to_string(offsets[i]);
  return out;
}

bool parse_log_position(std::string_view text, LogFollow& follow) {
  LogFollow read = follow;
  const char* p = text.data();
  const char* const end = p + text.size();
  auto r = std::from_chars(p, end, read.generation);
  if (r.ec != std::errc{} || r.ptr == end || *r.ptr != ':') return false;
  std::vector<std::int64_t> offsets;
  do {
    std::int64_t n = 0;
    r = std::from_chars(r.ptr + 1, end, n);
    if (r.ec != std::errc{} || n < 0 || offsets.size() > 4096) return false;
    offsets.push_back(n);
  } while (r.ptr != end && *r.ptr == ',');
  if (r.ptr != end || read.generation != follow.generation ||
      offsets.size() != follow.offsets.size())
    return false;  // of an earlier generation: begin the current one anew
  follow.offsets = std::move(offsets);
  return true;
}

}  // namespace ampacity::server
