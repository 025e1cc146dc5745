// A podman or a docker that is not there: runs containers in virtual time, with faults, and answers
// as the real one would (container_api.h).
// Threads: fibres.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "engines/container_host.h"
#include "sim/container_api.h"
#include "sim/fibres.h"
#include "sim/played.h"

namespace ampacity::sim {

// Of 1,000 where not said otherwise; drawn by the seed, zero outside the safety phase.
struct ContainerFaults {
  std::uint32_t unreachable = 0;  // no connection
  std::uint32_t unavailable = 0;  // 503
  std::uint32_t reply_lost = 0;   // done, and the answer never came
  std::uint32_t list_cut = 0;     // the list's body ends in the middle
  std::uint32_t event_lost = 0;   // of the events
  std::uint32_t event_twice = 0;
  std::uint32_t start_idle = 0;     // says it started, and did not
  std::uint32_t start_refused = 0;  // for no reason
  std::uint32_t term_ignored = 0;   // of the containers
  std::uint32_t dies = 0;           // of the containers: on their own, early
  std::uint32_t pull_fails = 0;
  std::uint32_t half_made = 0;     // podman dies in a create: only its storage knows the name
  std::uint32_t half_started = 0;  // podman dies in a start: there is a log, and a minder
  std::uint32_t pruned = 0;        // of ended ones, as they are looked at: somebody removes them
  base::Duration slowest{20'000};  // an answer takes up to this, most of them far less
  base::Duration clock_wrong;      // its clock, against the world's
};

struct FakeContainer {
  enum class State { created, running, exited };
  std::string name, id, image, cloud, boot;
  State state = State::created;
  base::Instant started_at, ended_at;  // by the engine's clock of then
  int exit_code = 0, pid = 0;
  bool ignores_term = false, hidden = false;
  std::size_t run = 0;  // in runs()
  std::uint64_t life = 0;
};

class FakeContainers final : public Played {
 public:
  FakeContainers(Fibres& fibres, base::Prng& prng, std::unique_ptr<ContainerApi> api);

  ContainerFaults faults;
  // How long the next container works; drawn between the two.
  base::Duration shortest_run{base::Duration::seconds(5)},
      longest_run{base::Duration::seconds(300)};

  // ---- Played
  std::unique_ptr<engines::Engine> engine(base::Duration period, base::Clock& clock,
                                          std::function<bool()> may_act) override;
  std::string_view kind() const override { return "podman"; }
  void lose_all() override;
  void lose_one() override;
  void hide_one(base::Duration how_long) override;
  void stray() override;
  void unreachable_until(base::Instant t) override { unreachable_until_ = t; }
  void heal() override;
  const TrueRuns& runs() const override { return runs_; }
  bool copies_logs() const override { return !api_->of_our_own_service(); }
  const std::string& spool(const std::string& name) const override;
  std::set<std::string> names() const override;
  std::uint64_t requests() const override { return requests_; }

  void reboot();  // the host: what ran has ended

  // ---- for who speaks
  // ----------------------------------------------------------------------------
  enum class Made { ok, taken, no_image, died };
  enum class Started { ok, already, refused, died };
  std::vector<const FakeContainer*> listed() const;
  FakeContainer* find(const std::string& name);
  Made make(FakeContainer draft, std::string& id);  // the id: its own, or of who has the name
  Started start(FakeContainer& c);
  bool signal(FakeContainer& c, std::string_view signal);  // false: nothing of it runs
  bool remove(const std::string& name);                    // kills it first; false: no such
  bool pull(const std::string& image);
  base::Instant its_time() const { return fibres_.now() + faults.clock_wrong; }
  std::string log_of(const FakeContainer& c, std::int64_t since_s) const;  // the spool's lines
  std::set<std::string> images, networks, volumes;

 private:
  friend class FakeHost;
  friend class FakeTransport;
  using Answer = base::Try<net::Response>;
  Answer answer(const net::Request& request);
  base::Duration half_a_call();
  void end(const std::string& name, int exit_code);
  void begin(FakeContainer& c, bool unseen);
  void end_minders(const std::function<bool(const engines::Minder&)>& of_them);
  void take_away(const std::string& name);
  void prune(const std::string& target);
  void later(const FakeContainer& c, base::Duration d, std::function<void(FakeContainer&)> what);
  void say(const FakeContainer& c, bool end);
  bool drawn(std::uint32_t of_1000);
  std::vector<std::string> seen_names() const;

  Fibres& fibres_;
  base::Prng& prng_;
  const std::unique_ptr<ContainerApi> api_;
  std::map<std::string, FakeContainer> containers_;
  std::set<std::string> half_made_;
  std::vector<engines::Minder> minders_;       // of starts that podman did not survive
  std::map<std::string, std::string> spools_;  // of logs, on the server's disk
  TrueRuns runs_;
  std::vector<std::string> events_;  // all there ever were
  base::Instant unreachable_until_;
  int boots_ = 1, last_pid_ = 1;
  std::uint64_t lives_ = 0, requests_ = 0;
};

}  // namespace ampacity::sim
