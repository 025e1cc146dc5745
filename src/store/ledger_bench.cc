// How many transfers a second: two-phase ones (a reserve, then what posts it), in batches as large
// as there may be, in memory alone, and durable with hash chain, unique ids and counters.
//   ledger_bench [transfers] [rounds] [folder]       the last line is JSON
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "ledger/post.h"
#include "store/ledger_store.h"

using namespace ampacity;
using Steady = std::chrono::steady_clock;
namespace flag = ledger::transfer_flag;

namespace {

constexpr std::uint32_t account_count = 1'000;
constexpr std::size_t per_batch = ledger::most_in_batch;

double seconds_since(Steady::time_point t) {
  return std::chrono::duration<double>(Steady::now() - t).count();
}

ledger::MemoryBooks opened() {
  std::vector<ledger::Account> accounts(account_count);
  for (std::uint32_t i = 0; i < account_count; ++i) {
    accounts[i].id = ledger::account_at(i);
    accounts[i].ledger = ledger::usd_tick;
    accounts[i].code = i % 2 ? 4000 : 2300;
    accounts[i].name = "account " + std::to_string(i);
  }
  ledger::MemoryBooks books;
  books.open(accounts, {1'700'000'000'000'000});
  return books;
}

// Batch by batch: reserves, then the posts of the batch before. Ids grow with time, as UUIDv7 do.
std::vector<std::vector<ledger::Transfer>> batches(std::size_t transfers) {
  base::SeededPrng prng(42);
  std::vector<std::vector<ledger::Transfer>> all;
  std::uint64_t next = 0;
  for (std::size_t made = 0; made < transfers; made += per_batch) {
    auto& batch = all.emplace_back(per_batch);
    const bool posts = all.size() % 2 == 0;
    for (std::size_t i = 0; i < per_batch; ++i) {
      ledger::Transfer& t = batch[i];
      t.id = {(0x018c'0000'0000'0000ULL + (next >> 4 << 16)) | 0x7000,
              prng.next() >> 8 | (next++ & 15) << 60};
      if (posts) {
        const ledger::Transfer& held = all[all.size() - 2][i];
        t.pending_id = held.id;
        t.amount = held.amount - 1;
        t.flags = flag::post_pending;
        continue;
      }
      const auto debit = static_cast<std::uint32_t>(prng.next() % account_count);
      t.debit = ledger::account_at(debit);
      t.credit = ledger::account_at((debit + 1) % account_count);
      t.amount = 229'440'000;
      t.timeout_s = 600;
      t.ledger = ledger::usd_tick;
      t.code = 3;
      t.flags = flag::pending;
    }
  }
  return all;
}

struct Run {
  double memory_per_s = 0, durable_per_s = 0;
  bool equal = false;
};

base::Instant now_of(std::size_t batch) {
  return {1'700'000'001'000'000 + static_cast<std::int64_t>(batch) * 20'000};
}

double in_memory(const std::vector<std::vector<ledger::Transfer>>& all) {
  ledger::MemoryBooks books = opened();
  books.reserve(all.size() * per_batch);
  const auto begun = Steady::now();
  std::size_t created = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const auto& p : ledger::post(books, all[i], now_of(i)))
      created += p.outcome == ledger::Outcome::created;
  const double seconds = seconds_since(begun);
  if (created != all.size() * per_batch) {
    std::fprintf(stderr, "only %zu were created\n", created);
    std::exit(1);
  }
  return static_cast<double>(created) / seconds;
}

template <typename T>
T must(base::Try<T> r) {
  if (r) {
    if constexpr (std::is_void_v<T>)
      return;
    else
      return std::move(*r);
  }
  std::fprintf(stderr, "%s\n", r.error().message.c_str());
  std::exit(1);
}

double durable(const std::vector<std::vector<ledger::Transfer>>& all, std::string folder,
               bool& equal) {
  folder += "/ampacity-ledger-bench-XXXXXX";
  if (!mkdtemp(folder.data())) {
    std::perror("mkdtemp");
    std::exit(1);
  }
  const auto file = std::filesystem::path(folder) / "ledger.db";
  double seconds = 0;
  {
    auto store = must(store::LedgerStore::open(file));
    ledger::MemoryBooks books = opened();
    must(store.append_accounts(books));
    const auto begun = Steady::now();
    std::vector<ledger::Transfer> made;
    for (std::size_t i = 0; i < all.size(); ++i) {
      made.clear();
      ledger::post(books, all[i], now_of(i), &made);
      must(store.append(made, books));
      store.settle();
    }
    seconds = seconds_since(begun);
    equal = must(store.load()).accounts() == books.accounts();
  }
  std::filesystem::remove_all(folder);
  return static_cast<double>(all.size() * per_batch) / seconds;
}

// The machine, as every bench says it.
std::string machine() {
  std::string commit = "unknown";
  if (FILE* git = popen("git rev-parse --short HEAD 2>/dev/null", "r")) {
    char line[64] = {};
    if (std::fgets(line, sizeof line, git)) commit = std::string(line).substr(0, 7);
    pclose(git);
  }
#ifdef __clang__
  const std::string compiler = "clang " __clang_version__;
#else
  const std::string compiler = "g++ " __VERSION__;
#endif
  return "\"cpus\":" + std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + ",\"compiler\":\"" +
         compiler + "\",\"commit\":\"" + commit + "\"";
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const auto numbers = [&](int i, int otherwise) {
    return argc > i && std::atoi(argv[i]) > 0 ? std::atoi(argv[i]) : otherwise;
  };
  int at = 1;
  if (argc > 1 && std::string_view(argv[1]) == "--json") at = 2;
  const auto all = batches(static_cast<std::size_t>(numbers(at, 1'000'000)));
  const int rounds = numbers(at + 1, 3);
  const std::string folder = argc > at + 2 ? argv[at + 2] : "/var/tmp";
  std::vector<double> memory, disk;
  bool equal = true;
  for (int i = 0; i < rounds; ++i) {
    memory.push_back(in_memory(all));
    bool same = false;
    disk.push_back(durable(all, folder, same));
    equal = equal && same;
    std::fprintf(stderr, "round %d: %.0f/s in memory, %.0f/s durable\n", i + 1, memory.back(),
                 disk.back());
  }
  std::printf(
      "{\"durable_per_s\":%.0f,\"memory_per_s\":%.0f,\"durable_best_per_s\":%.0f,"
      "\"memory_best_per_s\":%.0f,\"transfers\":%zu,\"per_batch\":%zu,\"accounts\":%u,"
      "\"rounds\":%d,\"loaded_equal\":%s,%s}\n",
      median(disk), median(memory), *std::max_element(disk.begin(), disk.end()),
      *std::max_element(memory.begin(), memory.end()), all.size() * per_batch, per_batch,
      account_count, rounds, equal ? "true" : "false", machine().c_str());
  return equal ? 0 : 1;
}
