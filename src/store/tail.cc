#include "store/tail.h"

namespace ampacity::store {

base::Try<Tail> Tail::open(const StoreAt& at) {
  auto db = open_to_read(at);
  if (!db) return std::unexpected(std::move(db.error()));
  auto folded = fold(*db);
  if (!folded) return std::unexpected(std::move(folded.error()));
  return Tail(at, std::move(*db), std::move(*folded));
}

// On a new connection, which may lead to another copy: what was read is there, or it is another's.
base::Try<void> Tail::check_end() {
  const auto now = journal_end(*db_);
  if (!now) return std::unexpected(now.error());
  if (now->sequence < end_.sequence)
    return base::fault("the journal ends at " + std::to_string(now->sequence) + ", and " +
                           std::to_string(end_.sequence) + " was read before: commits were lost",
                       false);
  return {};
}

base::Try<void> Tail::read_on(const UseBatch& use) {
  if (!db_) {
    auto db = open_to_read(at_);
    if (!db) return base::fault(db.error().message);
    db_ = std::move(*db);
    if (auto sound = check_end(); !sound) return sound;
  }
  while (true) {
    const auto more = next_batches(*db_, end_, use);
    if (!more) {
      if (more.error().retryable) db_.reset();
      return std::unexpected(more.error());
    }
    if (!*more) return {};
  }
}

}  // namespace ampacity::store
