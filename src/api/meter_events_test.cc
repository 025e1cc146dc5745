// CloudEvents in: every wrong field named, each event alone, nothing taken that is not exact.
#include <doctest/doctest.h>

#include "api/meter_events.h"

namespace ampacity::api {
namespace {

const Instant event_now = *base::parse_instant("2026-11-22T12:00:00Z");

std::string event_with(const std::string& envelope, const std::string& data) {
  return R"({"specversion":"1.0","id":"e1","source":"/s","type":"storage_gb_hours",)"
         R"("subject":"p","time":"2026-11-22T11:00:00Z")" +
         envelope + R"(,"data":{)" + data + "}}";
}
std::string with_data(const std::string& data) { return event_with("", data); }

std::vector<std::string> fields_wrong(const std::string& body) {
  const auto read = read_cloud_events(body, "application/cloudevents+json", event_now);
  REQUIRE_MESSAGE(read, read.error().message);
  std::vector<std::string> fields;
  for (const auto& r : read->refused) {
    CHECK(r.index == 0);
    CHECK_FALSE(r.message.empty());
    fields.push_back(r.field);
  }
  CHECK(read->events.size() == (fields.empty() ? 1U : 0U));
  return fields;
}

ReadEvent read_one(const std::string& body) {
  const auto read = read_cloud_events(body, "", event_now);
  REQUIRE(read);
  REQUIRE_MESSAGE(read->refused.empty(),
                  read->refused[0].field << ": " << read->refused[0].message);
  return read->events.at(0);
}

}  // namespace

TEST_CASE("a metered event: every field, and what is left out") {
  const ReadEvent full = read_one(
      R"({"data":{"quantity":"12.5","from":"2026-11-22T10:00:00Z","until":"2026-11-22T11:00:00Z",)"
      R"("corrects":{"source":"/a","id":"b","sent_by":"q"},"sku":"h100","site":"lab",)"
      R"("resource":"vol-1"},"time":"2026-11-22T12:30:00+01:00","subject":"p",)"
      R"("traceparent":"00-1",)"
      R"("type":"ampacity.meter.storage_gb_hours.v1","source":"/s\u00e9","id":"e1",)"
      R"("datacontenttype":"application/json; charset=utf-8","specversion":"1.0"})");
  CHECK(full.meter == "storage_gb_hours");
  CHECK(full.source == "/s\xc3\xa9");
  CHECK(full.quantity_micro == 12'500'000);
  CHECK(full.time == base::parse_instant("2026-11-22T11:30:00Z"));
  CHECK(full.from == base::parse_instant("2026-11-22T10:00:00Z"));
  CHECK(full.until == base::parse_instant("2026-11-22T11:00:00Z"));
  CHECK(full.corrects_source == "/a");
  CHECK(full.corrects_id == "b");
  CHECK(full.corrects_sent_by == "q");
  CHECK(full.sku + full.site + full.resource == "h100labvol-1");
  const ReadEvent bare = read_one(with_data(R"("quantity":3)"));
  CHECK(bare.quantity_micro == 3'000'000);
  CHECK(bare.from == bare.time);
  CHECK(bare.until == bare.time);
  CHECK(bare.corrects_id.empty());
}

TEST_CASE("a metered event: each wrong field by its path") {
  struct Row {
    std::string body;
    std::vector<std::string> fields;
  };
  const std::string id257(257, 'x');
  const Row rows[] = {
      {with_data(R"("quantity":"0")"), {}},
      {R"({})", {"specversion", "id", "source", "type", "time", "data"}},
      {R"({"specversion":"0.3","id":"","source":1,"type":"A","time":"x","data":[]})",
       {"specversion", "id", "source", "type", "time", "data"}},
      {event_with(R"(,"id":")" + id257.substr(1) + "\"", R"("quantity":1)"), {}},
      {event_with(R"(,"id":")" + id257 + "\"", R"("quantity":1)"), {"id"}},
      {event_with(R"(,"source":")" + id257 + "\"", R"("quantity":1)"), {"source"}},
      {event_with(R"(,"subject":")" + id257 + "\"", R"("quantity":1)"), {"subject"}},
      {event_with(R"(,"id":"a\nb")", R"("quantity":1)"), {"id"}},
      {event_with(R"(,"id":7)", R"("quantity":1)"), {"id"}},
      {event_with(R"(,"type":"ampacity.meter..v1")", R"("quantity":1)"), {"type"}},
      {event_with(R"(,"type":"com.example.thing")", R"("quantity":1)"), {"type"}},
      {event_with(R"(,"type":")" + std::string(65, 'm') + "\"", R"("quantity":1)"), {"type"}},
      {event_with(R"(,"datacontenttype":"text/xml")", R"("quantity":1)"), {"datacontenttype"}},
      {event_with(R"(,"time":"2026-11-22T13:00:00Z")", R"("quantity":1)"), {}},
      {event_with(R"(,"time":"2026-11-22T13:00:01Z")", R"("quantity":1)"), {"time"}},
      {event_with(R"(,"time":"2016-11-23T12:00:00Z")", R"("quantity":1)"), {}},
      {event_with(R"(,"time":"2016-11-01T12:00:00Z")", R"("quantity":1)"), {"time"}},
      {with_data(""), {"data.quantity"}},
      {with_data(R"("quantity":1.5)"), {"data.quantity"}},
      {with_data(R"("quantity":-1)"), {"data.quantity"}},
      {with_data(R"("quantity":"-1")"), {"data.quantity"}},
      {with_data(R"("quantity":true)"), {"data.quantity"}},
      {with_data(R"("quantity":18446744073709551615)"), {"data.quantity"}},
      {with_data(R"("quantity":1000000000001)"), {"data.quantity"}},
      {with_data(R"("quantity":1000000000000)"), {}},
      {with_data(R"("quantity":1,"quantum":2)"), {"data.quantum"}},
      {with_data(R"("quantity":1,"from":"2026-11-22T13:00:01Z")"), {"data.from"}},
      {with_data(R"("quantity":1,"until":"2026-11-22T10:59:59Z")"), {"data.until"}},
      {with_data(R"("quantity":1,"until":"2027-12-27T11:00:00Z")"), {}},
      {with_data(R"("quantity":1,"until":"2027-12-27T11:00:01Z")"), {"data.until"}},
      {with_data(R"("quantity":1,"sku":"","site":1,"resource":")" + std::string(129, 'r') + "\""),
       {"data.sku", "data.site", "data.resource"}},
      {with_data(R"("quantity":1,"corrects":"e0")"), {"data.corrects"}},
      {with_data(R"("quantity":1,"corrects":{"source":"/s","ID":"e0"})"),
       {"data.corrects.ID", "data.corrects.id"}},
      {with_data(R"("quantity":1,"corrects":{"source":"/s","id":"e1"})"), {"data.corrects"}},
      {with_data(R"("quantity":1,"corrects":{"source":"/s","id":"e1","sent_by":"q"})"), {}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    CHECK(fields_wrong(row.body) == row.fields);
  }
  std::string unknown = R"("quantity":1)";
  for (int i = 0; i < 500; ++i) unknown += ",\"k" + std::to_string(i) + "\":0";
  const auto said = fields_wrong(with_data(unknown));
  CHECK(said.size() == 20);
  CHECK(said.back() == "(more)");
}

