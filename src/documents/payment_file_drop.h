// Payments through two folders: requests are written to `outbox`, one JSON file an invoice, and
// reports (JSON or CSV) are taken from `inbox`, then moved to inbox/done or inbox/failed.
// Threads: one drop belongs to one thread; other processes may use the folders at the same time.
// 1. A file appears whole: written beside under a name with a leading dot, synced, renamed. 2.
// Names that begin with a dot or end in .tmp, .part are somebody's unfinished work; links and
// folders are not looked at. 3. A report ends in done/ or failed/, never overwriting another, with
// what is to be said about it in a file beside it (NAME.report.txt, NAME.reason.txt).
#pragma once

#include <filesystem>
#include <map>

#include "documents/payment_file.h"

namespace ampacity::documents {

class FileDrop final : public PaymentProvider {
 public:
  // Makes the folders that are not there.
  static base::Try<FileDrop> open(const std::filesystem::path& outbox,
                                  const std::filesystem::path& inbox);

  std::string_view name() const override { return "file-drop"; }
  base::Try<void> request(const PaymentRequest& request) override;
  base::Try<std::vector<Delivery>> collect(std::size_t most) override;
  base::Try<void> conclude(const std::string& handle, const Conclusion& conclusion) override;

 private:
  FileDrop(std::filesystem::path outbox, std::filesystem::path inbox)
      : outbox_(std::move(outbox)), inbox_(std::move(inbox)) {}
  std::filesystem::path outbox_;
  std::filesystem::path inbox_;
};

// "invoice-2026-000042.json"
std::string request_file_name(std::string_view invoice);

}  // namespace ampacity::documents
