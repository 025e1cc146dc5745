#include "ledger/chain.h"

#include <type_traits>

#include "base/check.h"

namespace ampacity::ledger {
namespace {

constexpr std::int64_t day_us = 86'400'000'000;
constexpr char version = 1;

struct Writer {
  char* at;
  template <typename T>
  void number(T v) {
    using U = std::make_unsigned_t<T>;
    for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
      *at++ = static_cast<char>(static_cast<U>(v) >> shift);
  }
  void id(Id v) {
    number(v.high);
    number(v.low);
  }
};

}  // namespace

Record record_of(const Transfer& t) {
  Record record;
  Writer w{record.data()};
  *w.at++ = version;
  w.id(t.id);
  w.id(t.debit);
  w.id(t.credit);
  w.number(t.amount);
  w.id(t.pending_id);
  w.id(t.user_data);
  w.number(t.timeout_s);
  w.number(t.ledger);
  w.number(t.code);
  w.number(t.flags);
  w.number(t.timestamp.us);
  CHECK_THAT(w.at == record.data() + record.size(), "a record is of one length");
  return record;
}

void Chain::add(const Transfer& t, std::vector<Head>& heads) {
  const Record record = record_of(t);
  const Instant day{t.timestamp.us - t.timestamp.us % day_us};
  if (day != latest_.day) {
    latest_.day = day;
    latest_.transfers = 0;
  }
  ++latest_.transfers;
  latest_.last = t.timestamp;
  latest_.head = base::chain(latest_.head, {record.data(), record.size()});
  if (heads.empty() || heads.back().day != day)
    heads.push_back(latest_);
  else
    heads.back() = latest_;
}

}  // namespace ampacity::ledger
