#include "server/leadership.h"

#include <algorithm>

#include "base/log.h"

namespace ampacity::server {
namespace {

// Of the lease: how much earlier it is over here, how often it is renewed, looked at, tried again.
constexpr std::int64_t margin_part = 10, renewal_part = 3, look_part = 20, retry_part = 50;

}  // namespace

void Leadership::won(std::uint64_t epoch, base::Duration asked_at) {
  renewed(asked_at);
  own_epoch_ = epoch;
}

void Leadership::renewed(base::Duration asked_at) {
  const std::int64_t until = asked_at.us + lease_.us - lease_.us / margin_part;
  // The loop and the contender both renew: what was asked later counts.
  for (std::int64_t seen = asked_us_; asked_at.us > seen;)
    if (asked_us_.compare_exchange_weak(seen, asked_at.us)) break;
  for (std::int64_t seen = until_us_; until > seen;)
    if (until_us_.compare_exchange_weak(seen, until)) break;
}

void Leadership::saw(const store::Lease& row) {
  const base::Guard lock(mutex_);
  if (row.epoch < leader_.epoch) return;
  // Who ran out of time is still asked: it may be renewed, and answers for itself.
  leader_ = {row.epoch, row.url};
}

Leadership::Leader Leadership::leader() const {
  const base::Guard lock(mutex_);
  return leader_;
}

Contender::Seen Contender::step() {
  if (leadership_.is_fenced()) return Seen::fenced;
  const Seen seen = leadership_.own_epoch() ? keep() : contend();
  unreachable_ = seen == Seen::unreachable;
  return seen;
}

Contender::Seen Contender::contend() {
  const auto row = table_.look();
  if (!row) {
    why_ = row.error().message;
    return Seen::unreachable;
  }
  // A row whose time is over is nobody's to follow: whoever starts beside it contends first.
  if (row->left.us > 0) {
    leadership_.saw(*row);
    return Seen::following;
  }
  const base::Duration asked_at = base::elapsed();
  const auto took = table_.take(*row, holder_, url_, leadership_.lease());
  if (!took) {
    why_ = took.error().message;
    return Seen::unreachable;
  }
  if (!*took) return Seen::following;
  // In this order: nobody may see an epoch of ours that is not yet known to be ours.
  leadership_.won(row->epoch + 1, asked_at);
  leadership_.saw({row->epoch + 1, holder_, url_, leadership_.lease()});
  return Seen::took;
}

Contender::Seen Contender::keep() {
  const base::Duration asked_at = base::elapsed();
  // Commits renew it too: there is something to do only when it was quiet.
  if (asked_at.us - leadership_.asked_at().us < leadership_.lease().us / renewal_part)
    return Seen::leading;
  const auto renewed = table_.renew(leadership_.own_epoch(), leadership_.lease());
  if (!renewed) {
    why_ = renewed.error().message;
    return Seen::unreachable;
  }
  if (*renewed) {
    leadership_.renewed(asked_at);
    return Seen::leading;
  }
  leadership_.fenced();
  if (const auto row = table_.look()) leadership_.saw(*row);
  const auto leader = leadership_.leader();
  base::log_warn("lease: a write of epoch {} was refused: {} leads with epoch {}",
                 leadership_.own_epoch(), leader.url, leader.epoch);
  return Seen::fenced;
}

base::Duration Contender::until_next() const {
  const std::int64_t lease = leadership_.lease().us;
  if (unreachable_) return {lease / retry_part};
  if (!leadership_.own_epoch()) return {lease / look_part};
  const std::int64_t due = leadership_.asked_at().us + lease / renewal_part;
  return {std::clamp(due - base::elapsed().us, lease / retry_part, lease / renewal_part)};
}

void Contender::give_back() {
  if (!leadership_.leads()) return;
  if (const auto given = table_.give_back(leadership_.own_epoch()); !given)
    base::log_warn("lease: not given back: {}", given.error().message);
}

}  // namespace ampacity::server
