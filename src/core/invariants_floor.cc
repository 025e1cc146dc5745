#include "core/invariants_floor.h"

#include <algorithm>
#include <bit>
#include <set>

#include "core/desire.h"

namespace ampacity::core {
namespace {

// A slice of 1 eighth begins at 0…6, of 2 at 0, 2, 4, of 4 at 0, 4, of 8 at 0 (NVIDIA's profiles).
bool is_profile(std::uint32_t slices, std::uint32_t eighths) {
  if (slices == 0 || slices > 0xff || std::popcount(slices) != static_cast<int>(eighths))
    return false;
  const auto at = static_cast<std::uint32_t>(std::countr_zero(slices));
  if (slices >> at != (1U << eighths) - 1 || at % eighths != 0) return false;
  return !(eighths == 1 && at == 7) && !(eighths == 2 && at == 6);
}

void take_card(CardLoad& card, const Stand& stand, const Place& p, const std::string& where,
               const std::string& who, Findings& found) {
  if (stand.mig) {
    if (!is_profile(p.mig_slices, stand.mig))
      found.add("I1", where, who, " has eighths ", p.mig_slices, ", which is no slice of ",
                stand.mig);
    if (card.milli) found.add("I1", where, who, " has a slice of a card that is not in MIG mode");
    if (card.slices & p.mig_slices)
      found.add("I1", where, who, " has eighths ", card.slices & p.mig_slices, " of somebody else");
    card.slices |= p.mig_slices;
    return;
  }
  if (card.slices) found.add("I1", where, who, " has a card that is cut into slices");
  if (card.milli + stand.gpu_milli > 1000)
    found.add("I1", where, who, " has ", stand.gpu_milli, " milli of it and others ", card.milli);
  else if (card.milli && card.tenant != stand.project)
    found.add("I1", where, who, " shares it with another project");
  card.milli += stand.gpu_milli;
  card.tenant = stand.project;
}

}  // namespace

void Floor::take(const State& s, const Stand& stand, const std::string& who, Findings& found) {
  for (const Place& p : stand.places) {
    if (p.node >= s.nodes.size()) {
      found.add("I1", who, "stands on node ", p.node, ", which is not there");
      continue;
    }
    const Node& node = s.nodes[p.node];
    NodeLoad& load = at(p.node);
    load.cards.resize(std::max(load.cards.size(), node.gpus.size()));
    load.cpu_milli += stand.cpu_milli;
    load.memory_mib += stand.memory_mib;
    ++load.ranks;
    if (load.cpu_milli > node.cpu_milli)
      found.add("I2", name_of(node), load.cpu_milli, " milli-vCPU leased of ", node.cpu_milli,
                ", with ", who);
    if (load.memory_mib > node.memory_mib)
      found.add("I2", name_of(node), load.memory_mib, " MiB leased of ", node.memory_mib, ", with ",
                who);
    for (std::uint64_t m = p.gpu_mask; m; m &= m - 1) {
      const auto g = static_cast<std::size_t>(std::countr_zero(m));
      const std::string where = name_of(node) + " GPU " + std::to_string(g);
      if (g >= node.gpus.size())
        found.add("I1", where, who, " has it and it is not there");
      else
        take_card(load.cards[g], stand, p, where, who, found);
    }
  }
}

void Floor::give(const Stand& stand) {
  for (const Place& p : stand.places) {
    if (p.node >= nodes_.size() || nodes_[p.node].ranks == 0) continue;  // was named when taken
    NodeLoad& load = nodes_[p.node];
    load.cpu_milli -= stand.cpu_milli;
    load.memory_mib -= stand.memory_mib;
    --load.ranks;
    for (std::uint64_t m = p.gpu_mask; m; m &= m - 1) {
      const auto g = static_cast<std::size_t>(std::countr_zero(m));
      if (g >= load.cards.size()) continue;
      CardLoad& card = load.cards[g];
      if (stand.mig)
        card.slices &= ~p.mig_slices;
      else
        card.milli -= stand.gpu_milli;
      if (card.milli == 0) card.tenant = nobody;
    }
    if (load.ranks == 0) load.cards.clear();
  }
}

void check_node(const World& w, NodeIx n, const NodeLoad& load, Findings& found) {
  const Node& node = w.state().nodes[n];
  const NodeUse& use = w.use[n];
  const std::string where = name_of(node);
  if (use.cpu_milli != load.cpu_milli || use.memory_mib != load.memory_mib)
    found.add("I2", where, "its use says ", use.cpu_milli, " milli-vCPU and ", use.memory_mib,
              " MiB, its leases have ", load.cpu_milli, " and ", load.memory_mib);
  if (use.leases.size() != load.ranks || !std::is_sorted(use.leases.begin(), use.leases.end()))
    found.add("index", where, "lists ", use.leases.size(), " leases and has ", load.ranks);
  if (w.packer.free_cpu(n) != node.cpu_milli - load.cpu_milli ||
      w.packer.free_memory(n) != node.memory_mib - load.memory_mib)
    found.add("index", where, "the packer has ", w.packer.free_cpu(n), " milli-vCPU and ",
              w.packer.free_memory(n), " MiB free, the leases leave ",
              node.cpu_milli - load.cpu_milli, " and ", node.memory_mib - load.memory_mib);
  if (w.packer.room(n).gpus != node.gpus.size()) {
    found.add("index", where, "the packer knows ", w.packer.room(n).gpus, " cards of ",
              node.gpus.size());
    return;
  }
  for (std::uint32_t g = 0; g < node.gpus.size(); ++g) {
    const CardLoad card = g < load.cards.size() ? load.cards[g] : CardLoad{};
    const std::int64_t left = 1000 - card.milli - std::popcount(card.slices) * 125;
    if (w.packer.card_free_milli(n, g) != left)
      found.add("index", where + " GPU " + std::to_string(g), "the packer has ",
                w.packer.card_free_milli(n, g), " milli free, the leases leave ", left);
  }
  const bool open = w.takes_work(n) && !w.holds.contains(n);
  if (w.packer.is_open(n) != open)
    found.add(
        "index", where,
        open ? "is closed to placement for no reason" : "is open to placement and is not to be");
}

// ---- what it costs ------------------------------------------------------------------------------

Amounts cost_of(const Rates& r, std::int64_t seconds) {
  if (seconds <= 0) return {};
  constexpr std::int64_t month_s = std::int64_t{28} * 86'400;  // the shortest there is
  const std::int64_t months = 1 + seconds / month_s + (seconds % month_s != 0);
  const auto up = [&](base::Wide amount, std::int64_t per) {
    return static_cast<Ticks>(amount / per + (amount % per != 0));
  };
  const base::Wide s = seconds;
  return {up(s * r.gpu_price * r.gpus * r.gpu_milli, 1000) + months * r.gpu_flat,
          up(s * r.vcpu_price * r.cpu_milli, 1000) + months * r.vcpu_flat,
          up(s * r.gib_price * r.memory_mib, 1024) + months * r.gib_flat};
}

Amounts cost_of(const std::vector<RateStep>& steps, const Rates& rates, std::int64_t seconds) {
  Amounts sum;
  const auto add = [&](const Rates& r, std::int64_t from_s, std::int64_t until_s) {
    const Amounts a = cost_of(r, std::min(seconds, until_s) - from_s);
    sum = {sum.gpu + a.gpu, sum.vcpu + a.vcpu, sum.memory + a.memory};
  };
  std::int64_t from_s = 0;
  for (const RateStep& step : steps) {
    add(step.rates, from_s, step.until_s);
    from_s = step.until_s;
  }
  add(rates, from_s, INT64_MAX);
  return sum;
}

// ---- the whole floor ----------------------------------------------------------------------------

void check_floor(const World& w, Findings& found) {
  const State& s = w.state();
  Floor floor;
  std::vector<std::uint64_t> claimed(s.nodes.size());
  std::set<std::tuple<ProjectIx, std::string, NodeIx>> apart;
  for (const Job& job : s.jobs) {
    if (job.id.is_nil()) continue;
    if (job.lease) floor.take(s, stand_of(job, *job.lease), job_name(job.id), found);
    if (job.claim)
      for (const Place& p : job.claim->places) {
        if (claimed[p.node] & p.gpu_mask)
          found.add("I1", name_of(s.nodes[p.node]), "cards are claimed twice, once by ",
                    job_name(job.id));
        claimed[p.node] |= p.gpu_mask;
      }
    if (!job.lease || job.demand.apart.empty()) continue;
    for (const Place& p : job.lease->places)
      if (!apart.emplace(job.project, job.demand.apart, p.node).second)
        found.add("I2", job_name(job.id), "shares ", name_of(s.nodes[p.node]),
                  " with one it is to be apart from: ", job.demand.apart);
  }
  for (NodeIx n = 0; n < s.nodes.size(); ++n) check_node(w, n, floor.at(n), found);
  // The rows by which the packer finds.
  if (found.clean() && !(w.packer.rebuilt() == w.packer))
    found.add("index", "the packer", "its rows are not those of its nodes");
}

}  // namespace ampacity::core
