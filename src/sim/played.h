// A site that is played: an engine that is not there, in virtual time, as the chaos of a seed and
// the auditors see it, whatever API it speaks.
// Threads: fibres. 1. What truly ran, when, is kept in `runs()`; nothing else of the simulator is
// asked about it. 2. It outlives the server's process, as engines do.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "engines/engine.h"
#include "sim/runs.h"

namespace ampacity::sim {

class Played {
 public:
  virtual ~Played() = default;
  std::function<void(const std::string&)> trace;  // what it was asked

  // The production engine on it, for one life of a server that may act as long as it says so.
  virtual std::unique_ptr<engines::Engine> engine(base::Duration period, base::Clock& clock,
                                                  std::function<bool()> may_act) = 0;
  virtual std::string_view kind() const = 0;  // "podman", "slurm": of core::Site

  // ---- what befalls it
  virtual void lose_all() = 0;                         // its state is lost: what ran is killed
  virtual void lose_one() = 0;                         // … of one rank
  virtual void hide_one(base::Duration how_long) = 0;  // unknown to it, and back later: it ran on
  virtual void stray() = 0;                            // somebody makes one with our label
  virtual void unreachable_until(base::Instant t) = 0;
  virtual void heal() = 0;

  // ---- what truly was
  virtual const TrueRuns& runs() const = 0;
  virtual bool copies_logs() const = 0;
  virtual const std::string& spool(const std::string& rank) const = 0;  // what was copied
  virtual std::set<std::string> names() const = 0;                      // of all that is left
  virtual std::uint64_t requests() const = 0;
};

}  // namespace ampacity::sim
