#include "core/step.h"

#include <algorithm>

namespace ampacity::core {
namespace {

bool makes_room(const FactBody& body) {
  return std::holds_alternative<LeaseClosed>(body) || std::holds_alternative<NodeJoined>(body) ||
         std::holds_alternative<NodeChanged>(body) || std::holds_alternative<JobEnded>(body) ||
         std::holds_alternative<CreditAdded>(body);
}

}  // namespace

base::Result<void> step(World& world, const Command& command, Instant now, const std::string& actor,
                        std::vector<Fact>& facts, const OnFact& on_fact) {
  auto decision = decide(world, command, now);
  if (!decision) return std::unexpected(std::move(decision.error()));
  const Instant at = std::max(now, world.state().now);
  bool room = false;
  const auto fold = [&](std::vector<FactBody> bodies, const std::string& who) {
    for (FactBody& body : bodies) {
      room |= makes_room(body);
      facts.push_back({at, who, std::move(body)});
      if (on_fact) on_fact(world, facts.back(), world.state().sequence + 1);
      evolve(world, facts.back());
    }
  };
  fold(std::move(*decision), actor);
  while (room && !world.queue.empty()) {
    auto next = decide(world, Advance{}, now);
    if (!next || next->empty()) break;
    fold(std::move(*next), "queue");
  }
  return {};
}

}  // namespace ampacity::core
