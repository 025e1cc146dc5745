// Has issued invoices collected by a payment provider, and records what it reports.
// Threads: one of its own; the world is asked and told through the loop.
// 1. A report is concluded only after its payments are durable; judged again after a crash, it is
// found recorded. 2. What is open is asked for once an invoice; the provider may repeat itself.
#pragma once

#include <memory>
#include <set>

#include "base/threads.h"
#include "documents/payment_file.h"
#include "server/loop.h"

namespace ampacity::server {

class Collector {
 public:
  static constexpr base::Duration every = base::Duration::seconds(5);
  static constexpr std::size_t most_deliveries = 100;  // in one round

  Collector(std::unique_ptr<documents::PaymentProvider> provider, Loop& loop, base::Clock& clock)
      : provider_(std::move(provider)), loop_(loop), clock_(clock) {}
  ~Collector() { stop(); }
  void start();
  void stop();

 private:
  void main();
  void ask_for_open();
  void record_reports();
  documents::Conclusion record(const documents::Delivery& delivery);

  std::unique_ptr<documents::PaymentProvider> provider_;
  Loop& loop_;
  base::Clock& clock_;
  std::set<base::Id> asked_;  // since this start
  base::Mutex mutex_;
  base::Condition wake_;
  bool stopping_ = false;
  base::Thread thread_;
};

}  // namespace ampacity::server
