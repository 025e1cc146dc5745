#include "sim/leaders.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/chaos.h"
#include "base/log.h"
#include "server/standing.h"
#include "sim/shared_database.h"

namespace ampacity::sim {
namespace {

using base::Duration;
using base::Instant;

constexpr Instant birth{1'795'305'600'000'000};  // 2026-11-22T00:00:00Z
constexpr Duration to_settle = Duration::seconds(120);

struct LeadersPlan {
  int servers = 2;
  Duration safety, lease, between_faults, between_writes;
  bool kills = false, pauses = false, cuts = false, fails_over = false;
  DatabaseFaults database;
};

LeadersPlan draw_leaders(std::uint64_t seed, base::Prng& prng) {
  const auto below = [&](std::uint64_t n) { return prng.next() % n; };
  const auto of = [&](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  };
  LeadersPlan p;
  p.servers = static_cast<int>(2 + seed % 2);
  p.safety = Duration::seconds(of(120, 400));
  p.lease = Duration::millis(of(2'000, 10'000));
  p.between_faults = Duration::seconds(of(5, 40));
  p.between_writes = Duration::millis(of(50, 1'500));
  const std::uint64_t kinds = 1 + below(15);
  p.kills = kinds & 1;
  p.pauses = kinds & 2;
  p.cuts = kinds & 4;
  p.fails_over = kinds & 8;
  if (below(2)) p.database.lost = static_cast<std::uint32_t>(1 + below(30));
  if (below(2)) p.database.lost_at_commit = static_cast<std::uint32_t>(1 + below(200));
  p.database.slowest = Duration::millis(of(1, 4'000));
  return p;
}

class Leaders final : public base::Chaos {
 public:
  Leaders(std::uint64_t seed, const std::set<std::string>& planted, bool trace)
      : planted_(planted),
        trace_(trace),
        turns_(seed ^ 0x8888),
        world_(seed ^ 0x9999),
        draws_(seed ^ 0xaaaa),
        plan_(draw_leaders(seed, draws_)),
        fibres_(turns_, birth),
        db_(fibres_, world_),
        servers_(static_cast<std::size_t>(plan_.servers)) {
    base::scheduler = &fibres_;
    base::chaos = this;
    db_.faults = plan_.database;
    db_.faults.fences_down = planted_.contains("fences-down");
  }
  ~Leaders() override {
    for (Server& s : servers_)
      if (s.group) fibres_.kill(s.group);
    base::scheduler = nullptr;
    base::chaos = nullptr;
  }
  LeadersResult result();

  bool misbehave(const char*) override { return false; }
  std::uint64_t below(std::uint64_t bound) override { return draws_.next() % bound; }
  void reached(const char* branch) override { ++out_.probes[branch]; }
  bool planted(const char* bug) override { return planted_.contains(bug); }
  void log(base::Level, std::string_view line) override { say("  log " + std::string(line)); }
  void check_failed(std::string_view said) override {
    wrong("a CHECK failed: " + std::string(said));
    throw Killed();
  }

 private:
  struct Server {
    Fibres::Group group = 0;
    int life = 0;  // of all servers': no two are alike
    bool ended = false;
    const server::Leadership* leadership = nullptr;
  };
  void wrong(std::string what) {
    if (out_.wrong.size() < 10) out_.wrong.push_back(std::move(what));
  }
  void say(const std::string& line) {
    if (trace_) fmt::print(stderr, "{} {}\n", base::format_instant(fibres_.now()), line);
  }
  void start(int number);
  void live(int number, int life);
  void lead(int number, int life, server::Leadership& leadership);
  void act(int number, const server::Leadership& leadership);
  void write(SharedDatabase::Writer& writer, int number, server::Leadership& leadership);
  // Planted: who led goes on after its lease.
  bool may_act(const server::Leadership& l) const {
    return l.may_act() || (l.leads() && planted_.contains("acts-after-its-lease"));
  }
  bool still_leads(const server::Leadership& l) const {
    return db_.row().epoch == static_cast<std::int64_t>(l.own_epoch());
  }
  void end_life(int number, const std::string& why);
  void strike();
  void schedule_strikes();
  void watch();
  void judge();

  const std::set<std::string> planted_;
  const bool trace_;
  base::SeededPrng turns_, world_, draws_;
  const LeadersPlan plan_;
  Fibres fibres_;
  SharedDatabase db_;
  std::vector<Server> servers_;
  std::vector<std::string> acknowledged_;
  LeadersResult out_;
  int lives_ = 0, entries_ = 0;
  bool safety_ = true;
};

void Leaders::start(int number) {
  Server& s = servers_[static_cast<std::size_t>(number)];
  s.group = fibres_.new_group();
  s.ended = false;
  s.life = ++lives_;
  fibres_.spawn_in(s.group, [this, number, life = s.life] { live(number, life); });
}

// As server/life.h: nothing of this life does anything more. watch() ends it after this turn.
void Leaders::end_life(int number, const std::string& why) {
  say(fmt::format("server {} begins anew: {}", number, why));
  servers_[static_cast<std::size_t>(number)].ended = true;
  while (true) base::sleep_for(Duration::seconds(86'400));
}

// As server/serve.cc's Shared, without what is served.
void Leaders::live(int number, int life) {
  server::Leadership leadership(plan_.lease);
  server::Standing::Events events;
  events.took = [] {};
  events.end_life = [this, number](const std::string& why) { end_life(number, why); };
  server::Standing standing(
      [this, number]() -> base::Try<std::unique_ptr<store::LeaseTable>> {
        if (!db_.reachable(number)) return base::fault("no connection");
        return db_.lease_table(number);
      },
      leadership, fmt::format("holder-{}", life), fmt::format("http://server-{}", number), events);
  standing.start();
  while (!leadership.leads()) base::sleep_for(Duration::millis(20));
  lead(number, life, leadership);
}

void Leaders::lead(int number, int life, server::Leadership& leadership) {
  store::StoreAt mine;
  mine.postgres = "postgres://simulated";
  mine.patience = leadership.lease();
  mine.epoch = leadership.own_epoch();
  const auto writer = db_.writer(number, life, mine);
  if (const auto opened = writer->open(); !opened)
    return end_life(number, "cannot lead: " + opened.error().message);
  say(fmt::format("server {} leads, epoch {}", number, leadership.own_epoch()));
  ++out_.epochs;
  fibres_.spawn_in(servers_[static_cast<std::size_t>(number)].group,
                   [this, number, &leadership] { act(number, leadership); });
  while (true) {
    base::sleep_for({static_cast<std::int64_t>(
        draws_.next() % static_cast<std::uint64_t>(2 * plan_.between_writes.us))});
    write(*writer, number, leadership);
  }
}

// An engine's passes, each gated by itself, as net/gated_transport.h does it.
void Leaders::act(int number, const server::Leadership& leadership) {
  while (true) {
    base::sleep_for(plan_.between_writes);
    if (!may_act(leadership)) continue;
    ++out_.acts;
    if (!still_leads(leadership))
      wrong(fmt::format("E1 server {} asks an engine in epoch {}, and {} is led by another", number,
                        leadership.own_epoch(), db_.row().epoch));
  }
}

// As store/journal.cc's in_transaction and server/loop.cc's finish: tried again where it certainly
// did not happen; otherwise this life ends.
void Leaders::write(SharedDatabase::Writer& writer, int number, server::Leadership& leadership) {
  const std::string entry = fmt::format("entry-{}", ++entries_);
  for (int tries = 1; tries <= 5; ++tries) {
    const Duration asked_at = base::elapsed();
    const auto done = writer.commit(entry);
    if (done) {
      leadership.renewed(asked_at);
      if (!may_act(leadership)) return;  // not told: the caller asks another
      if (!still_leads(leadership))
        wrong(fmt::format("E1 server {} acknowledges {} in epoch {}, and {} is led by another",
                          number, entry, leadership.own_epoch(), db_.row().epoch));
      acknowledged_.push_back(entry);
      return;
    }
    say(fmt::format("server {}: {}", number, done.error().message));
    if (done.error().kind != store::SqlFault::Kind::lost)
      return end_life(number, done.error().message);
  }
}

void Leaders::strike() {
  std::vector<int> kinds;
  if (plan_.kills) kinds.push_back(0);
  if (plan_.pauses) kinds.push_back(1);
  if (plan_.cuts) kinds.push_back(2);
  if (plan_.fails_over) kinds.push_back(3);
  const int kind = kinds[draws_.next() % kinds.size()];
  const auto number = static_cast<int>(draws_.next() % servers_.size());
  Server& s = servers_[static_cast<std::size_t>(number)];
  const Duration span{static_cast<std::int64_t>(
      draws_.next() % static_cast<std::uint64_t>(3 * plan_.lease.us + 5'000'000))};
  say(fmt::format("fault {} of server {} for {}", kind, number, base::format_duration(span)));
  if (kind == 0) s.ended = true;
  if (kind == 1 && s.group) fibres_.stop(s.group, fibres_.now() + span);
  if (kind == 2) db_.cut_off(number, span);
  if (kind == 3) db_.fail_over({span.us / 3});
}

void Leaders::schedule_strikes() {
  const Duration next{static_cast<std::int64_t>(
      draws_.next() % static_cast<std::uint64_t>(2 * plan_.between_faults.us))};
  if (fibres_.now() + next >= birth + plan_.safety) return;
  fibres_.at(fibres_.now() + next, [this] {
    strike();
    schedule_strikes();
  });
}

// Between two turns: whose life is over is ended, and begins anew a while later.
void Leaders::watch() {
  for (int n = 0; n < plan_.servers; ++n) {
    Server& s = servers_[static_cast<std::size_t>(n)];
    if (!s.ended || !s.group) continue;
    fibres_.kill(s.group);
    s.group = 0;
    fibres_.at(
        fibres_.now() + Duration::millis(200 + static_cast<std::int64_t>(draws_.next() % 2'000)),
        [this, n] { start(n); });
  }
  if (!fibres_.escaped().empty()) wrong("an exception escaped: " + fibres_.escaped());
}

void Leaders::judge() {
  std::int64_t epoch = 0;
  std::map<std::int64_t, int> life_of;
  std::map<std::string, int> times;
  std::vector<std::string> in_order;
  for (const SharedDatabase::Commit& c : db_.commits()) {
    if (c.epoch < epoch)
      wrong(fmt::format("E2 {} was written in epoch {} after {}", c.what, c.epoch, epoch));
    epoch = std::max(epoch, c.epoch);
    const auto [at, fresh] = life_of.emplace(c.epoch, c.life);
    if (!fresh && at->second != c.life)
      wrong(fmt::format("E2 two lives wrote in epoch {}", c.epoch));
    if (++times[c.what] > 1) wrong("I16 " + c.what + " was written twice");
  }
  auto at = db_.commits().begin();
  for (const std::string& entry : acknowledged_) {
    at = std::find_if(at, db_.commits().end(), [&](const auto& c) { return c.what == entry; });
    if (at == db_.commits().end())
      return wrong("I9 acknowledged " + entry + " is not there, or out of order");
  }
}

LeadersResult Leaders::result() {
  for (int n = 0; n < plan_.servers; ++n) start(n);
  schedule_strikes();
  fibres_.run_until(birth + plan_.safety, [this] { watch(); });
  db_.heal();
  safety_ = false;
  say("healed");
  const std::size_t before = acknowledged_.size();
  fibres_.run_until(fibres_.now() + to_settle, [this] { watch(); });
  if (acknowledged_.size() <= before) wrong("I8 healed, and nobody writes");
  judge();
  out_.acknowledged = acknowledged_.size();
  out_.lives = static_cast<std::uint64_t>(lives_);
  std::uint64_t digest = 0xcbf29ce484222325ULL;
  for (const SharedDatabase::Commit& c : db_.commits())
    for (const char letter : fmt::format("{} {} {};", c.epoch, c.life, c.what))
      digest = (digest ^ static_cast<unsigned char>(letter)) * 0x100000001b3ULL;
  out_.digest = digest ^ fibres_.turns();
  return out_;
}

}  // namespace

LeadersResult run_leaders(std::uint64_t seed, const std::set<std::string>& planted, bool trace) {
  Leaders run(seed, planted, trace);
  return run.result();
}

}  // namespace ampacity::sim