TEST_CASE("in a batch each event stands alone; only a body that is none is refused whole") {
  const std::string good = with_data(R"("quantity":1)");
  const auto mixed =
      read_cloud_events("[" + good + ",7,{}," + good + "]",
                        "application/cloudevents-batch+json; charset=utf-8", event_now);
  REQUIRE(mixed);
  REQUIRE(mixed->events.size() == 2);
  CHECK(mixed->events[1].index == 3);
  CHECK(mixed->refused.size() == 7);
  CHECK(mixed->refused[0].field == "(event)");
  CHECK(mixed->refused[1].index == 2);
  CHECK(read_cloud_events("[]", "", event_now)->events.empty());
  struct Row {
    std::string body;
    const char* type;
    base::Code code;
  };
  std::string many = "[";
  for (int i = 0; i < 1001; ++i) many += i ? ",0" : "0";
  const Row rows[] = {
      {"", "", base::Code::invalid},
      {"7", "", base::Code::invalid},
      {"\"x\"", "application/json", base::Code::invalid},
      {"[" + good, "", base::Code::invalid},
      {"[\"\xff\"]", "", base::Code::invalid},
      {good + good, "", base::Code::invalid},
      {std::string(40, '['), "", base::Code::invalid},
      {good, "application/cloudevents-batch+json", base::Code::invalid},
      {"[" + good + "]", "application/cloudevents+json", base::Code::invalid},
      {many + "]", "", base::Code::too_large},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body.substr(0, 80));
    const auto read = read_cloud_events(row.body, row.type, event_now);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == row.code);
  }
}

TEST_CASE("quantities are exact or refused") {
  struct Row {
    const char* text;
    std::int64_t micro;
  };
  for (const Row& r : {Row{"0", 0},
                       {"0.000001", 1},
                       {"12.5", 12'500'000},
                       {"007", 7'000'000},
                       {"999999999999.999999", 999'999'999'999'999'999},
                       {"1000000000000", 1'000'000'000'000'000'000}})
    CHECK_MESSAGE(parse_quantity(r.text) == r.micro, r.text);
  for (const char* bad : {"", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "0x1", "1.0000001",
                          "1000000000000.1", "99999999999999999999999999", "1.2.3", "1000000000001",
                          "999999999999999999", "1844674407370955162", "1844674407371"})
    CHECK_MESSAGE(!parse_quantity(bad), bad);
  for (std::int64_t n = 3; n < 3'000'000'000'000'000'000; n += n / 3)  // all that fit 19 digits
    CHECK_MESSAGE(parse_quantity(std::to_string(n)).has_value() == (n <= most_quantity), n);
  CHECK(format_quantity(0) == "0");
  CHECK(format_quantity(12'500'000) == "12.5");
  CHECK(format_quantity(1) == "0.000001");
  CHECK(meter_of_type("tokens-in") == "tokens-in");
  CHECK(meter_of_type("ampacity.meter.x1.v1") == "x1");
  for (const char* bad : {"", "1x", "x y", "ampacity.meter.x.v2", "ampacity.meter.v1", "X", "x.v1"})
    CHECK_MESSAGE(meter_of_type(bad).empty(), bad);
}

}  // namespace ampacity::api
