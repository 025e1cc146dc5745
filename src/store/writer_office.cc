#include "store/writer_office.h"

#include <algorithm>

#include "base/chaos.h"
#include "base/log.h"
#include "base/threads.h"

namespace ampacity::store {
namespace {

using Kind = SqlFault::Kind;

constexpr base::Duration first_pause = base::Duration::millis(20);
constexpr base::Duration longest_pause = base::Duration::millis(500);
constexpr base::Duration most_for_a_reader = base::Duration::seconds(5);
// A session whose process was killed is noticed by the server within this.
constexpr base::Duration lock_patience = base::Duration::seconds(3);

}  // namespace

base::Duration WriterOffice::patience() const {
  return writes_ ? at_.patience : std::min(at_.patience, most_for_a_reader);
}

Sql<void> WriterOffice::lock() {
  if (!writes_) return {};
  const base::Duration began = base::elapsed();
  for (base::Duration pause = first_pause;; pause = std::min(longest_pause, pause * 2)) {
    auto got = session_.try_lock();
    if (!got) return std::unexpected(std::move(got.error()));
    if (*got) return {};
    const WriterSession::Holder holder = session_.holder_of_lock();
    if (base::elapsed() > began + (holder.ours ? patience() : lock_patience))
      return std::unexpected(SqlFault{
          held() ? Kind::fenced : Kind::other, "postgres 55006",
          at_.name() + " is in use by another ampacityd (" + holder.who + "): stop it first"});
    base::sleep_for(pause);
  }
}

Sql<void> WriterOffice::claim() {
  auto row = at_.epoch ? session_.look() : session_.take();
  if (!row) return std::unexpected(std::move(row.error()));
  const bool ours = *row && (!at_.epoch || (*row)->epoch == static_cast<std::int64_t>(at_.epoch));
  if (!ours)
    return std::unexpected(
        at_.epoch ? SqlFault{Kind::fenced, "postgres AM001", "another ampacityd leads"}
                  : SqlFault{Kind::other, "postgres 02000", "the table writer has no row"});
  epoch_ = (*row)->epoch;
  commits_ = (*row)->commits;
  return {};
}

Sql<void> WriterOffice::check_row() {
  if (!held()) return {};
  auto row = session_.look();
  if (!row) return std::unexpected(std::move(row.error()));
  if (!*row || (*row)->epoch != epoch_)
    return std::unexpected(SqlFault{Kind::fenced, "postgres AM001",
                                    "another ampacityd has become the writer of " + at_.name()});
  found_ = (*row)->commits;
  if (found_ == commits_ || (in_doubt_ && found_ == commits_ + 1)) return {};
  return std::unexpected(SqlFault{
      Kind::unknown, "postgres AM002",
      at_.name() + " is at commit " + std::to_string(found_) + ", and " + std::to_string(commits_) +
          " was acknowledged: it is another copy, or a standby that lagged behind"});
}

Sql<void> WriterOffice::find_again(const SqlFault& lost) {
  const base::Duration began = base::elapsed();
  base::log_warn("store: {}", lost.message);
  Sql<void> r;
  for (base::Duration pause = first_pause;; pause = std::min(longest_pause, pause * 2)) {
    r = session_.connect();
    if (r) r = lock();
    if (r) r = check_row();
    if (r) r = session_.settle();
    if (r) {
      base::log_warn("store: connected again to {}", at_.name());
      return r;
    }
    session_.give_up();
    if (r.error().kind != Kind::lost) return r;
    if (base::elapsed() > began + patience()) return r;
    base::sleep_for(pause);
  }
}

Sql<void> WriterOffice::resolve(const SqlFault& lost) {
  if (!held()) return std::unexpected(lost);
  in_doubt_ = true;
  auto r = find_again(lost);
  in_doubt_ = false;
  if (!r) {
    if (r.error().kind == Kind::lost)
      r.error() = {Kind::unknown, "postgres 08007",
                   lost.message + "; whether the last commit took place could not be learnt: " +
                       r.error().message};
    PROBE("store: a commit that nobody can tell of");
    return r;
  }
  if (found_ == commits_ || base::planted("commit-unknown-called-failed")) {
    PROBE("store: a lost commit did not take place");
    base::log_warn("store: the commit whose answer was lost did not take place");
    return std::unexpected(lost);
  }
  PROBE("store: a lost commit took place");
  base::log_warn("store: the commit whose answer was lost did take place");
  commits_ = found_;
  return {};
}

}  // namespace ampacity::store
