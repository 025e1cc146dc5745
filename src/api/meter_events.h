// Metered events on the wire: CloudEvents 1.0 in structured JSON, one or a batch, and what is
// answered.
// Threads: pure functions.
// 1. Each event stands alone: what is wrong with one is said of it, by its index and the field's
// path, and the others are taken. 2. Only a body that is no event and no batch is refused whole.
// 3. Extension attributes of the envelope are let be, as the specification asks; in `data`, which
// is ours, an unknown field is an error. 4. The meters of leases are refused; sla_downtime_seconds
// (core::downtime_meter) names a contract as its resource, and is an operator's alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/contract.h"

namespace ampacity::api {

inline constexpr std::size_t most_events_in_batch = 1'000;
inline constexpr std::size_t most_event_name_bytes = 256;   // id, source, subject
inline constexpr std::size_t most_event_label_bytes = 128;  // sku, site, resource
inline constexpr std::int64_t most_quantity = 1'000'000'000'000;
inline constexpr base::Duration most_ahead = base::Duration::seconds(3'600);
inline constexpr base::Duration most_behind = base::Duration::seconds(10 * 366 * 86'400LL);
inline constexpr base::Duration longest_period = base::Duration::seconds(400 * 86'400LL);

// ---- the contract -------------------------------------------------------------------------------

struct Corrects {  // the event that this one replaces, received or still to come
  std::string source;
  std::string id;
  std::optional<std::string> sent_by;  // operators: the project whose own key sent it
};
BOOST_DESCRIBE_STRUCT(Corrects, (), (source, id, sent_by))

struct MeterData {
  std::string quantity;          // "12.5": at most six decimals; a whole number need no quotes
  std::optional<Instant> from;   // of the service period; default: time
  std::optional<Instant> until;  // default: from
  std::optional<Corrects> corrects;
  std::optional<std::string> sku, site, resource;  // resource: of sla_downtime_seconds the contract
};
BOOST_DESCRIBE_STRUCT(MeterData, (), (quantity, from, until, corrects, sku, site, resource))

struct CloudEvent {         // POST /v1/meter-events; or a list of them
  std::string specversion;  // "1.0"
  std::string id;           // with source, taken once, for ever
  std::string source;
  std::string type;                    // the meter: "storage_gb_hours", or
                                       // "ampacity.meter.storage_gb_hours.v1"
  std::optional<std::string> subject;  // a project's name or id; customer keys have their own
  Instant time;
  std::optional<std::string> datacontenttype;
  MeterData data;
};
BOOST_DESCRIBE_STRUCT(CloudEvent, (),
                      (specversion, id, source, type, subject, time, datacontenttype, data))

enum class ConflictReason {
  other_payload,      // this source and id came before and said something else; that stands
  already_corrected,  // another event corrects the same one: correct that one
  circular,           // it would, in the end, correct itself (or be the 100th in a row)
};
BOOST_DESCRIBE_ENUM(ConflictReason, other_payload, already_corrected, circular)

struct EventConflict {
  std::size_t index = 0;  // in the batch, from 0
  std::string source;
  std::string id;
  ConflictReason why{};
};
BOOST_DESCRIBE_STRUCT(EventConflict, (), (index, source, id, why))

struct EventRefusal {
  std::size_t index = 0;
  std::string field;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(EventRefusal, (), (index, field, message))

struct MeterAnswer {
  std::size_t accepted = 0;
  std::size_t duplicates = 0;  // received before, equal
  std::vector<EventConflict> conflicts;
  std::vector<EventRefusal> refused;
  std::uint64_t last_sequence = 0;  // of all events received, after these
};
BOOST_DESCRIBE_STRUCT(MeterAnswer, (), (accepted, duplicates, conflicts, refused, last_sequence))

struct MeterEventView {
  std::uint64_t sequence = 0;
  Instant received_at;
  std::string source;
  std::string id;
  std::string project;
  std::string meter;
  std::string quantity;
  Instant time;
  Instant from;
  Instant until;
  std::optional<Corrects> corrects;
  std::optional<std::string> sku, site, resource;
};
BOOST_DESCRIBE_STRUCT(MeterEventView, (),
                      (sequence, received_at, source, id, project, meter, quantity, time, from,
                       until, corrects, sku, site, resource))
struct MeterEventList {
  std::vector<MeterEventView> items;
  std::optional<std::string> next_cursor;
};
BOOST_DESCRIBE_STRUCT(MeterEventList, (), (items, next_cursor))

// ---- reading them -------------------------------------------------------------------------------

// One event that is right by itself; whether its subject is a project of the caller's is not known
// here.
struct ReadEvent {
  std::size_t index = 0;
  std::string source, id, subject, meter;
  std::int64_t quantity_micro = 0;
  Instant time, from, until;
  std::string corrects_source, corrects_id, corrects_sent_by;
  std::string sku, site, resource;
};
struct ReadEvents {
  std::vector<ReadEvent> events;
  std::vector<EventRefusal> refused;
};
// An array is a batch, an object one event; a Content-Type of CloudEvents must agree.
base::Result<ReadEvents> read_cloud_events(std::string_view body, std::string_view content_type,
                                           Instant now);

// "12.5" -> 12,500,000. No sign, at most six decimals, at most most_quantity.
std::optional<std::int64_t> parse_quantity(std::string_view text);
std::string format_quantity(std::int64_t micro);  // without zeros at the end

// "storage_gb_hours", "ampacity.meter.storage_gb_hours.v1" -> the meter; empty: neither.
std::string_view meter_of_type(std::string_view type);

}  // namespace ampacity::api
