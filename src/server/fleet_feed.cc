#include "server/fleet_feed.h"

#include "base/json.h"
#include "server/loop.h"

namespace ampacity::server {
namespace {

std::string as_event(const api::FleetEvent& e) { return "data: " + base::to_json(e) + "\n\n"; }

api::FleetEvent everything(const api::FleetLetters& letters) {
  api::FleetEvent e;
  e.nodes = letters.nodes;
  e.gpus = letters.gpus;
  return e;
}

}  // namespace

api::FleetEvent fleet_difference(const api::FleetLetters& before, const api::FleetLetters& after,
                                 const std::vector<std::uint32_t>& first_gpu) {
  if (before.nodes.size() != after.nodes.size() || before.gpus.size() != after.gpus.size())
    return everything(after);
  api::FleetEvent e;
  const std::string_view was = before.gpus, is = after.gpus;
  for (std::uint32_t n = 0; n < after.nodes.size(); ++n) {
    const std::size_t at = first_gpu[n], count = first_gpu[n + 1] - at;
    if (before.nodes[n] == after.nodes[n] && was.substr(at, count) == is.substr(at, count))
      continue;
    e.changes.push_back({n, std::string(1, after.nodes[n]), std::string(is.substr(at, count))});
  }
  return e;
}

void FleetFeed::stop() {
  {
    const base::Guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  const base::Guard lock(mutex_);
  followers_.clear();
  newcomers_.clear();
}

bool FleetFeed::follow(std::shared_ptr<net::Stream> stream) {
  const base::Guard lock(mutex_);
  if (stopping_ || followers_.size() + newcomers_.size() >= most_followers) return false;
  newcomers_.push_back(std::move(stream));
  wanted_ = true;
  if (!thread_.joinable()) thread_ = base::Thread([this] { main(); });
  wake_.notify_all();
  return true;
}

void FleetFeed::committed() {
  if (!wanted_) return;
  const base::Guard lock(mutex_);
  changed_ = true;
  wake_.notify_all();
}

FleetFeed::Seen FleetFeed::look() {
  return loop_.ask([now = clock_.now()](const core::World& w) {
    Seen seen{api::fleet_letters(w, now), {}, w.state().sequence};
    std::uint32_t gpus = 0;
    for (const core::Node& node : w.state().nodes) {
      seen.first_gpu.push_back(gpus);
      gpus += static_cast<std::uint32_t>(node.gpus.size());
    }
    seen.first_gpu.push_back(gpus);
    return seen;
  });
}

base::Duration FleetFeed::show() {
  const base::Duration began = base::elapsed();
  Seen seen = look();
  const base::Duration took{base::elapsed().us - began.us};
  api::FleetEvent event = fleet_difference(last_.letters, seen.letters, seen.first_gpu);
  event.sequence = seen.sequence;
  const bool different = event.nodes || !event.changes.empty();
  last_ = std::move(seen);
  std::vector<std::shared_ptr<net::Stream>> newcomers;
  const base::Guard lock(mutex_);
  newcomers.swap(newcomers_);
  if (different) {
    const std::string text = as_event(event);
    for (const auto& f : followers_) f->write(text);
  }
  if (!newcomers.empty()) {
    api::FleetEvent all = everything(last_.letters);
    all.sequence = last_.sequence;
    const std::string text = as_event(all);
    for (const auto& f : newcomers) f->write(text);
  }
  std::move(newcomers.begin(), newcomers.end(), std::back_inserter(followers_));
  std::erase_if(followers_, [](const auto& f) { return f->closed(); });
  wanted_ = !followers_.empty() || !newcomers_.empty();
  return took;
}

// What changes by time alone, a window that begins, is seen within a second.
void FleetFeed::main() {
  const base::Duration at_rest = base::Duration::seconds(1), alone = base::Duration::seconds(3'600);
  while (true) {
    {
      base::Lock lock(mutex_);
      const bool anybody = !followers_.empty() || !newcomers_.empty();
      wake_.wait_for(lock, anybody ? at_rest : alone, [this] {
        return stopping_ || !newcomers_.empty() || (changed_ && !followers_.empty());
      });
      if (stopping_) return;
      changed_ = false;
      if (followers_.empty() && newcomers_.empty()) continue;
    }
    const base::Duration took = show();
    base::Lock lock(mutex_);
    wake_.wait_for(lock, base::Duration{std::max(round.us, 10 * took.us)},
                   [this] { return stopping_; });
  }
}

}  // namespace ampacity::server
