// Usage that leases do not make: metered events as they were received, and those that still count.
// Threads: a MeterReader belongs to one thread at a time; the writing is the journal's alone.
//
// 1. Rows are never changed or deleted; sequence grows by one with each, in the order of receipt.
// 2. (sender, source, id) is taken at most once, for ever. 3. An event is corrected at most once,
// by another event; a correction may be corrected. What was corrected is replaced, not subtracted.
// 4. What each() shows for one `as_of` never changes, whatever is received afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/crypto.h"
#include "base/result.h"
#include "base/time.h"
#include "core/model.h"

namespace ampacity::store {

struct StoreAt;

inline constexpr std::int64_t micro_units = 1'000'000;  // quantities: of the meter's unit

// Operators are one sender; each project's own keys are another: a customer can neither take an
// operator's key nor correct an operator's event.
using Sender = std::uint32_t;  // a project, or core::nobody: an operator

struct MeterKey {
  Sender sender = core::nobody;
  std::string source;
  std::string id;
  auto operator<=>(const MeterKey&) const = default;
};

struct MeterEvent {
  std::uint64_t sequence = 0;  // 1, 2, 3 …: given by the store
  base::Instant received_at;   // given by the store
  MeterKey key;
  core::ProjectIx project = core::nobody;  // who pays
  std::string meter;                       // "storage_gb_hours"
  std::int64_t quantity_micro = 0;         // ≥ 0, in millionths of the meter's unit
  base::Instant time;                      // when it happened
  base::Instant from, until;               // the service period; from ≤ until
  MeterKey corrects;                       // source and id empty: nothing
  std::string sku, site, resource;         // empty: none
  base::Digest hash{};                     // payload_hash() of the above

  bool is_correction() const { return !corrects.id.empty(); }
};

// Over everything the sender said, but for what names projects: those are compared beside it.
base::Digest payload_hash(const MeterEvent& event);

// ---- writing: part of the loop's commit (store::Batch) ------------------------------------------

enum class MeterOutcome : std::uint8_t {
  accepted,
  duplicate,          // received before, equal: nothing to do
  other_payload,      // conflict: received before, and it said something else
  already_corrected,  // conflict: another event corrects the same one
  circular,           // conflict: it would, in the end, correct itself, or be one of too many
  too_many_sources,   // the bound below was reached
};

inline constexpr std::uint32_t most_sources_per_sender = 10'000;
inline constexpr int most_corrections_in_a_row = 100;

// The events of one request. Journal::append fills in the rest.
struct MeterBatch {
  base::Instant received_at;
  std::vector<MeterEvent> events;
  std::vector<MeterOutcome> outcomes;  // one for each event
  std::uint64_t last_sequence = 0;     // of the store, after this batch
};

// ---- reading ------------------------------------------------------------------------------------

inline constexpr std::uint64_t newest = std::numeric_limits<std::int64_t>::max();

// A place in the order of events, after one of them.
struct MeterPlace {
  base::Instant from{std::numeric_limits<std::int64_t>::min()};
  std::uint64_t sequence = 0;
};

// A service period belongs to where it begins: months share no event and miss none.
struct MeterQuery {
  core::ProjectIx project = core::nobody;  // nobody: all
  std::string meter = {};                  // empty: all
  base::Instant from{0};                   // event.from in [from, to)
  base::Instant to{std::numeric_limits<std::int64_t>::max()};
  std::uint64_t as_of = newest;  // what was known when this sequence had been received
  MeterPlace after = {};         // only what comes after it: how one page follows another
};

class MeterReader {
 public:
  virtual ~MeterReader() = default;

  // Events that count: received by `as_of`, and no correction received by then replaces them. Of
  // one project in order of (from, sequence), of all in order of sequence. Reads in pages: memory
  // does not grow, and no long read transaction is held. The visitor returns false to end.
  virtual base::Try<void> each(const MeterQuery& query,
                               const std::function<bool(const MeterEvent&)>& visit) = 0;

  // The earliest service period of these projects that events received in (after, through] say
  // something new of: their own, and of what they replace. From there it has to be rated again.
  virtual base::Try<std::optional<base::Instant>> earliest_change(
      std::span<const core::ProjectIx> projects, std::uint64_t after, std::uint64_t through) = 0;

  virtual std::uint64_t last_sequence() = 0;  // 0: none
};
base::Try<std::unique_ptr<MeterReader>> open_meter_reader(const StoreAt& options);

// Recomputes the hash of every row and the chain over all commits; how many rows were read, or
// the first that does not hold.
base::Try<std::uint64_t> verify_meter_events(const StoreAt& options);

}  // namespace ampacity::store
