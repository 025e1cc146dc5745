// CloudEvents: each is taken or refused by its index and field; what is taken is written and read
// again the same.
#include "api/meter_events.h"

#include "base/fuzz_input.h"
#include "base/json.h"

namespace api = ampacity::api;
namespace base = ampacity::base;

namespace {

constexpr base::Instant now{1'795'348'800'000'000};

std::optional<std::string> if_any(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

void check_event(const api::ReadEvent& e) {
  CHECK_THAT(!e.id.empty() && e.id.size() <= api::most_event_name_bytes, "an id out of bounds");
  CHECK_THAT(!e.source.empty() && e.source.size() <= api::most_event_name_bytes,
             "a source out of bounds");
  CHECK_THAT(e.quantity_micro >= 0 && e.quantity_micro <= api::most_quantity * 1'000'000,
             "a quantity out of bounds");
  CHECK_THAT(e.from <= e.until && e.until - e.from <= api::longest_period, "no period");
  CHECK_THAT(e.time <= now + api::most_ahead && e.time >= now - api::most_behind, "no time");
  api::CloudEvent event{"1.0", e.id, e.source, e.meter, if_any(e.subject), e.time, {}, {}};
  event.data = {api::format_quantity(e.quantity_micro),
                e.from,
                e.until,
                {},
                if_any(e.sku),
                if_any(e.site),
                if_any(e.resource)};
  if (!e.corrects_id.empty())
    event.data.corrects = {e.corrects_source, e.corrects_id, if_any(e.corrects_sent_by)};
  const auto read = api::read_cloud_events(base::to_json(event), "", now);
  CHECK_THAT(read && read->events.size() == 1, "an event written is refused");
  const api::ReadEvent& f = read->events[0];
  CHECK_THAT(f.id == e.id && f.source == e.source && f.subject == e.subject && f.meter == e.meter,
             "an event that changes");
  CHECK_THAT(f.quantity_micro == e.quantity_micro && f.time == e.time && f.from == e.from &&
                 f.until == e.until,
             "an event's data that change");
  CHECK_THAT(f.corrects_id == e.corrects_id && f.corrects_source == e.corrects_source &&
                 f.corrects_sent_by == e.corrects_sent_by && f.sku == e.sku && f.site == e.site &&
                 f.resource == e.resource,
             "an event's labels that change");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = base::FuzzInput(data, size).rest();
  const auto batch = api::read_cloud_events(text, "", now);
  if (!batch) {
    base::check_refusal(batch.error(), text);
    return 0;
  }
  CHECK_THAT(batch->events.size() <= api::most_events_in_batch, "too many events");
  std::size_t index = 0, said = 0;
  for (const api::EventRefusal& r : batch->refused) {
    CHECK_THAT(!r.field.empty() && r.field.size() < 100, "a refusal without field or bounds");
    CHECK_THAT(!r.message.empty() && r.message.size() < 500, "a refusal without words or bounds");
    said = r.index == index ? said + 1 : 1;
    index = r.index;
    CHECK_THAT(said <= 20, "too much is said of one event");
  }
  for (const api::ReadEvent& e : batch->events) check_event(e);
  if (const auto q = api::parse_quantity(text))
    CHECK_THAT(api::parse_quantity(api::format_quantity(*q)) == *q, "a quantity that changes");
  return 0;
}
