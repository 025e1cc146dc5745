// Whether this server leads, as far as it can know: who holds the row of store/lease.h, and until
// when by this server's own monotonic clock.
//
//   following ── row free or run out: Contender::step takes it ──▶ leading ── renewed ──┐
//       ▲                                                            │  ▲───────────────┘
//       └────────── a new life of the process (server/life.h) ◀── fenced: another has the row
//
// Threads: Leadership any; a Contender one. 1. The lease ends here, counted from before each
// statement was sent and less a margin, earlier than it ends in the database: who may act was not
// replaced. 2. `fenced` is final: what this life holds in memory may not be what is durable.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/threads.h"
#include "store/lease.h"

namespace ampacity::server {

class Leadership {
 public:
  explicit Leadership(base::Duration lease) : lease_(lease) {}
  // Of a store that only this process can write: its file lock is the lease.
  static constexpr base::Duration forever{INT64_MAX / 2};

  void won(std::uint64_t epoch, base::Duration asked_at);
  // By a commit or a renewal that was sent at `asked_at` (base::elapsed).
  void renewed(base::Duration asked_at);
  void fenced() { fenced_ = true; }

  bool leads() const { return own_epoch_ != 0 && !fenced_; }
  bool is_fenced() const { return fenced_; }
  // Before each request to an engine and each answer: leads, and the lease is not over.
  bool may_act() const { return leads() && base::elapsed().us < until_us_; }
  std::uint64_t own_epoch() const { return own_epoch_; }
  base::Duration lease() const { return lease_; }
  // Since when the lease runs.
  base::Duration asked_at() const { return {asked_us_}; }

  // Who leads, this server or another.
  struct Leader {
    std::uint64_t epoch = 0;
    std::string url;  // empty: nobody is known
  };
  void saw(const store::Lease& row);
  Leader leader() const;

  // A follower: when it had last folded everything there was.
  void caught_up() { caught_up_us_ = base::elapsed().us; }
  base::Duration lag() const { return {own_epoch_ ? 0 : base::elapsed().us - caught_up_us_}; }

 private:
  const base::Duration lease_;
  std::atomic<std::uint64_t> own_epoch_{0};
  std::atomic<std::int64_t> asked_us_{0};
  std::atomic<std::int64_t> until_us_{0};
  std::atomic<std::int64_t> caught_up_us_{0};
  std::atomic<bool> fenced_{false};
  mutable base::Mutex mutex_;
  Leader leader_;  // by mutex_
};

// Takes the row and keeps it. One step at a time: a thread of the server's drives it, or a test.
class Contender {
 public:
  enum class Seen {
    following,    // another holds it
    took,         // it is ours since this step
    leading,      // still ours
    fenced,       // it was ours and is another's
    unreachable,  // the database did not answer
  };
  Contender(store::LeaseTable& table, Leadership& leadership, std::string holder, std::string url)
      : table_(table), leadership_(leadership), holder_(std::move(holder)), url_(std::move(url)) {}

  Seen step();
  base::Duration until_next() const;
  void give_back();
  const std::string& why() const { return why_; }  // of the latest `unreachable`

 private:
  Seen contend();
  Seen keep();

  store::LeaseTable& table_;
  Leadership& leadership_;
  const std::string holder_, url_;
  std::string why_;
  bool unreachable_ = false;
};

}  // namespace ampacity::server
