// What the Slurm engine asks about the cluster itself: who answers, its nodes, the reservation.
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "base/chaos.h"
#include "base/log.h"
#include "engines/slurm_engine.h"
#include "engines/slurm_inventory.h"

namespace ampacity::engines {
namespace {

using base::Duration;

constexpr Duration kSitePatience = Duration::seconds(20);
constexpr std::size_t kMostNodesBytes = 128 << 20;
constexpr Duration kDrainAgain = Duration::seconds(2);

// Whose jobs they will be, where nobody said: whoever owns slurmrestd's socket.
std::string owner_of(const std::string& url) {
  struct stat about {};
  if (!url.starts_with("unix:") || stat(url.c_str() + 5, &about) != 0) return {};
  std::array<char, 4096> bytes{};
  passwd entry{}, *found = nullptr;
  getpwuid_r(about.st_uid, &entry, bytes.data(), bytes.size(), &found);
  return found == nullptr ? std::string() : std::string(found->pw_name);
}

// Everything about it that we tell, to see whether it changed.
std::string text_of(const SiteSeen& site) {
  std::string text;
  for (const auto& m : site.nodes)
    text +=
        fmt::format("{} {} {} {} {} {} {}\n", static_cast<int>(m.node.state), m.node.name, m.sku,
                    m.node.gpus.size(), m.node.cpu_milli, m.node.memory_mib, m.node.leaf);
  for (const std::string& n : site.notes) text += n + "\n";
  return text;
}

}  // namespace

base::Try<void> SlurmEngine::negotiate() {
  base::Fault last{"slurmrestd answers in no version that is known here"};
  for (const int version : slurm_versions) {
    auto answer = call(SlurmCodec(version).ping(), kSitePatience);
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 404) continue;
    auto release = parse_release(*answer);
    if (!release) return std::unexpected(release.error());
    api_ = version;
    EngineHealth found = health();
    found.kind = "slurm";
    found.version = fmt::format("{} (v0.0.{})", *release, version);
    found.hands_over_gpus = true;
    set_health(found);
    return {};
  }
  return std::unexpected(last);
}

// munge bears clocks that are minutes apart. Who does not say its time is taken to have ours.
base::Try<void> SlurmEngine::compare_clocks() {
  const base::Instant asked = now();
  const auto answer = call(codec().diag(), kSitePatience);
  const base::Instant told = now();
  if (!answer) return std::unexpected(answer.error());
  const auto second = parse_server_time(*answer);
  if (!second && answer->status >= 300) return std::unexpected(second.error());
  if (second && !base::planted("slurm-clock-ignored") && cluster_clock_.heard(*second, asked, told))
    PROBE("slurm: its clock was set, or ours");
  clock_known_ = true;
  return {};
}

base::Try<void> SlurmEngine::take_inventory() {
  if (auto compared = compare_clocks(); !compared) return compared;
  std::string partition;
  {
    const base::Guard lock(mutex_);
    partition = partition_;
  }
  if (partition.empty()) {
    auto answer = call(codec().partitions(), kSitePatience);
    if (!answer) return std::unexpected(answer.error());
    auto all = parse_partitions(*answer);
    if (!all) return std::unexpected(all.error());
    for (const SlurmPartition& p : *all)
      if (p.is_default || all->size() == 1) partition = p.name;
    if (partition.empty()) return base::fault("Slurm has no default partition: name one", false);
  }
  auto answer = call(codec().nodes(), kSitePatience, kMostNodesBytes);
  if (!answer) return std::unexpected(answer.error());
  auto nodes = parse_nodes(*answer);
  if (!nodes) return std::unexpected(nodes.error());
  std::map<std::string, std::string> leaves;
  if (auto topology = host_.control->topology()) leaves = leaves_of_topology(*topology);
  SiteSeen site = slurm_site(*nodes, partition, leaves, held_reason_);
  {
    const base::Guard lock(mutex_);
    partition_ = partition;
    for (const SlurmNode& n : *nodes) {
      node_kind_[n.name] = gpus_of_gres(n.gres).first;
      node_address_[n.name] = n.address;
    }
  }
  keep_reservation(site);
  keep_drains(*nodes);
  const std::string text = text_of(site);
  if (text == site_told_) return {};
  site_told_ = text;
  if (const std::string note = notes(); !note.empty()) site.notes.insert(site.notes.begin(), note);
  if (reports_.inventory) reports_.inventory(std::move(site));
  return {};
}

// All nodes of the site are ours while we are there: nobody else's jobs land on them.
void SlurmEngine::keep_reservation(const SiteSeen& site) {
  if (!options_.reserve || site.nodes.empty()) return;
  if (options_.may_act && !options_.may_act()) return;
  std::vector<std::string> nodes;
  for (const auto& m : site.nodes) nodes.push_back(m.node.name);
  std::ranges::sort(nodes);
  // Nodes that are away for a while stay in it: only what is new makes a change.
  {
    const base::Guard lock(mutex_);
    if (std::ranges::includes(reserved_, nodes)) return;
  }
  const std::string user = options_.user.empty() ? owner_of(options_.url) : options_.user;
  const std::string name = "ampacity-" + options_.cloud;
  auto kept = user.empty()
                  ? base::Try<void>(base::fault("whose jobs they are is not known: set the user"))
                  : host_.control->reserve(name, user, nodes);
  const base::Guard lock(mutex_);
  if (kept) {
    reserved_ = std::move(nodes);
    reservation_ = name;
    fallback_note_.clear();
  } else if (reservation_.empty()) {
    fallback_note_ = "others' jobs may land on these nodes, for there is no reservation: " +
                     kept.error().message;
    base::log_warn("slurm: {}", fallback_note_);
  }
}

// What an operator of ours holds back is drained in Slurm, too, for its people to see; let go, it
// is resumed. Others' drains are theirs. Who waits there for its start has it first: Slurm would
// not start it on a drained node.
void SlurmEngine::keep_drains(const std::vector<SlurmNode>& nodes) {
  std::set<std::string> held, awaited;
  {
    const base::Guard lock(mutex_);
    if (!held_) return;
    held = *held_;
    for (const auto& [name, rank] : ranks_)
      if (!rank.memory.final && !rank.memory.done && !rank.memory.ran && !rank.work.confirmed)
        awaited.insert(rank.work.node);
  }
  if (options_.may_act && !options_.may_act()) return;
  for (const SlurmNode& n : nodes) {
    const bool drained = std::ranges::find(n.flags, "DRAIN") != n.flags.end();
    base::Try<void> done;
    if (held.contains(n.name) && !drained && awaited.contains(n.name))
      inventory_at_ = now() - kInventoryEvery + kDrainAgain;
    else if (held.contains(n.name) && !drained)
      done = host_.control->drain(n.name, held_reason_);
    else if (!held.contains(n.name) && drained && n.reason == held_reason_)
      done = host_.control->resume(n.name);
    if (!done) base::log_warn("slurm: node {}: {}", n.name, done.error().message);
  }
}

std::string SlurmEngine::notes() const {
  const base::Guard lock(mutex_);
  std::string note = "plain processes, not containers: the image is not used";
  if (!host_.shared->there())
    note += "; no shared folder: output is not followed, ends may be missed by a long outage";
  if (!may_renew_) note += "; this user may not extend time limits: no lease";
  if (!fallback_note_.empty()) note += "; " + fallback_note_;
  if (api_ >= 39) note += fmt::format("; v0.0.{} was never tried here", api_.load());
  return note;
}

}  // namespace ampacity::engines
