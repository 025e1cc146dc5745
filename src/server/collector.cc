#include "server/collector.h"

#include <algorithm>

#include "base/log.h"

namespace ampacity::server {

void Collector::start() {
  if (provider_) thread_ = base::Thread([this] { main(); });
}

void Collector::stop() {
  {
    const base::Guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Collector::main() {
  while (true) {
    ask_for_open();
    record_reports();
    base::Lock lock(mutex_);
    if (wake_.wait_for(lock, every, [this] { return stopping_; })) return;
  }
}

void Collector::ask_for_open() {
  struct Open {
    core::Invoice invoice;
    std::string org;
  };
  const auto open = loop_.ask([this](const core::World& w) {
    std::vector<Open> list;
    for (const core::Invoice& i : w.state().invoices)
      if (i.kind == core::InvoiceKind::invoice && i.state == core::InvoiceState::issued &&
          !asked_.contains(i.id))
        list.push_back({i, w.state().orgs[i.org].name});
    return list;
  });
  for (const Open& o : open) {
    const auto request = documents::payment_request(o.invoice, o.invoice.buyer, o.org);
    const auto asked = request ? provider_->request(*request) : base::Try<void>{};
    if (!asked)
      base::log_error("payments: invoice {}: {}", o.invoice.number, asked.error().message);
    else
      asked_.insert(o.invoice.id);
  }
}

void Collector::record_reports() {
  const auto deliveries = provider_->collect(most_deliveries);
  if (!deliveries) {
    base::log_error("payments: {}", deliveries.error().message);
    return;
  }
  for (const documents::Delivery& d : *deliveries)
    if (const auto done = provider_->conclude(d.handle, record(d)); !done)
      base::log_error("payments: {}: {}", d.handle, done.error().message);
}

// Each payment is durable before the next is judged.
documents::Conclusion Collector::record(const documents::Delivery& delivery) {
  documents::Conclusion conclusion;
  for (const documents::PaymentResult& result : delivery.results) {
    documents::Judged judged = loop_.ask([&](const core::World& w) {
      const core::Invoice* invoice = nullptr;
      for (const core::Invoice& i : w.state().invoices)
        if (i.number == result.invoice) invoice = &i;
      const auto recorded = [&](const base::Id& id) {
        return std::binary_search(w.state().payments.begin(), w.state().payments.end(), id);
      };
      return documents::judge(provider_->name(), result, invoice, recorded, clock_.now());
    });
    if (judged.payment) {
      const auto done = loop_.run(core::RecordPayment{*judged.payment},
                                  "provider " + std::string(provider_->name()));
      if (!done) {
        judged.judgement = documents::Judgement::refused;
        judged.words = result.invoice + ": " + done.error().message;
      }
    }
    if (judged.judgement == documents::Judgement::refused) conclusion.done = false;
    if (!judged.words.empty()) conclusion.report += judged.words + "\n";
  }
  return conclusion;
}

}  // namespace ampacity::server
