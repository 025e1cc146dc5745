// Brings the engines of the sites that were added: makes and starts them, lets them go, and tells
// the loop which machines they see. Level-triggered: each second what runs is compared with the
// sites. Threads: one of its own; changed(), saw() and notes() from any. 1. The router knows an
// engine only once it has started; what cannot be started is tried again, at most every 30 s.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/threads.h"
#include "engines/sites.h"
#include "server/loop.h"

namespace ampacity::server {

// From what a site's own scheduler says of its machines: what it leaves out is filled from the
// catalogue, emulated machines are of emulated kinds.
core::RegisterSite registration_of(const engines::SiteSeen& seen);

class SiteEngines {
 public:
  using Make = std::function<base::Try<std::unique_ptr<engines::Engine>>(const core::Site& site)>;
  SiteEngines(engines::Sites& sites, Loop& loop, Make make, base::Clock& clock);
  ~SiteEngines() { stop(); }

  void start();
  void stop();
  void changed();  // a site was added, set or removed
  void saw(engines::SiteSeen seen);
  // Why something of it is not offered, and what fails there.
  std::vector<std::string> notes(const std::string& site) const;

 private:
  struct Running {
    std::string connection;  // as it was made
    base::Instant retry_at;
    std::int64_t failures = 0;
    std::string trouble;  // why it could not be made or its machines not be taken
    std::optional<engines::SiteSeen> seen;
    base::Instant told_at;  // the loop, of its machines; zero: of nothing newer
  };
  void run();
  void compare();
  void bring(const core::Site& site);
  void tell();

  engines::Sites& sites_;
  Loop& loop_;
  const Make make_;
  base::Clock& clock_;
  mutable base::Mutex mutex_;
  base::Condition wake_;
  std::map<std::string, Running> running_;
  bool changed_ = false, stopping_ = false;
  base::Thread thread_;
};

}  // namespace ampacity::server
