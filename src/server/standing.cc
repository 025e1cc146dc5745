#include "server/standing.h"

#include "base/log.h"
#include "server/holder.h"

namespace ampacity::server {

Standing::Standing(OpenTable open, Leadership& leadership, std::string holder, std::string url,
                   Events events)
    : open_(std::move(open)),
      leadership_(leadership),
      holder_(std::move(holder)),
      url_(std::move(url)),
      events_(std::move(events)) {}

void Standing::start() {
  thread_ = base::Thread([this] { main(); });
}

void Standing::stop() {
  {
    const base::Guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (!thread_.joinable()) return;
  thread_.join();
  if (contender_) contender_->give_back();
}

Contender::Seen Standing::step() {
  if (!contender_) {
    auto table = open_();
    if (!table) {
      unreachable(table.error().message);
      return Contender::Seen::unreachable;
    }
    table_ = of_the_living(std::move(*table), holder_);
    contender_ = std::make_unique<Contender>(*table_, leadership_, holder_, url_);
  }
  const Contender::Seen seen = contender_->step();
  if (seen == Contender::Seen::unreachable) {
    unreachable(contender_->why());
    contender_.reset();  // another connection
    table_.reset();
  } else if (said_unreachable_) {
    base::log_info("lease: the database answers again");
    said_unreachable_ = false;
  }
  return seen;
}

void Standing::unreachable(const std::string& why) {
  if (!said_unreachable_) base::log_warn("lease: {}", why);
  said_unreachable_ = true;
}

void Standing::main() {
  std::uint64_t epoch = 0;
  while (true) {
    const Contender::Seen seen = step();
    if (const auto leader = leadership_.leader(); leader.epoch != epoch) {
      epoch = leader.epoch;
      base::log_info("lease: epoch {} is {}'s", epoch, leader.url);
      if (events_.leader_changed) events_.leader_changed();
    }
    switch (seen) {
      case Contender::Seen::took:
        events_.took();
        break;
      case Contender::Seen::fenced:
        return events_.end_life("another server leads");
      case Contender::Seen::unreachable:
        if (leadership_.leads() && !leadership_.may_act())
          return events_.end_life("the lease is over and the database does not answer");
        break;
      case Contender::Seen::following:
      case Contender::Seen::leading:
        break;
    }
    const base::Duration pause =
        contender_ ? contender_->until_next() : base::Duration{leadership_.lease().us / 50};
    base::Lock lock(mutex_);
    if (wake_.wait_for(lock, pause, [this] { return stopping_; })) return;
  }
}

}  // namespace ampacity::server
