// The auditor of webhooks: which facts each of them must have been told of, from the facts alone,
// against what came at the receivers. Threads: fibres. 1. Once healed: each at least once, signed,
// with the body that the fact had; nothing that was not for it, nothing that never was. 2. What is
// not told has an excuse that the receiver gave: it said that nobody is there, or failed as often
// as is tried. Order is not promised (server/webhooks.h), and not asked for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/facts.h"
#include "core/world.h"
#include "sim/receivers.h"
#include "store/sqlite.h"

namespace ampacity::sim {

class HookAudit {
 public:
  HookAudit(const Receivers& receivers, std::int64_t most_attempts)
      : receivers_(receivers), most_attempts_(most_attempts) {}

  void see(const core::World& before, const core::Fact& fact);
  // Nobody waits who will be told, and hears of it.
  bool all_told() const;
  // What is wrong at the end.
  std::vector<std::string> judge() const;
  // Of the rows. Also asked before all counts as settled: an answer that was lost with a refused
  // batch is asked for again, later, and until then the row waits rightly.
  std::vector<std::string> judge_store(const store::StoreAt& store) const;

 private:
  struct Hook {
    std::string name;  // in its URL
    bool enabled = true, removed = false;
    std::string why;                         // it was switched off the last time
    std::map<std::string, std::string> due;  // by message id: the body
  };
  bool excused(const Hook& hook, const Receivers::Told* told) const;

  const Receivers& receivers_;
  const std::int64_t most_attempts_;
  std::map<base::Id, Hook> hooks_;
};

}  // namespace ampacity::sim
