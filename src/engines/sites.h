// The engines of many sites behind one: each rank goes to the engine of its site, and what a site
// says of itself comes with its name. Engines are added and removed while it runs.
// Threads: as engine.h; an engine that is removed lives until the last who asked for it by at() has
// let go. 1. A site's machines are known as `<site>:<machine>` outside it, but for the first site,
// this machine's own. 2. What an engine wants of a site is never told to another.
#pragma once

#include <map>
#include <string>

#include "base/threads.h"
#include "engines/engine.h"

namespace ampacity::engines {

class Sites final : public Engine {
 public:
  // `home`: this machine's site and its engine, not yet started.
  Sites(std::string home, std::shared_ptr<Engine> engine);
  ~Sites() override;

  // Starts it. Whoever adds one has everybody told the whole desire again afterwards.
  base::Try<void> add(const std::string& site, std::shared_ptr<Engine> engine);
  void remove(const std::string& site);  // what runs there runs on
  bool has(const std::string& site) const;

  base::Try<void> start(EngineReports reports) override;  // the first site's
  void desire_whole(std::vector<core::RankWork> ranks) override;
  void desire_also(std::vector<core::RankWork> ranks) override;
  void done_with(std::vector<Done> ranks) override;
  EngineHealth health() const override;  // the first site's
  std::shared_ptr<Engine> at(std::string_view site) override;
  base::Try<std::unique_ptr<ExecSession>> exec(const std::string& container_name,
                                               std::vector<std::string> argv, bool tty,
                                               ExecEvents events) override;  // on the first site
  base::Try<std::vector<VolumeSeen>> volumes(
      std::optional<std::uint32_t> project) override;  // of all that answer
  base::Try<void> remove_volume(std::uint32_t project, const std::string& name) override;

 private:
  using Engines = std::map<std::string, std::shared_ptr<Engine>, std::less<>>;
  EngineReports reports_of(const std::string& site) const;
  Engines engines() const;
  // Each engine with what is its own; those of no engine are left out.
  template <typename T>
  std::map<std::string, std::vector<T>> by_site(std::vector<T> all) const;

  const std::string home_;
  EngineReports reports_;
  mutable base::Mutex mutex_;
  Engines engines_;
};

// "iad-1:node7".
std::string name_at(const std::string& site, const std::string& machine);

}  // namespace ampacity::engines
