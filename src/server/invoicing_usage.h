// An org's usage as the rating wants it: closed leases from the store merged with those that run,
// and meter events of all its projects, in order. Streamed: memory in proportion to what runs.
// Threads: one rating's.
#pragma once

#include "billing/rate.h"
#include "server/invoicing.h"
#include "store/journal.h"

namespace ampacity::server {

class StoredUsage final : public billing::UsageSource {
 public:
  StoredUsage(const store::StoreAt& options, const RatingCase& rating)
      : options_(options), case_(rating) {}

  base::Try<void> each_lease(const LeaseVisit& visit) override;
  base::Try<void> each_metered(const MeteredVisit& visit) override;

 private:
  const store::StoreAt& options_;
  const RatingCase& case_;
};

billing::LeaseUsage lease_of(const store::UsageRow& row);

}  // namespace ampacity::server
