// The machine that the played engine is on, as the production engine needs it.
#include <fmt/core.h>

#include <sstream>

#include "engines/containers.h"
#include "sim/fake_containers.h"

namespace ampacity::sim {

class FakeTransport final : public net::Transport {
 public:
  explicit FakeTransport(FakeContainers& engine) : engine_(engine) {}
  base::Try<net::Response> call(const net::Request& request, const net::CallOptions& o) override {
    if (o.cancel && *o.cancel) return base::fault("cancelled");
    return engine_.answer(request);
  }
  // The events, until something breaks.
  base::Try<net::Response> stream(const net::Request&,
                                  const std::function<bool(std::string_view)>& on_bytes,
                                  const net::CallOptions& o) override {
    std::size_t next = engine_.events_.size();
    while (!(o.cancel && *o.cancel)) {
      if (engine_.fibres_.now() < engine_.unreachable_until_) return base::fault("cut off");
      if (next < engine_.events_.size()) {
        const std::string line = engine_.events_[next++];
        if (!on_bytes(line)) break;
        continue;
      }
      (void)base::scheduler->park(&engine_.events_, base::Duration::seconds(5));
    }
    return net::Response{};
  }
  base::Try<net::Response> upload(const net::Request& request,
                                  const std::function<std::string()>& next,
                                  const net::CallOptions& o) override {
    while (!next().empty()) {
    }
    return call(request, o);
  }

 private:
  FakeContainers& engine_;
};

class FakeHost final : public engines::ContainerHost {
 public:
  explicit FakeHost(FakeContainers& engine) : engine_(engine) {}
  std::unique_ptr<net::Transport> connect() override {
    return std::make_unique<FakeTransport>(engine_);
  }
  net::Peer peer() const override { return {"http://simulated", {}}; }
  bool owns_service() const override { return engine_.api_->of_our_own_service(); }
  base::Try<void> ensure_service() override { return {}; }
  bool service_alive() const override { return true; }
  engines::HostAllows allows() override {
    engines::HostAllows h;
    h.boot = fmt::format("boot-{}", engine_.boots_);
    h.user_namespaces = owns_service();
    return h;
  }
  base::Try<void> bound_group(const std::string&) override { return {}; }
  bool kill_contained(int pid, const std::string& id) override {
    for (const auto& [name, c] : engine_.containers_) {
      if (c.pid != pid || c.id != id || pid == 0) continue;
      engine_.later(c, base::Duration::millis(3),
                    [this](FakeContainer& killed) { engine_.end(killed.name, 137); });
      return true;
    }
    return false;
  }
  std::vector<engines::Minder> minders() override { return engine_.minders_; }
  void end_minder(const engines::Minder& minder) override {
    engine_.end_minders([&](const auto& m) { return m.pid == minder.pid; });
  }
  void give_volume(const std::string&, std::int64_t) override {}
  bool oom_killed(const std::string&) const override { return false; }
  base::Try<void> make_log_directory() override { return {}; }
  bool has_log(const std::string& path) const override {
    return engine_.spools_.contains(name_in(path));
  }
  base::Try<engines::SpoolEnd> spool_end(const std::string& path) override {
    std::istringstream spool(engine_.spools_[name_in(path)]);
    return engines::spool_end(spool, path);
  }
  base::Try<engines::SpoolEnd> spool_whole(const std::string& path) override {
    return engines::SpoolEnd{0, engine_.spools_[name_in(path)]};
  }
  void add_to_spool(const std::string& path, const std::string& text) override {
    engine_.spools_[name_in(path)] += text;
  }

 private:
  static std::string name_in(const std::string& path) {
    const auto slash = path.rfind('/');
    std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    if (name.ends_with(".log")) name.resize(name.size() - 4);
    return name;
  }
  FakeContainers& engine_;
};

std::unique_ptr<engines::Engine> FakeContainers::engine(base::Duration period, base::Clock& clock,
                                                        std::function<bool()> may_act) {
  engines::ContainerOptions options;
  options.state = "/simulated";
  options.cloud = "simulated";
  options.period = period;
  options.may_act = std::move(may_act);
  using Dialect = engines::ContainerOptions::Dialect;
  options.dialect = api_->of_our_own_service() ? Dialect::podman : Dialect::docker;
  return engines::make_container_engine(options, clock, std::make_unique<FakeHost>(*this));
}

}  // namespace ampacity::sim
