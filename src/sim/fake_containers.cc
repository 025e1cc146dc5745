#include "sim/fake_containers.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>

namespace ampacity::sim {
namespace {
constexpr std::uint64_t most_lines = 6;  // that one writes

// As HTTP servers write it: "Sun, 22 Nov 2026 00:00:01 GMT".
std::string date_of(base::Instant t) {
  const std::time_t s = t.us / 1'000'000;
  tm parts{};
  gmtime_r(&s, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

}  // namespace

FakeContainers::FakeContainers(Fibres& fibres, base::Prng& prng, std::unique_ptr<ContainerApi> api)
    : fibres_(fibres), prng_(prng), api_(std::move(api)) {
  images.insert("localhost/ampacity-tiny");
}

bool FakeContainers::drawn(std::uint32_t of_1000) {
  return of_1000 > 0 && prng_.next() % 1000 < of_1000;
}

std::set<std::string> FakeContainers::names() const {
  std::set<std::string> all;
  for (const auto& [name, c] : containers_) all.insert(name);
  for (const engines::Minder& m : minders_) all.insert(m.name);
  return all;
}

const std::string& FakeContainers::spool(const std::string& name) const {
  static const std::string none;
  const auto at = spools_.find(name);
  return at == spools_.end() ? none : at->second;
}

// Most calls are quick; one in eight is not, so that an old answer may come after a new one.
base::Duration FakeContainers::half_a_call() {
  const std::int64_t most = prng_.next() % 8 == 0 ? faults.slowest.us / 2 : faults.slowest.us / 32;
  return {50 + static_cast<std::int64_t>(
                   prng_.next() % static_cast<std::uint64_t>(std::max<std::int64_t>(most, 2)))};
}

FakeContainers::Answer FakeContainers::answer(const net::Request& request) {
  ++requests_;
  base::sleep_for(half_a_call());
  if (fibres_.now() < unreachable_until_ || drawn(faults.unreachable))
    return base::fault("could not connect to the simulated engine");
  if (drawn(faults.unavailable)) return api_->unavailable();
  net::Response response = api_->serve(*this, request);
  response.headers.push_back({"Date", date_of(its_time())});
  if (faults.pruned > 0) prune(request.target);
  if (trace)
    trace(fmt::format("  engine {} {} -> {}", request.method, request.target.substr(0, 120),
                      response.status));
  base::sleep_for(half_a_call());
  if (fibres_.now() < unreachable_until_ || drawn(faults.reply_lost))
    return base::fault("the connection ended before the answer");
  if (request.target.find("/containers/json?") != std::string::npos && drawn(faults.list_cut))
    response.body.resize(response.body.size() / 2);
  return response;
}

// Somebody tidies up, soon after one that has ended was looked at.
void FakeContainers::prune(const std::string& target) {
  for (const auto& [name, c] : containers_) {
    if (c.state != FakeContainer::State::exited || !target.ends_with("/" + name + "/json"))
      continue;
    if (!drawn(faults.pruned)) return;
    const auto soon = base::Duration::millis(static_cast<std::int64_t>(prng_.next() % 3'000));
    fibres_.at(fibres_.now() + soon, [this, name = name, life = c.life] {
      const auto at = containers_.find(name);
      if (at != containers_.end() && at->second.life == life && !at->second.hidden) take_away(name);
    });
    return;
  }
}

// ---- for who speaks ---------------------------------------------------------------------------

std::vector<const FakeContainer*> FakeContainers::listed() const {
  std::vector<const FakeContainer*> all;
  for (const auto& [name, c] : containers_)
    if (!c.hidden) all.push_back(&c);
  return all;
}

FakeContainer* FakeContainers::find(const std::string& name) {
  const auto at = containers_.find(name);
  return at == containers_.end() || at->second.hidden ? nullptr : &at->second;
}

FakeContainers::Made FakeContainers::make(FakeContainer draft, std::string& id) {
  if (const auto has = containers_.find(draft.name); has != containers_.end()) {
    id = has->second.id;
    return Made::taken;
  }
  id = "storage";
  if (half_made_.contains(draft.name)) return Made::taken;
  if (!images.contains(draft.image)) return Made::no_image;
  if (drawn(faults.half_made)) {
    half_made_.insert(draft.name);
    return Made::died;
  }
  draft.id = id = fmt::format("{:016x}{:016x}", prng_.next(), lives_ + 1);
  draft.ignores_term = drawn(faults.term_ignored);
  containers_.emplace(draft.name, draft);
  return Made::ok;
}

// Does it unless the container has ended, or another of its name begun, before.
void FakeContainers::later(const FakeContainer& c, base::Duration d,
                           std::function<void(FakeContainer&)> what) {
  fibres_.at(fibres_.now() + d, [this, name = c.name, life = c.life, what = std::move(what)] {
    const auto at = containers_.find(name);
    if (at != containers_.end() && at->second.life == life &&
        at->second.state == FakeContainer::State::running)
      what(at->second);
  });
}

FakeContainers::Started FakeContainers::start(FakeContainer& c) {
  if (c.state == FakeContainer::State::running) return Started::already;
  if (drawn(faults.start_refused)) return Started::refused;
  if (drawn(faults.start_idle)) return Started::ok;
  if (drawn(faults.half_started)) {
    spools_[c.name];
    minders_.push_back({++last_pid_, c.id, c.name});
    if (prng_.next() % 2) begin(c, true);  // podman died after its process had begun
    return Started::died;
  }
  c.state = FakeContainer::State::running;
  c.started_at = its_time();
  c.pid = ++last_pid_;
  c.life = ++lives_;
  spools_[c.name];
  begin(c, false);
  const auto span = static_cast<std::uint64_t>(longest_run.us - shortest_run.us + 1);
  base::Duration length =
      shortest_run + base::Duration{static_cast<std::int64_t>(prng_.next() % span)};
  const bool dies = drawn(faults.dies);
  if (dies)
    length.us = static_cast<std::int64_t>(prng_.next() % static_cast<std::uint64_t>(length.us));
  const std::int64_t lines =
      copies_logs() ? static_cast<std::int64_t>(prng_.next() % (most_lines + 1)) : 0;
  for (std::int64_t n = 0; n < lines; ++n)
    later(c, {length.us * n / lines}, [this, n](FakeContainer& writer) {
      runs_[writer.run].log.push_back(
          fmt::format("{} stdout F line {}\n", base::format_instant(its_time()), n));
    });
  later(c, length, [this, dies](FakeContainer& ending) { end(ending.name, dies ? 1 : 0); });
  return Started::ok;
}

void FakeContainers::begin(FakeContainer& c, bool unseen) {
  const auto before = std::ranges::find(runs_, c.name, &TrueRun::name);
  if (before != runs_.end()) ++before->starts;
  c.run = runs_.size();
  runs_.push_back({c.name, fibres_.now(), std::nullopt, 1, {}, unseen});
}

void FakeContainers::end_minders(const std::function<bool(const engines::Minder&)>& of_them) {
  for (const engines::Minder& m : minders_)
    for (TrueRun& run : runs_)
      if (of_them(m) && run.unseen && run.name == m.name && !run.until) run.until = fibres_.now();
  std::erase_if(minders_, of_them);
}

bool FakeContainers::signal(FakeContainer& c, std::string_view signal) {
  if (c.state != FakeContainer::State::running) return false;
  const bool kills = signal == "KILL";
  const auto soon = base::Duration::millis(static_cast<std::int64_t>(prng_.next() % 900));
  if (kills || !c.ignores_term)
    later(c, soon, [this, kills](FakeContainer& told) { end(told.name, kills ? 137 : 143); });
  return true;
}

bool FakeContainers::remove(const std::string& name) {
  if (half_made_.erase(name)) return true;
  FakeContainer* c = find(name);
  if (!c) return false;
  if (c->state == FakeContainer::State::running) end(name, 137);
  say(*c, false);
  containers_.erase(name);
  return true;
}

bool FakeContainers::pull(const std::string& image) {
  if (drawn(faults.pull_fails)) return false;
  images.insert(image);
  return true;
}

std::string FakeContainers::log_of(const FakeContainer& c, std::int64_t since_s) const {
  std::string text;
  if (c.life == 0) return text;
  for (const std::string& line : runs_[c.run].log) {
    const auto at = base::parse_instant(line.substr(0, line.find(' ')));
    if (at && at->us / 1'000'000 >= since_s) text += line;
  }
  return text;
}

// ---- lives ------------------------------------------------------------------------------------

void FakeContainers::end(const std::string& name, int exit_code) {
  FakeContainer& c = containers_.at(name);
  if (c.state != FakeContainer::State::running) return;
  c.state = FakeContainer::State::exited;
  c.ended_at = its_time();
  c.exit_code = exit_code;
  c.pid = 0;
  runs_[c.run].until = fibres_.now();
  if (!c.hidden) say(c, true);
}

void FakeContainers::say(const FakeContainer& c, bool end) {
  if (drawn(faults.event_lost)) return;
  const std::string line = api_->event(c, end) + "\n";
  events_.push_back(line);
  if (drawn(faults.event_twice)) events_.push_back(line);
  fibres_.wake(&events_);
}

std::vector<std::string> FakeContainers::seen_names() const {
  std::vector<std::string> all;
  for (const auto& [name, c] : containers_)
    if (!c.hidden) all.push_back(name);
  return all;
}

void FakeContainers::lose_one() {
  const auto all = seen_names();
  if (all.empty()) return;
  take_away(all[prng_.next() % all.size()]);
}

void FakeContainers::lose_all() {
  for (const std::string& name : seen_names()) take_away(name);
  containers_.clear();
}

void FakeContainers::take_away(const std::string& name) {
  end(name, 137);
  if (const FakeContainer& c = containers_.at(name); c.life) runs_[c.run].taken = true;
  containers_.erase(name);
}

void FakeContainers::hide_one(base::Duration how_long) {
  const auto all = seen_names();
  if (all.empty()) return;
  const std::string name = all[prng_.next() % all.size()];
  FakeContainer& hidden = containers_.at(name);
  hidden.hidden = true;
  if (hidden.life) runs_[hidden.run].taken = true;
  fibres_.at(fibres_.now() + how_long, [this, name] {
    const auto found = containers_.find(name);
    if (found != containers_.end()) found->second.hidden = false;
  });
}

void FakeContainers::reboot() {
  for (const std::string& name : seen_names()) {
    if (containers_.at(name).state == FakeContainer::State::running)
      runs_[containers_.at(name).run].taken = true;
    end(name, 143);
  }
  end_minders([](const auto&) { return true; });
  ++boots_;
}

void FakeContainers::stray() {
  if (containers_.empty()) return;
  FakeContainer c = containers_.begin()->second;
  if (c.hidden) return;
  c.name = fmt::format("stray-{}", ++lives_);
  c.id = fmt::format("{:032x}", prng_.next());
  c.state = FakeContainer::State::created;
  c.started_at = {};
  c.pid = 0;
  c.life = 0;
  containers_.emplace(c.name, c);
}

void FakeContainers::heal() {
  const base::Duration wrong = faults.clock_wrong;  // nobody sets clocks back for that
  faults = {};
  faults.clock_wrong = wrong;
  unreachable_until_ = {};
  for (auto& [name, c] : containers_) c.hidden = false;
}

}  // namespace ampacity::sim
