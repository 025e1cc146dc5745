#include "server/fleet_feed.h"

#include <algorithm>

#include "base/json.h"
#include "server/loop.h"

namespace ampacity::server {
namespace {

std::string as_event(const api::FleetEvent& e) { return "data: " + base::to_json(e) + "\n\n"; }

// Where what a fact says can be seen at once; the sweep finds the rest.
void add_touched(const core::World& after, const core::Fact& fact,
                 std::vector<core::NodeIx>& nodes) {
  const auto add = [&nodes](const std::vector<core::Place>& places) {
    for (const core::Place& p : places) nodes.push_back(p.node);
  };
  if (const auto* closed = std::get_if<core::LeaseClosed>(&fact.body)) add(closed->interval.places);
  if (const auto* claim = std::get_if<core::ClaimMade>(&fact.body)) add(claim->claim.places);
  if (const auto* promise = std::get_if<core::PromiseMade>(&fact.body))
    add(promise->promise.places);
  if (const auto* opened = std::get_if<core::WindowOpened>(&fact.body)) add(opened->window.places);
  if (const auto* changed = std::get_if<core::NodeChanged>(&fact.body))
    nodes.push_back(changed->node);
  if (!std::holds_alternative<core::LeaseGranted>(fact.body) &&
      !std::holds_alternative<core::RankStarted>(fact.body) &&
      !std::holds_alternative<core::StopOrdered>(fact.body))
    return;
  if (const core::Job* job = after.job(core::job_of(fact)); job && job->lease)
    add(job->lease->places);
}

}  // namespace

std::optional<api::FleetEvent> FleetPicture::take(Look look) {
  sequence_ = look.sequence;
  if (look.fleet != nodes_.size()) {
    nodes_.assign(look.fleet, {});
    unseen_ = look.fleet;
  }
  const bool was_whole = is_whole();
  begun_ = true;
  api::FleetEvent e;
  e.sequence = sequence_;
  for (auto& [n, letters] : look.nodes) {
    if (nodes_[n] == letters) continue;
    unseen_ -= nodes_[n].state == 0;
    if (was_whole) e.changes.push_back({n, std::string(1, letters.state), letters.gpus});
    nodes_[n] = std::move(letters);
  }
  if (!was_whole) return is_whole() ? std::optional(everything()) : std::nullopt;
  if (e.changes.empty()) return std::nullopt;
  return e;
}

api::FleetEvent FleetPicture::everything() const {
  api::FleetEvent e;
  e.sequence = sequence_;
  e.nodes.emplace();
  e.gpus.emplace();
  for (const api::NodeLetters& n : nodes_) {
    *e.nodes += n.state;
    *e.gpus += n.gpus;
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

void FleetFeed::committed(const core::World& after, const std::vector<core::Fact>& facts) {
  if (!wanted_) return;
  std::vector<core::NodeIx> nodes;
  for (const core::Fact& fact : facts) add_touched(after, fact, nodes);
  if (nodes.empty()) return;
  const base::Guard lock(mutex_);
  if (touched_.size() + nodes.size() <= most_touched)
    touched_.insert(touched_.end(), nodes.begin(), nodes.end());
}

// These, and the next slice of all.
FleetPicture::Look FleetFeed::look(std::vector<core::NodeIx> touched, base::Duration& took) {
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  FleetPicture::Look look = loop_.ask([&, now = clock_.now()](const core::World& w) {
    const base::Duration began = base::elapsed();
    FleetPicture::Look seen;
    seen.fleet = w.state().nodes.size();
    seen.sequence = w.state().sequence;
    for (const core::NodeIx n : touched) seen.nodes.emplace_back(n, api::node_letters(w, n, now));
    for (std::size_t n = next_; n < std::min(seen.fleet, next_ + slice_); ++n)
      seen.nodes.emplace_back(n, api::node_letters(w, static_cast<core::NodeIx>(n), now));
    took = base::Duration{base::elapsed().us - began.us};
    return seen;
  });
  next_ = next_ + slice_ < look.fleet ? next_ + slice_ : 0;
  if (took > longest_look)
    slice_ = std::max<std::size_t>(16, slice_ / 2);
  else if (took.us * 2 < longest_look.us)
    slice_ = std::min(std::max<std::size_t>(16, look.fleet / rounds_of_sweep + 1), slice_ * 2);
  return look;
}

base::Duration FleetFeed::show() {
  std::vector<core::NodeIx> touched;
  {
    const base::Guard lock(mutex_);
    touched.swap(touched_);
  }
  base::Duration took;
  FleetPicture::Look seen = look(std::move(touched), took);
  if (seen.fleet != picture_.nodes()) next_ = 0;
  const auto event = picture_.take(std::move(seen));
  std::vector<std::shared_ptr<net::Stream>> newcomers;
  const base::Guard lock(mutex_);
  if (event) {
    const std::string text = as_event(*event);
    for (const auto& f : followers_) f->write(text);
  }
  if (picture_.is_whole() && !newcomers_.empty()) {
    newcomers.swap(newcomers_);
    const std::string text = as_event(picture_.everything());
    for (const auto& f : newcomers) f->write(text);
    std::move(newcomers.begin(), newcomers.end(), std::back_inserter(followers_));
  }
  std::erase_if(followers_, [](const auto& f) { return f->closed(); });
  std::erase_if(newcomers_, [](const auto& f) { return f->closed(); });
  wanted_ = !followers_.empty() || !newcomers_.empty();
  return took;
}

void FleetFeed::main() {
  while (true) {
    {
      base::Lock lock(mutex_);
      const auto anybody = [this] { return !followers_.empty() || !newcomers_.empty(); };
      if (!anybody()) {
        picture_.forget();
        next_ = 0;
        touched_.clear();
      }
      wake_.wait_for(lock, base::Duration::seconds(3'600), [&] { return stopping_ || anybody(); });
      if (stopping_) return;
      if (!anybody()) continue;
    }
    const base::Duration took = show();
    base::Lock lock(mutex_);
    // Who has just come waits for no round.
    const std::int64_t pause = picture_.is_whole() ? round.us : 0;
    wake_.wait_for(lock, base::Duration{std::max(pause, 10 * took.us)},
                   [&] { return stopping_ || (!newcomers_.empty() && picture_.is_whole()); });
  }
}

}  // namespace ampacity::server
