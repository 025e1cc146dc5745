#include "server/holder.h"

#include <fmt/core.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "base/log.h"

namespace ampacity::server {
namespace {

std::string first_word(const char* file) {
  std::string word;
  std::ifstream(file) >> word;
  return word;
}

// Within which a process's number means one process.
std::string kernel() {
  char names[PATH_MAX] = {};
  if (::readlink("/proc/self/ns/pid", names, sizeof names - 1) <= 0) return {};
  const std::string boot = first_word("/proc/sys/kernel/random/boot_id");
  return boot.empty() ? boot : boot + "/" + names;
}

// Of /proc/N/stat, after the name: state is the 1st, threads the 18th, start time the 20th.
struct Process {
  bool dead = false;
  std::string started;  // in the kernel's ticks; empty: not to be learnt
};
Process look_at(pid_t process) {
  std::ifstream in(fmt::format("/proc/{}/stat", process));
  const std::string text(std::istreambuf_iterator<char>(in), {});
  std::istringstream after(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  const std::vector<std::string> words(std::istream_iterator<std::string>(after), {});
  if (words.size() < 20) return {};
  const bool alone = words[17] == "0" || words[17] == "1";
  return {(words[0] == "Z" || words[0] == "X") && alone, words[19]};
}

class OfTheLiving final : public store::LeaseTable {
 public:
  OfTheLiving(std::unique_ptr<store::LeaseTable> table, std::string own)
      : table_(std::move(table)), own_(std::move(own)) {}
  base::Try<store::Lease> look() override {
    auto row = table_->look();
    if (!row || row->left.us <= 0 || !is_over(row->holder, own_)) return row;
    base::log_info("lease: the process that holds epoch {} is gone", row->epoch);
    if (const auto given = table_->give_back(row->epoch); !given)
      return std::unexpected(given.error());
    row->left = {};
    return row;
  }
  base::Try<bool> take(const store::Lease& seen, const std::string& holder, const std::string& url,
                       base::Duration lease) override {
    return table_->take(seen, holder, url, lease);
  }
  base::Try<bool> renew(std::uint64_t epoch, base::Duration lease) override {
    return table_->renew(epoch, lease);
  }
  base::Try<void> give_back(std::uint64_t epoch) override { return table_->give_back(epoch); }

 private:
  const std::unique_ptr<store::LeaseTable> table_;
  const std::string own_;
};

}  // namespace

std::string holder_of_lease(std::string_view life, pid_t process) {
  return fmt::format("{} {} {} {}", life, process, look_at(process).started, kernel());
}

bool is_over(std::string_view holder, std::string_view own) {
  std::istringstream words{std::string(holder)};
  std::string life, started, where;
  pid_t process = 0;
  if (!(words >> life >> process >> started >> where) || where != kernel() || process <= 0)
    return false;
  if (process == ::getpid()) return holder != own;  // it began anew
  if (::kill(process, 0) != 0) return errno == ESRCH;
  const Process now = look_at(process);
  return now.dead || (!now.started.empty() && now.started != started);
}

std::unique_ptr<store::LeaseTable> of_the_living(std::unique_ptr<store::LeaseTable> table,
                                                 std::string own) {
  return std::make_unique<OfTheLiving>(std::move(table), std::move(own));
}

}  // namespace ampacity::server
