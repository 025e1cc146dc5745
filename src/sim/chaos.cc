#include "sim/chaos.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <memory>

#include "base/chaos.h"
#include "base/log.h"
#include "sim/chaos_audit.h"
#include "sim/site_fakes.h"
#include "sim/tenants.h"

namespace ampacity::sim {
namespace {

constexpr base::Instant birth{1'795'305'600'000'000};  // 2026-11-22T00:00:00Z
constexpr base::Duration to_settle = base::Duration::seconds(24 * 3'600);

// One run, and what production code calls of it (base/chaos.h).
class Run final : public base::Chaos {
 public:
  explicit Run(const ChaosOptions& options);
  ~Run() override;
  ChaosResult result();

  bool misbehave(const char* place) override;
  std::uint64_t below(std::uint64_t bound) override { return chances_.next() % bound; }
  void reached(const char* branch) override { ++out_.probes[branch]; }
  bool planted(const char* bug) override;
  void log(base::Level level, std::string_view line) override;
  void check_failed(std::string_view said) override;

 private:
  void strike();
  void schedule_strikes();
  void watch();  // between two turns
  void bring_back(Loss loss);
  void later(base::Duration d, std::function<void()> f) {
    fibres_.at(fibres_.now() + d, std::move(f));
  }
  base::Duration drawn(std::int64_t most_s) {
    return base::Duration::millis(
        static_cast<std::int64_t>(events_.next() % (1'000 * static_cast<std::uint64_t>(most_s))));
  }
  void heal();
  bool done_within(base::Duration d, std::function<void()> work);  // on a task of its own
  bool quiet();
  void finish();
  std::unique_ptr<FakeContainers> make_engine();
  std::unique_ptr<FakeSlurm> make_slurm();
  std::map<std::string, std::unique_ptr<Played>> make_sites();
  MachineOptions machine();
  std::vector<Played*> engines() const;  // of all sites, the machine's own first
  Truths truths() const;
  // One of all; the draw is left out where there is but one.
  Played& some_engine();
  void strike_slurm(Fault f, base::Duration span);
  bool nothing_left() const;
  void say(const std::string& line);
  void trace_fact(const core::Fact& fact);
  void final_reads();

  const ChaosOptions options_;
  const ChaosPlan plan_;
  base::SeededPrng turns_, world_, chances_, events_, ids_, asks_, outside_;
  Fibres fibres_;
  Disk disk_;
  std::unique_ptr<FakeContainers> engine_;
  FakeSlurm* slurm_ = nullptr;  // of sites_
  std::map<std::string, std::unique_ptr<Played>> sites_;
  Receivers receivers_;
  Machine machine_;
  ChaosAudit audit_;
  Tenants tenants_;
  std::map<std::string, bool> places_;
  ChaosResult out_;
  bool safety_ = true;
  bool restarting_ = false;
};

Run::Run(const ChaosOptions& options)
    : options_(options),
      plan_(draw_plan(options)),
      turns_(options.seed ^ 0x1111),
      world_(options.seed ^ 0x2222),
      chances_(options.seed ^ 0x3333),
      events_(options.seed ^ 0x4444),
      ids_(options.seed ^ 0x5555),
      asks_(options.seed ^ 0x6666),
      outside_(options.seed ^ 0x7777),
      fibres_(turns_, birth),
      disk_(DiskOptions{.seed = options.seed,
                        .power_safe_overwrite = true,
                        .weaken_synchronous = options.planted.contains("no-sync")}),
      engine_(make_engine()),
      sites_(make_sites()),
      receivers_(outside_),
      machine_(machine(), fibres_, disk_, ids_),
      audit_(plan_, truths(), receivers_, [this] { return fibres_.now(); }),
      tenants_(plan_, fibres_, machine_, receivers_, asks_) {
  make_sqlite_repeatable(static_cast<std::uint32_t>(options.seed));
  base::scheduler = &fibres_;
  base::chaos = this;
  fibres_.give_way_odds(plan_.give_way_odds);
  receivers_.faults = plan_.receivers;
  receivers_.senders_clock = [this] { return fibres_.now() + machine_.clock_jump; };
  machine_.committed = [this](const core::World& w, const std::vector<core::Fact>& facts) {
    for (const core::Fact& f : facts)
      if (options_.trace) trace_fact(f);
    audit_.committed(w, facts);
  };
  machine_.loaded = [this](const core::World& w) { audit_.loaded(w, machine_.store()); };
}

std::unique_ptr<FakeContainers> Run::make_engine() {
  auto engine =
      std::make_unique<FakeContainers>(fibres_, world_, plan_.docker ? docker_api() : libpod_api());
  engine->faults = plan_.engine;
  if (options_.trace) engine->trace = [this](const std::string& line) { say(line); };
  engine->shortest_run = plan_.shortest_run;
  engine->longest_run = plan_.longest_run;
  return engine;
}

std::unique_ptr<FakeSlurm> Run::make_slurm() {
  auto slurm = std::make_unique<FakeSlurm>(fibres_, world_, "simulated." + plan_.slurm);
  slurm->faults = plan_.cluster;
  slurm->shared = plan_.slurm_folder;
  if (options_.trace) slurm->trace = [this](const std::string& line) { say(line); };
  slurm->shortest_run = plan_.shortest_run;
  slurm->longest_run = plan_.longest_run;
  slurm_ = slurm.get();
  return slurm;
}

std::map<std::string, std::unique_ptr<Played>> Run::make_sites() {
  std::map<std::string, std::unique_ptr<Played>> sites;
  for (const std::string& name : plan_.sites) {
    if (name == plan_.slurm)
      sites.emplace(name, make_slurm());
    else
      sites.emplace(name, make_engine());
  }
  return sites;
}

MachineOptions Run::machine() {
  MachineOptions o;
  const auto on = [this](Played& played) {
    return [this, &played](base::Clock& clock) {
      return played.engine(plan_.engine_period, clock, {});
    };
  };
  const auto with_its_machines = [on](Played& played) -> MachineOptions::MakeEngine {
    return
        [make = on(played)](base::Clock& clock) { return with_machines(make(clock), "h100:8x2"); };
  };
  o.emulated = plan_.emulated;
  o.engine = on(*engine_);
  for (const auto& [name, played] : sites_)
    o.sites[name] = {std::string(played->kind()),
                     name == plan_.slurm ? on(*played) : with_its_machines(*played)};
  o.receivers = &receivers_;
  o.webhook_attempts = plan_.webhook_attempts;
  o.snapshot_after = plan_.snapshot_after;
  return o;
}

std::vector<Played*> Run::engines() const {
  std::vector<Played*> all{engine_.get()};
  for (const auto& [name, played] : sites_) all.push_back(played.get());
  return all;
}

Truths Run::truths() const {
  Truths all;
  for (const Played* played : engines()) {
    all.push_back({played->runs(), {}, played == slurm_});
    if (played->copies_logs())
      all.back().spool = [played](const std::string& name) { return played->spool(name); };
  }
  return all;
}

Played& Run::some_engine() {
  const auto all = engines();
  return all.size() == 1 ? *all[0] : *all[events_.next() % all.size()];
}

bool Run::nothing_left() const {
  return std::ranges::all_of(engines(), [](const auto* played) { return played->names().empty(); });
}

Run::~Run() {
  machine_.kill(Loss::nothing);
  base::scheduler = nullptr;
  base::chaos = nullptr;
}

void Run::say(const std::string& line) {
  if (options_.trace) fmt::print(stderr, "{} {}\n", base::format_instant(fibres_.now()), line);
}

void Run::trace_fact(const core::Fact& fact) {
  std::string written;
  core::write_fact(written, fact);
  say("  fact " + written.substr(0, 1500));
}

bool Run::misbehave(const char* place) {
  if (!safety_ || !plan_.has(Fault::misbehave)) return false;
  const auto known = places_.find(place);
  bool on = false;
  if (known == places_.end()) {
    on = chances_.next() % 4 == 0;
    places_.emplace(place, on);
  } else {
    on = known->second;
  }
  if (!on || chances_.next() % 4 != 0) return false;
  ++out_.misbehaved[place];
  return true;
}

// What hangs on addresses or on the state of the process is another thing each time.
bool Run::planted(const char* bug) {
  static std::uint64_t asked = 0;
  if (!options_.planted.contains(bug)) return false;
  return std::string_view(bug) != "unstable-order" || ++asked % 3 == 0;
}

void Run::log(base::Level level, std::string_view line) {
  say(fmt::format("  log {} {}", static_cast<int>(level), line));
  if (level != base::Level::error) return;
  const bool disk = plan_.has(Fault::disk_full) || plan_.has(Fault::disk_error) ||
                    plan_.has(Fault::disk_crash) || plan_.has(Fault::power) || disk_.crashed();
  if (!disk) audit_.wrong("an error was logged: " + std::string(line));
}

// As abort() would, but for the one task: watch() ends the others before any has another turn.
void Run::check_failed(std::string_view said) {
  say(fmt::format("CHECK {}", said));
  const bool of_the_store = said.find("the store failed") != std::string_view::npos;
  const bool disk = (plan_.has(Fault::disk_error) && of_the_store) || disk_.crashed();
  if (!disk) audit_.wrong("a CHECK failed: " + std::string(said));
  machine_.die("CHECK " + std::string(said));
  throw Killed();
}

void Run::bring_back(Loss loss) {
  if (restarting_) return;
  restarting_ = true;
  machine_.kill(loss);
  later(drawn(20), [this] {
    restarting_ = false;
    machine_.start();
    say("ampacityd starts");
  });
}

void Run::watch() {
  if (!fibres_.escaped().empty() && audit_.found.empty())
    audit_.wrong("an exception escaped: " + fibres_.escaped());
  if (restarting_) return;
  if (disk_.crashed()) {
    say("the disk crashed under it");
    const bool power = plan_.has(Fault::power);
    if (power) engine_->reboot();
    bring_back(power ? Loss::some : Loss::nothing);
  } else if (!machine_.died_of().empty()) {
    say("ampacityd died: " + machine_.died_of());
    const bool expected = plan_.has(Fault::disk_error) || plan_.has(Fault::disk_full) ||
                          plan_.has(Fault::partition) || plan_.has(Fault::unavailable) ||
                          plan_.has(Fault::reply_lost) || plan_.has(Fault::site_lost) ||
                          plan_.has(Fault::flap);
    if (!expected) audit_.wrong("it died: " + machine_.died_of());
    bring_back(Loss::nothing);
  }
}

// One thing goes wrong now.
void Run::strike() {
  std::vector<Fault> possible;
  std::ranges::copy_if(plan_.faults, std::back_inserter(possible),
                       [&](Fault f) { return strikes(f); });
  if (possible.empty()) return;
  const Fault f = possible[events_.next() % possible.size()];
  const base::Duration span = drawn(events_.next() % 4 == 0 ? 600 : 60);
  ++out_.faults;
  say(fmt::format("fault {} {}", word(f), base::format_duration(span)));
  switch (f) {
    case Fault::kill:
      if (!restarting_) bring_back(Loss::nothing);
      break;
    case Fault::power:
    case Fault::reboot:
      engine_->reboot();
      if (!restarting_) bring_back(f == Fault::power ? Loss::some : Loss::nothing);
      break;
    case Fault::disk_crash:
      disk_.faults.crash_before = 1 + events_.next() % 60;
      break;
    case Fault::pause:
      if (machine_.runs()) machine_.stop(fibres_.now() + span);
      break;
    case Fault::disk_full:
      disk_.fill(disk_.bytes());
      later(span, [this] { disk_.make_room(); });
      break;
    case Fault::disk_error: {
      const std::uint64_t nth = 1 + events_.next() % 20;
      (events_.next() % 2 ? disk_.faults.fail_sync : disk_.faults.fail_write) = nth;
      break;
    }
    case Fault::clock: {  // the machine's: the engine's, too
      const base::Duration step{(events_.next() % 2 ? 1 : -1) * span.us};
      machine_.clock_jump = machine_.clock_jump + step;
      audit_.clock_stepped(step);
      engine_->faults.clock_wrong = engine_->faults.clock_wrong + step;
      break;
    }
    case Fault::partition:
    case Fault::site_lost: {  // longer than lease and grace
      const auto more = base::Duration::seconds(f == Fault::site_lost ? 240 : 0);
      some_engine().unreachable_until(fibres_.now() + more + span);
      break;
    }
    case Fault::flap: {
      Played& site = some_engine();
      for (int i = 0; i < 6; ++i)
        later(base::Duration::seconds(25 * i), [this, &site] {
          if (safety_) site.unreachable_until(fibres_.now() + base::Duration::seconds(20));
        });
      break;
    }
    case Fault::lost: {
      Played& site = some_engine();
      events_.next() % 6 ? site.lose_one() : site.lose_all();
      break;
    }
    case Fault::hidden:
      some_engine().hide_one(span);
      break;
    case Fault::stray:
      some_engine().stray();
      break;
    default:
      strike_slurm(f, span);
  }
}

void Run::strike_slurm(Fault f, base::Duration span) {
  switch (f) {
    case Fault::controller:
      slurm_->restart_controller(span, events_.next() % 2);
      break;
    case Fault::node_down:
      slurm_->node_down(span);
      break;
    case Fault::drained:
      slurm_->drain(span);
      break;
    case Fault::others:
      slurm_->others_come(span);
      break;
    case Fault::requeued:
      slurm_->requeue_one();
      break;
    default:
      slurm_->folder_full_until(fibres_.now() + span);
  }
}

void Run::schedule_strikes() {
  const base::Duration next = drawn(2 * plan_.between_faults.whole_seconds());
  if (fibres_.now() + next >= birth + plan_.safety) return;
  later(next, [this] {
    strike();
    schedule_strikes();
  });
}

void Run::heal() {
  say("healed");
  audit_.healed();
  safety_ = false;
  disk_.faults = {};
  disk_.make_room();
  for (Played* played : engines()) played->heal();
  receivers_.heal();
}

bool Run::done_within(base::Duration d, std::function<void()> work) {
  auto over = std::make_shared<bool>(false);
  fibres_.spawn_in(Fibres::outside, [over, work = std::move(work)] {
    work();
    *over = true;
  });
  const base::Instant end = fibres_.now() + d;
  while (!*over && fibres_.now() < end)
    fibres_.run_until(fibres_.now() + base::Duration::seconds(1), [this] { watch(); });
  return *over;
}

// Nobody asks, nothing runs, nothing waits that could run.
bool Run::quiet() {
  if (!tenants_.done() || !machine_.open() || !nothing_left() || !audit_.all_told()) return false;
  // Shared: who looks may still be at it when we no longer wait.
  auto all = std::make_shared<bool>(false);
  (void)done_within(base::Duration::seconds(30), [this, all] {
    machine_.look(
        [&](const core::World& w) { *all = w.leased.empty() && w.live_jobs == w.queue.size(); });
  });
  return *all && audit_.no_row_waits(machine_.store());
}

// Everything that was acknowledged is there, and has ended or says why it waits.
void Run::final_reads() {
  const bool over = done_within(base::Duration::seconds(3'600), [this] {
    for (const std::string& job : tenants_.jobs()) {
      const auto r = tenants_.ask(machine_.owner_key(), "GET", "/v1/jobs/" + job, "", "", 5);
      if (!r || r->status != 200) {
        audit_.wrong(
            fmt::format("I9 acknowledged {} is not there: {}", job, r ? r->body : "no answer"));
        continue;
      }
      audit_.mix(r->body);
      const auto view = boost::json::parse(r->body).as_object();
      const auto state = std::string(view.at("state").as_string());
      const bool why = view.contains("why") && view.at("why").is_string();
      if (state != "ended" && !(state == "queued" && why))
        audit_.wrong(fmt::format("I8 {} is {} for ever", job, state));
    }
    machine_.look(
        [this](const core::World& w) { audit_.settled(w, fibres_.now() + machine_.clock_jump); });
  });
  if (!over) audit_.wrong("I8 the last questions were not answered");
}

void Run::finish() {
  const base::Instant end = fibres_.now() + to_settle;
  bool settled = false;
  while (!settled && fibres_.now() < end && audit_.found.empty()) {
    fibres_.run_until(fibres_.now() + base::Duration::seconds(60), [this] { watch(); });
    settled = quiet();
  }
  if (!audit_.found.empty()) return;
  if (!settled) {
    audit_.judge_hooks();
    std::string left;
    for (const Played* played : engines())
      for (const std::string& name : played->names()) left += " " + name;
    audit_.wrong(fmt::format(
        "I8 not settled {} after healing: {}{}{}; containers:{}", base::format_duration(to_settle),
        machine_.open() ? "open" : "not open", tenants_.done() ? "" : ", tenants wait",
        audit_.all_told() && audit_.no_row_waits(machine_.store()) ? "" : ", webhooks wait", left));
  }
  final_reads();
  machine_.kill(Loss::nothing);
  audit_.store_at_rest(machine_.store());
}

ChaosResult Run::result() {
  say(fmt::format("seed {}: {} for {}", options_.seed, fmt::join(plan_.emulated, " "),
                  base::format_duration(plan_.safety)));
  machine_.start();
  tenants_.begin(birth + plan_.safety);
  schedule_strikes();
  while (fibres_.now() < birth + plan_.safety && audit_.found.empty())
    fibres_.run_until(std::min(fibres_.now() + base::Duration::seconds(30), birth + plan_.safety),
                      [this] { watch(); });
  heal();
  if (audit_.found.empty()) finish();
  for (const std::string& w : tenants_.wrong()) audit_.wrong(w);
  out_.wrong = audit_.found;
  out_.digest = audit_.digest;
  out_.facts = audit_.facts;
  out_.commits = audit_.commits;
  out_.leases_closed = audit_.leases_closed;
  out_.turns = fibres_.turns();
  for (const Played* played : engines()) out_.engine_requests += played->requests();
  out_.answers = tenants_.answers();
  out_.told = receivers_.taken();
  out_.lives = machine_.lives();
  out_.simulated = fibres_.now() - birth;
  return out_;
}

}  // namespace

ChaosResult run_chaos(const ChaosOptions& options) {
  Run run(options);
  return run.result();
}

ChaosResult run_chaos_twice(const ChaosOptions& options) {
  ChaosResult once = run_chaos(options);
  if (!once.wrong.empty()) return once;
  const ChaosResult again = run_chaos(options);
  if (once.digest != again.digest || once.turns != again.turns)
    once.wrong.push_back(
        fmt::format("I23 another run from the same seed: digest {:016x} and {:016x}, {} turns and "
                    "{}",
                    once.digest, again.digest, once.turns, again.turns));
  return once;
}

std::string repro(const ChaosOptions& options) {
  std::string line = fmt::format("ampacity-sim --chaos --seed {}", options.seed);
  std::string without;
  for (const Fault f : options.without)
    without += (without.empty() ? "" : ",") + std::string(word(f));
  if (!without.empty()) line += " --without " + without;
  if (options.minutes) line += fmt::format(" --minutes {}", options.minutes);
  for (const std::string& bug : options.planted) line += " --plant " + bug;
  return line;
}

ChaosOptions shrink(ChaosOptions options, int runs) {
  const auto fails = [&](const ChaosOptions& o) {
    return runs-- > 0 && !run_chaos(o).wrong.empty();
  };
  if (options.minutes == 0) options.minutes = draw_plan(options).safety.whole_seconds() / 60;
  for (const Fault f : draw_plan(options).faults) {
    ChaosOptions less = options;
    less.without.insert(f);
    if (fails(less)) options = less;
  }
  while (options.minutes > 1) {
    ChaosOptions shorter = options;
    shorter.minutes = options.minutes / 2;
    if (!fails(shorter)) break;
    options = shorter;
  }
  return options;
}

}  // namespace ampacity::sim
