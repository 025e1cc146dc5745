// The host of the cluster that is not there, as the production engine needs it.
#include <fmt/core.h>

#include <algorithm>

#include "engines/slurm.h"
#include "sim/fake_slurm.h"
#include "sim/slurm_api.h"

namespace ampacity::sim {
namespace {

constexpr base::Duration patience = base::Duration::seconds(20);  // of who asks
constexpr base::Duration most_late = base::Duration::seconds(15);
constexpr base::Duration no_lag = base::Duration::seconds(2);

}  // namespace

class FakeSlurmTransport final : public net::Transport {
 public:
  explicit FakeSlurmTransport(FakeSlurm& slurm) : slurm_(slurm) {}
  base::Try<net::Response> call(const net::Request& q, const net::CallOptions& o) override {
    if (o.cancel && *o.cancel) return base::fault("cancelled");
    return slurm_.answer(q);
  }
  base::Try<net::Response> stream(const net::Request&, const std::function<bool(std::string_view)>&,
                                  const net::CallOptions&) override {
    return base::fault("slurmrestd has no streams", false);
  }
  base::Try<net::Response> upload(const net::Request&, const std::function<std::string()>&,
                                  const net::CallOptions&) override {
    return base::fault("slurmrestd takes no uploads", false);
  }

 private:
  FakeSlurm& slurm_;
};

class FakeSlurmFolder final : public engines::SlurmFolder {
 public:
  explicit FakeSlurmFolder(FakeSlurm& slurm) : slurm_(slurm) {}
  bool there() const override { return slurm_.shared; }
  base::Duration news_delay() const override { return slurm_.faults.folder_lag + no_lag; }
  base::Try<void> open() override { return {}; }
  base::Try<void> make_home(std::uint32_t) override { return {}; }
  std::string marker_path(const std::string& rank) const override {
    return there() ? "/shared/markers/" + rank : "";
  }
  std::string output_path(const std::string& rank) const override {
    return there() ? "/shared/output/" + rank : "/dev/null";
  }
  std::string home_path(std::uint32_t) const override { return there() ? "/shared/home" : "/tmp"; }

  std::optional<engines::SlurmMarker> marker(const std::string& rank) const override {
    const auto at = slurm_.markers_.find(rank);
    if (!there() || at == slurm_.markers_.end()) return std::nullopt;
    const FakeSlurm::File& file = at->second;
    std::size_t seen = 0;
    for (const auto& [when, length] : file.lengths)
      if (slurm_.fibres_.now() - when >= slurm_.faults.folder_lag) seen = length;
    return engines::parse_slurm_marker(std::string_view(file.text).substr(0, seen));
  }
  void copy_output(const std::string& rank, base::Instant, bool) override {
    const auto at = slurm_.outputs_.find(rank);
    if (!there() || at == slurm_.outputs_.end()) return;
    std::size_t& copied = slurm_.copied_[rank];
    slurm_.spools_[rank] += at->second.substr(copied);
    copied = at->second.size();
  }
  void forget_output(const std::string& rank) override { slurm_.outputs_.erase(rank); }
  int expire(base::Instant before,
             const std::function<bool(const std::string&)>& keep) const override {
    return static_cast<int>(std::erase_if(slurm_.markers_, [&](const auto& one) {
      return one.second.written_at < before && !keep(one.first);
    }));
  }
  bool watch(const std::function<void(std::vector<std::string>)>& written,
             const std::atomic<bool>& stopping) const override {
    if (!there() || slurm_.faults.folder_lag.us > 0) return false;
    std::size_t next = slurm_.written_.size();
    while (!stopping) {
      if (next == slurm_.written_.size()) {
        (void)base::scheduler->park(&slurm_.written_, base::Duration::seconds(5));
        continue;
      }
      std::vector<std::string> names(slurm_.written_.begin() + static_cast<std::ptrdiff_t>(next),
                                     slurm_.written_.end());
      next = slurm_.written_.size();
      written(std::move(names));
    }
    return true;
  }

