// What a batch's facts mean to webhooks: rows that are written with them. Bounded a webhook.
// Threads: the loop's.
#pragma once

#include <map>
#include <vector>

#include "core/facts.h"
#include "core/world.h"
#include "store/deliveries.h"

namespace ampacity::server {

class Outbox {
 public:
  static constexpr std::int64_t most_waiting = 10'000;  // for one webhook
  static constexpr const char* too_many = "10,000 events wait for it";

  explicit Outbox(std::map<base::Id, std::int64_t> waiting) : waiting_(std::move(waiting)) {}

  // Before the fact is folded. Appends a row for each webhook that hears of it.
  void add(const core::World& before, const core::Fact& fact, std::uint64_t sequence,
           std::vector<store::Delivery>& out);
  // One is no longer waiting.
  void settled(base::Id webhook);
  // Webhooks that were not told of something since the last call: they are to be switched off.
  std::vector<base::Id> take_overfull();

 private:
  std::map<base::Id, std::int64_t> waiting_;
  std::vector<base::Id> overfull_;
};

}  // namespace ampacity::server
