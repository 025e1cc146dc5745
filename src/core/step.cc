#include "core/step.h"

#include <algorithm>

#include "core/pass.h"

namespace ampacity::core {
namespace {

bool makes_room(const FactBody& body) {
  return std::holds_alternative<NodeJoined>(body) || std::holds_alternative<NodeChanged>(body) ||
         std::holds_alternative<JobEnded>(body) || std::holds_alternative<CreditAdded>(body) ||
         std::holds_alternative<ClaimDropped>(body) ||
         std::holds_alternative<WindowChanged>(body) || std::holds_alternative<PolicySet>(body) ||
         std::holds_alternative<QuotaSet>(body) || std::holds_alternative<PricesSet>(body) ||
         std::holds_alternative<SpotRepriced>(body) || std::holds_alternative<BudgetSet>(body) ||
         std::holds_alternative<BudgetRemoved>(body) ||
         std::holds_alternative<BudgetsTurned>(body) || std::holds_alternative<SiteChanged>(body) ||
         std::holds_alternative<SiteContact>(body) || std::holds_alternative<VolumeForgotten>(body);
}

// Before the fact is folded.
void count_freed(const World& world, const FactBody& body, Freed& freed) {
  freed.anywhere |= makes_room(body);
  const auto* closed = std::get_if<LeaseClosed>(&body);
  if (!closed) return;
  for (const Place& p : closed->interval.places) freed.nodes.push_back(p.node);
  freed.projects.push_back(world.job(closed->job)->project);
}

}  // namespace

base::Result<void> step(World& world, const Command& command, Instant now, const std::string& actor,
                        std::vector<Fact>& facts, const OnFact& on_fact) {
  const Instant at = std::max(now, world.state().now);  // time never goes back in the world
  auto decision = decide(world, command, at);
  if (!decision) return std::unexpected(std::move(decision.error()));
  Freed freed;
  const auto fold = [&](std::vector<FactBody> bodies, const std::string& who) {
    for (FactBody& body : bodies) {
      count_freed(world, body, freed);
      facts.push_back({at, who, std::move(body)});
      if (on_fact) on_fact(world, facts.back(), world.state().sequence + 1);
      evolve(world, facts.back());
    }
  };
  fold(std::move(*decision), actor);
  // After a submission only the new one can have become startable.
  const auto* submit = std::get_if<SubmitJob>(&command);
  const Job* fresh = submit ? world.job(submit->job.id) : nullptr;
  const bool review =
      std::holds_alternative<Tick>(command) || std::holds_alternative<Advance>(command);
  const bool room = freed.anywhere || !freed.nodes.empty();
  if (!world.queue.empty() && (room || review || (fresh && !fresh->lease))) {
    Pass pass = review ? Pass(world, at)
                : room ? Pass(world, at, std::move(freed))
                       : Pass(world, at, *fresh);
    while (true) {
      auto next = pass.next(world);
      if (next.empty()) break;
      fold(std::move(next), "queue");
    }
  }
  if (!world.budgets.due.empty()) fold(crossings(world), "budget");
  return {};
}

}  // namespace ampacity::core
