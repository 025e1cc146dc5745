// Writes metered events inside the journal's transaction, and says of each what became of it.
// Threads: the journal's. 1. What write() learnt holds only once keep() follows the commit; after
// a rollback forget() puts it back. 2. chain_n = SHA-256(chain_{n-1} ‖ the commit's
// chain_record()s).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "store/database.h"
#include "store/meter_events.h"

namespace ampacity::store {

// What the chain holds of one row; the hash stands for all that the sender said.
std::string chain_record(const MeterEvent& e);

class MeterWriter {
 public:
  static Sql<MeterWriter> open(Database& db);

  Sql<void> write(Database& db, std::span<MeterBatch* const> batches);
  void keep() { kept_ = end_; }
  void forget();

 private:
  struct End {
    std::uint64_t sequence = 0;
    base::Digest chain{};
  };
  using Source = std::int64_t;  // 0: none
  struct Named {
    Sender sender;
    std::string name;
  };
  struct NamedView {
    Sender sender;
    std::string_view name;
  };
  struct Less {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return a.sender != b.sender ? a.sender < b.sender
                                  : std::string_view(a.name) < std::string_view(b.name);
    }
  };

  // nullopt: the sender has too many.
  Sql<std::optional<Source>> source_of(Database& db, Sender sender, const std::string& name);
  // Where a question is a journey: which of these names are there, all at once.
  Sql<void> look_up(Database& db, std::span<MeterBatch* const> batches);
  Sql<MeterOutcome> write_one(Database& db, MeterEvent& e);
  Sql<std::optional<MeterOutcome>> refused_correction(Database& db, const MeterEvent& e,
                                                      Source source, Source corrects);
  // What is there under its key: nullopt if nothing.
  static Sql<std::optional<MeterOutcome>> already(Database& db, const MeterEvent& e, Source source,
                                                  Source corrects);

  End end_, kept_;
  std::map<Named, Source, Less> sources_;  // some of them
  // Of the commit at hand: the names that are taken; none: each is found out as it is written.
  std::optional<std::set<std::pair<Source, std::string>>> taken_;
};

}  // namespace ampacity::store
