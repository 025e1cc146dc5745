#include "sim/disk.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "sim/disk_node.h"

namespace ampacity::sim {
namespace {

// Counts down to the call that a fault is meant for.
bool due(std::uint64_t& n) { return n != 0 && --n == 0; }

}  // namespace

std::uint64_t DiskCounts::all_changes() const {
  return std::accumulate(changes.begin(), changes.end(), std::uint64_t{0});
}

void Disk::crash() {
  if (crashed_) return;
  crashed_ = true;
  ++epoch_;
}

void Disk::restart(Loss loss) {
  crash();
  const std::uint64_t seed = prng_.next();
  Names durable;
  names_ = found(seed, loss, durable);
  durable_names_ = std::move(durable);
  crashed_ = false;
}

// Each name is found as it was made durable, or as it was last.
Disk::Names Disk::found(std::uint64_t seed, Loss loss, Names& durable) const {
  base::SeededPrng prng(seed);
  Names all = names_, out;
  all.insert(durable_names_.begin(), durable_names_.end());
  std::map<const Node*, NodeRef> copies;
  const auto copy_of = [&](const NodeRef& node) {
    NodeRef& copy = copies[node.get()];
    if (!copy) {
      copy = std::make_shared<Node>();
      copy->file = node->file.after(loss, !options_.power_safe_overwrite, prng);
    }
    return copy;
  };
  for (const auto& [name, either] : all) {
    const auto last = names_.find(name), kept = durable_names_.find(name);
    const NodeRef now = last == names_.end() ? nullptr : last->second;
    const NodeRef before = kept == durable_names_.end() ? nullptr : kept->second;
    if (loss == Loss::nothing) {
      if (now) out[name] = copy_of(now);
      if (before) durable[name] = copy_of(before);
      continue;
    }
    NodeRef is = now;
    if (now != before && (loss == Loss::everything || prng.next() % 2 == 0)) is = before;
    if (is) durable[name] = out[name] = copy_of(is);
  }
  return out;
}

void Disk::take_files_of(const Disk& other) {
  names_.clear();
  for (const auto& [name, node] : other.names_) {
    NodeRef& copy = names_[name] = std::make_shared<Node>();
    copy->file = DiskFile(node->file.seen());
  }
  durable_names_ = names_;
}

std::unique_ptr<Disk> Disk::clone(std::uint64_t seed) const {
  DiskOptions options = options_;
  options.seed = seed;
  auto out = std::make_unique<Disk>(options);
  out->take_files_of(*this);
  return out;
}

std::unique_ptr<Disk> Disk::after_crash(std::uint64_t seed, Loss loss) const {
  DiskOptions options = options_;
  options.seed = seed;
  auto out = std::make_unique<Disk>(options);
  Names durable;
  out->names_ = found(seed, loss, durable);
  out->durable_names_ = std::move(durable);
  return out;
}

std::uint64_t Disk::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [name, node] : names_) sum += node->file.seen().size();
  return sum;
}

// ---- calls --------------------------------------------------------------------------------------

bool Disk::chance(std::uint32_t ppm) { return ppm != 0 && prng_.next() % 1'000'000 < ppm; }

Disk::Answer Disk::failing() {
  ++counts_.failed;
  return Answer::failed;
}

bool Disk::begins(DiskChange change) {
  if (crashed_) return false;
  if (before_change) before_change(change);
  if (due(faults.crash_before)) {
    crash();
    return false;
  }
  ++counts_.changes[static_cast<std::size_t>(change)];
  if (chance(faults.slow_ppm)) ++counts_.slow;
  return true;
}

Disk::NodeRef Disk::find(const std::string& name) const {
  const auto at = names_.find(name);
  return at == names_.end() ? nullptr : at->second;
}

Disk::NodeRef Disk::create(const std::string& name) {
  if (!begins(DiskChange::create)) {
    failing();
    return nullptr;
  }
  return names_[name] = std::make_shared<Node>();
}

Disk::Answer Disk::remove(const std::string& name, bool sync) {
  if (!begins(DiskChange::remove)) return failing();
  names_.erase(name);
  return sync ? sync_folder() : Answer::done;
}

Disk::Answer Disk::sync_folder() {
  if (!begins(DiskChange::sync_folder)) return failing();
  durable_names_ = names_;
  return Answer::done;
}

Disk::Answer Disk::read(const Node& node, std::uint64_t offset, char* to, std::size_t size) {
  if (crashed_) return failing();
  ++counts_.reads;
  if (due(faults.fail_read) || chance(faults.read_ppm)) return failing();
  const std::string& all = node.file.seen();
  const std::size_t there = offset < all.size() ? std::min(size, all.size() - offset) : 0;
  if (there != 0) std::copy_n(all.data() + offset, there, to);
  std::fill_n(to + there, size - there, '\0');
  return there == size ? Answer::done : Answer::full;
}

Disk::Answer Disk::write(Node& node, std::uint64_t offset, std::string_view bytes) {
  if (!begins(DiskChange::write)) return failing();
  if (due(faults.fail_write) || chance(faults.write_ppm)) {
    if (!bytes.empty()) node.file.write(offset, bytes.substr(0, prng_.next() % bytes.size()));
    return failing();
  }
  const std::uint64_t size = node.file.seen().size(), end = offset + bytes.size();
  const std::uint64_t growth = end > size ? end - size : 0;
  if (due(faults.fill_at_write)) room_ = this->bytes() + (growth ? prng_.next() % growth : 0);
  if (room_ && growth != 0) {
    const std::uint64_t held = this->bytes(), left = *room_ > held ? *room_ - held : 0;
    if (left < growth) {
      const std::uint64_t fits =
          std::min<std::uint64_t>(bytes.size(), size + left - std::min(offset, size + left));
      node.file.write(offset, bytes.substr(0, fits));
      counts_.bytes_written += fits;
      failing();
      return Answer::full;
    }
  }
  node.file.write(offset, bytes);
  counts_.bytes_written += bytes.size();
  return Answer::done;
}

Disk::Answer Disk::truncate(Node& node, std::uint64_t size) {
  if (!begins(DiskChange::truncate)) return failing();
  node.file.truncate(size);
  return Answer::done;
}

Disk::Answer Disk::sync(Node& node) {
  if (!begins(DiskChange::sync)) return failing();
  if (due(faults.fail_sync) || chance(faults.sync_ppm)) {
    node.file.fail_sync(prng_);
    return failing();
  }
  node.file.sync();
  return Answer::done;
}

}  // namespace ampacity::sim
