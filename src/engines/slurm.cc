#include "engines/slurm.h"

namespace ampacity::engines {
namespace {

class NotYet final : public Engine {
 public:
  base::Try<void> start(EngineReports) override {
    return base::fault("the Slurm engine is not built yet", false);
  }
  void desire_whole(std::vector<core::RankWork>) override {}
  void desire_also(std::vector<core::RankWork>) override {}
  void done_with(std::vector<Done>) override {}
  EngineHealth health() const override { return {}; }
  base::Try<std::unique_ptr<ExecSession>> exec(const std::string&, std::vector<std::string>, bool,
                                               ExecEvents) override {
    return base::fault("a rank on Slurm cannot be entered", false);
  }
  base::Try<std::vector<VolumeSeen>> volumes() override { return std::vector<VolumeSeen>{}; }
  base::Try<void> remove_volume(std::uint32_t, const std::string&) override {
    return base::fault("a Slurm site has no volumes", false, 404);
  }
};

}  // namespace

std::unique_ptr<Engine> make_slurm_engine(SlurmOptions, base::Clock&) {
  return std::make_unique<NotYet>();
}
std::unique_ptr<Engine> make_slurm_engine(SlurmOptions, base::Clock&,
                                          std::unique_ptr<net::Transport>) {
  return std::make_unique<NotYet>();
}

std::filesystem::path log_directory(const SlurmOptions& options) { return options.state / "logs"; }

}  // namespace ampacity::engines