 private:
  FakeSlurm& slurm_;
};

class FakeSlurmControl final : public engines::SlurmControl {
 public:
  explicit FakeSlurmControl(FakeSlurm& slurm) : slurm_(slurm) {}
  base::Try<std::string> topology() const override {
    base::sleep_for(slurm_.half_a_call());
    if (slurm_.away()) return base::fault("scontrol: Unable to contact slurm controller");
    return std::string("SwitchName=leaf-1 Level=0 LinkSpeed=1 Nodes=n[1-2]");
  }
  base::Try<void> reserve(const std::string& name, const std::string&,
                          const std::vector<std::string>&) const override {
    base::sleep_for(slurm_.half_a_call());
    if (slurm_.away()) return base::fault("scontrol: Unable to contact slurm controller");
    const bool busy = std::ranges::any_of(
        slurm_.nodes_, [](const FakeSlurm::Node& n) { return n.reserved_by_others; });
    if (busy && slurm_.reservation_ != name)
      return base::fault("scontrol: Error creating the reservation: Requested nodes are busy");
    slurm_.reservation_ = name;
    slurm_.plan_turn();
    return {};
  }
  base::Try<void> drain(const std::string& node, const std::string& reason) const override {
    return set(node, true, reason);
  }
  base::Try<void> resume(const std::string& node) const override { return set(node, false, {}); }

 private:
  base::Try<void> set(const std::string& name, bool drained, const std::string& reason) const {
    base::sleep_for(slurm_.half_a_call());
    if (slurm_.away()) return base::fault("scontrol: Unable to contact slurm controller");
    FakeSlurm::Node& node = slurm_.node(name);
    node.drained = drained;
    node.reason = reason;
    slurm_.changed();
    slurm_.plan_turn();
    return {};
  }
  FakeSlurm& slurm_;
};

std::unique_ptr<engines::Engine> FakeSlurm::engine(base::Duration period, base::Clock& clock,
                                                   std::function<bool()> may_act) {
  engines::SlurmOptions options;
  options.cloud = cloud_;
  options.url = "http://simulated";
  options.user = "slurm";
  options.may_act = std::move(may_act);
  options.period = period;
  options.lease = lease;
  engines::SlurmHost host{std::make_unique<FakeSlurmTransport>(*this),
                          std::make_unique<FakeSlurmFolder>(*this),
                          std::make_unique<FakeSlurmControl>(*this)};
  return engines::make_slurm_engine(std::move(options), clock, std::move(host));
}

// Most calls are quick; one in eight is not, so that an old answer may come after a new one.
base::Duration FakeSlurm::half_a_call() {
  const std::int64_t most = prng_.next() % 8 == 0 ? faults.slowest.us / 2 : faults.slowest.us / 32;
  return {50 + static_cast<std::int64_t>(
                   prng_.next() % static_cast<std::uint64_t>(std::max<std::int64_t>(most, 2)))};
}

base::Try<net::Response> FakeSlurm::answer(const net::Request& request) {
  ++requests_;
  base::sleep_for(half_a_call());
  if (fibres_.now() < unreachable_until_ || drawn(faults.unreachable))
    return base::fault("could not connect to the simulated slurmrestd");
  if (drawn(faults.unavailable)) return net::Response{503, "text/plain", "busy", {}};
  const bool submits = request.target.ends_with("/job/submit");
  if (submits && drawn(faults.applied_late)) {
    later(patience + soon(most_late.us / 1'000), [this, request] {
      if (!away()) (void)serve_slurm(*this, request);
    });
    base::sleep_for(patience);
    return base::fault("no answer within 20 s");
  }
  if (away())
    return submits ? slurm_error(1800, "Unable to contact slurm controller (connect failure)")
                   : slurm_error(-1, "Unspecified error");
  const auto ends = ends_in(request);
  net::Response response = serve_slurm(*this, request);
  if (trace)
    trace(fmt::format("  slurm {} {} -> {} {:.200}", request.method, request.target,
                      response.status, submits ? request.body : ""));
  if (drawn(faults.half_heard))
    response = slurm_error(1802, "Zero Bytes were transmitted or received");
  base::sleep_for(half_a_call());
  if (fibres_.now() < unreachable_until_ || drawn(faults.reply_lost))
    return base::fault("the connection ended before the answer");
  if (request.target.find("/jobs") != std::string::npos && drawn(faults.list_cut))
    response.body.resize(response.body.size() / 2);
  else if (response.status == 200)
    told(ends);
  return response;
}

std::vector<std::uint64_t> FakeSlurm::ends_in(const net::Request& request) const {
  std::vector<std::uint64_t> turns;
  if (request.method != "GET") return turns;
  const bool all = request.target.find("/jobs") != std::string::npos;
  for (const auto& [id, job] : jobs_)
    if (job.over() && !job.completing &&
        (all || request.target.ends_with(fmt::format("/job/{}", id))))
      turns.push_back(job.turn);
  return turns;
}

void FakeSlurm::told(const std::vector<std::uint64_t>& ends) {
  for (TrueRun& run : runs_)
    if (std::ranges::find(ends, run.life) != ends.end()) run.told_at = fibres_.now();
}

}  // namespace ampacity::sim
