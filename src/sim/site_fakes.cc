#include "sim/site_fakes.h"

#include "server/inventory.h"

namespace ampacity::sim {
namespace {

class WithMachines final : public engines::Engine {
 public:
  WithMachines(std::unique_ptr<engines::Engine> inner, const std::string& emulated)
      : inner_(std::move(inner)) {
    if (const auto e = server::parse_emulation(emulated))
      machines_.nodes = server::emulated_machines(*e, "");
  }
  base::Try<void> start(engines::EngineReports reports) override {
    const auto inventory = reports.inventory;
    if (auto started = inner_->start(std::move(reports)); !started) return started;
    if (inventory) inventory(machines_);
    return {};
  }
  void desire_whole(std::vector<core::RankWork> ranks) override {
    inner_->desire_whole(std::move(ranks));
  }
  void desire_also(std::vector<core::RankWork> ranks) override {
    inner_->desire_also(std::move(ranks));
  }
  void done_with(std::vector<Done> ranks) override { inner_->done_with(std::move(ranks)); }
  engines::EngineHealth health() const override { return inner_->health(); }
  base::Try<std::unique_ptr<engines::ExecSession>> exec(const std::string& name,
                                                        std::vector<std::string> argv, bool tty,
                                                        engines::ExecEvents events) override {
    return inner_->exec(name, std::move(argv), tty, std::move(events));
  }
  base::Try<std::vector<engines::VolumeSeen>> volumes(
      std::optional<std::uint32_t> project) override {
    return inner_->volumes(project);
  }
  base::Try<void> remove_volume(std::uint32_t project, const std::string& name) override {
    return inner_->remove_volume(project, name);
  }

 private:
  std::unique_ptr<engines::Engine> inner_;
  engines::SiteSeen machines_;
};

}  // namespace

std::unique_ptr<engines::Engine> with_machines(std::unique_ptr<engines::Engine> inner,
                                               const std::string& emulated) {
  return std::make_unique<WithMachines>(std::move(inner), emulated);
}

}  // namespace ampacity::sim
