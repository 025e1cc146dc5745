// The engine's place in the server: empty while it follows, taken for good when it leads.
// Threads: sit() once, before the loop leads; all else any. 1. An empty seat asks nobody for
// anything, and says that it is empty.
#pragma once

#include <atomic>
#include <memory>

#include "engines/engine.h"

namespace ampacity::server {

class EngineSeat final : public engines::Engine {
 public:
  // Not started yet.
  void sit(std::unique_ptr<engines::Engine> engine) {
    owned_ = std::move(engine);
    engine_ = owned_.get();
  }
  // Ends the engine's threads; containers go on. Nobody may call any more.
  void rise() {
    engine_ = nullptr;
    owned_.reset();
  }

  base::Try<void> start(engines::EngineReports reports) override {
    return engine_ ? engine_.load()->start(std::move(reports)) : no_engine();
  }
  void desire_whole(std::vector<core::RankWork> ranks) override {
    if (engine_) engine_.load()->desire_whole(std::move(ranks));
  }
  void desire_also(std::vector<core::RankWork> ranks) override {
    if (engine_) engine_.load()->desire_also(std::move(ranks));
  }
  void done_with(std::vector<Done> ranks) override {
    if (engine_) engine_.load()->done_with(std::move(ranks));
  }
  void hold_back(std::vector<std::string> machines) override {
    if (engine_) engine_.load()->hold_back(std::move(machines));
  }
  engines::EngineHealth health() const override {
    engines::EngineHealth none;
    none.kind = "none";
    none.note = why_none;
    return engine_ ? engine_.load()->health() : none;
  }
  std::shared_ptr<engines::Engine> at(std::string_view site) override {
    return engine_ ? engine_.load()->at(site) : nullptr;
  }
  base::Try<std::unique_ptr<engines::ExecSession>> exec(const std::string& container,
                                                        std::vector<std::string> argv, bool tty,
                                                        engines::ExecEvents events) override {
    if (!engine_) return no_engine();
    return engine_.load()->exec(container, std::move(argv), tty, std::move(events));
  }
  base::Try<std::vector<engines::VolumeSeen>> volumes(
      std::optional<std::uint32_t> project) override {
    if (!engine_) return no_engine();
    return engine_.load()->volumes(project);
  }
  base::Try<void> remove_volume(std::uint32_t project, const std::string& name) override {
    return engine_ ? engine_.load()->remove_volume(project, name) : no_engine();
  }

 private:
  static constexpr const char* why_none = "this server follows: engines are the leader's to ask";
  static std::unexpected<base::Fault> no_engine() { return base::fault(why_none); }

  std::unique_ptr<engines::Engine> owned_;
  std::atomic<engines::Engine*> engine_{nullptr};
};

}  // namespace ampacity::server
