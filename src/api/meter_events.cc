#include "api/meter_events.h"

#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>

#include "core/price_book.h"

namespace ampacity::api {
namespace {

namespace json = boost::json;

constexpr std::size_t most_meter_bytes = 64;
constexpr std::size_t most_wrong_in_event = 20;  // an answer is not to dwarf its batch

// What is wrong with one event, as it is found.
struct EventWrongs {
  std::vector<EventRefusal>& all;
  std::size_t index;
  bool any = false;
  std::size_t count = 0;
  void add(std::string_view field, std::string message) {
    any = true;
    if (++count < most_wrong_in_event)
      all.push_back({index, std::string(field), std::move(message)});
    else if (count == most_wrong_in_event)
      all.push_back({index, "(more)", "more is wrong with this event"});
  }
};

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string_view json_text(const json::value& v) {
  return {v.get_string().data(), v.get_string().size()};
}

void read_text(const json::value* v, std::string_view field, std::size_t most, bool required,
               std::string& out, EventWrongs& wrong) {
  if (!v) {
    if (required) wrong.add(field, "is required");
    return;
  }
  if (!v->is_string()) return wrong.add(field, "must be a string");
  const std::string_view text = json_text(*v);
  if (text.empty()) return wrong.add(field, "must not be empty");
  if (text.size() > most)
    return wrong.add(field, "must be at most " + std::to_string(most) + " bytes; it has " +
                                std::to_string(text.size()));
  for (const char c : text)
    if (is_control(c)) return wrong.add(field, "must not have control characters");
  out = text;
}

bool read_instant(const json::value* v, std::string_view field, Instant& out, EventWrongs& wrong) {
  if (!v) return false;
  const auto t = v->is_string() ? base::parse_instant(json_text(*v)) : std::nullopt;
  if (t)
    out = *t;
  else
    wrong.add(field, "must be an RFC 3339 time such as 2026-11-22T12:00:00Z");
  return t.has_value();
}

void read_quantity(const json::value* v, std::int64_t& out, EventWrongs& wrong) {
  constexpr const char* form =
      "must be a decimal in quotes such as \"12.5\", or a whole number: 0 or more, at most six "
      "decimals, at most 1000000000000; to take usage back, correct the event";
  if (!v) return wrong.add("data.quantity", "is required");
  if (v->is_string()) {
    if (const auto micro = parse_quantity(json_text(*v)))
      out = *micro;
    else
      wrong.add("data.quantity", form);
  } else if (v->is_int64() && v->get_int64() >= 0 && v->get_int64() <= most_quantity) {
    out = v->get_int64() * 1'000'000;
  } else {
    wrong.add("data.quantity", form);
  }
}

void read_corrects(const json::value& v, ReadEvent& e, EventWrongs& wrong) {
  if (!v.is_object()) return wrong.add("data.corrects", "must be an object of source and id");
  const json::value *source = nullptr, *id = nullptr, *sent_by = nullptr;
  for (const auto& [key, value] : v.get_object()) {
    if (key == "source")
      source = &value;
    else if (key == "id")
      id = &value;
    else if (key == "sent_by")
      sent_by = &value;
    else
      wrong.add("data.corrects." + std::string(key).substr(0, 60),
                "is not a field here; the fields are source, id, sent_by");
  }
  constexpr std::size_t most = most_event_name_bytes;
  read_text(source, "data.corrects.source", most, true, e.corrects_source, wrong);
  read_text(id, "data.corrects.id", most, true, e.corrects_id, wrong);
  read_text(sent_by, "data.corrects.sent_by", most, false, e.corrects_sent_by, wrong);
}

void check_times(ReadEvent& e, bool has_from, bool has_until, Instant now, EventWrongs& wrong) {
  const auto within = [&](std::string_view field, Instant t) {
    if (t > now + most_ahead)
      wrong.add(field,
                "must not be more than an hour in the future: it is " + base::format_instant(now));
    else if (t < now - most_behind)
      wrong.add(field, "must not be more than ten years past");
  };
  within("time", e.time);
  if (has_from)
    within("data.from", e.from);
  else
    e.from = e.time;
  if (!has_until) {
    e.until = e.from;
  } else if (e.until < e.from) {
    wrong.add("data.until", has_from ? "must not be before `from`"
                                     : "must not be before `time`, which `from` is by default");
  } else if (e.until - e.from > longest_period) {
    wrong.add("data.until", "must be at most 400 days after its begin");
  }
}

struct DataFields {
  const json::value *quantity = nullptr, *from = nullptr, *until = nullptr, *corrects = nullptr,
                    *sku = nullptr, *site = nullptr, *resource = nullptr;
};

DataFields data_fields(const json::object& data, EventWrongs& wrong) {
  DataFields f;
  struct Field {
    std::string_view name;
    const json::value** at;
  };
  const std::array<Field, 7> fields = {{{"quantity", &f.quantity},
                                        {"from", &f.from},
                                        {"until", &f.until},
                                        {"corrects", &f.corrects},
                                        {"sku", &f.sku},
                                        {"site", &f.site},
                                        {"resource", &f.resource}}};
  for (const auto& [key, value] : data) {
    bool known = false;
    for (const Field& field : fields)
      if (key == field.name) {
        *field.at = &value;
        known = true;
        break;
      }
    if (!known)
      wrong.add("data." + std::string(key).substr(0, 60),
                "is not a field here; the fields are quantity, from, until, corrects, sku, site, "
                "resource");
  }
  return f;
}

void read_data(const json::value* v, Instant now, bool has_time, ReadEvent& e, EventWrongs& wrong) {
  if (!v) return wrong.add("data", "is required");
  if (!v->is_object()) return wrong.add("data", "must be an object with a quantity");
  const DataFields f = data_fields(v->get_object(), wrong);
  read_quantity(f.quantity, e.quantity_micro, wrong);
  if (f.corrects) read_corrects(*f.corrects, e, wrong);
  read_text(f.sku, "data.sku", most_event_label_bytes, false, e.sku, wrong);
  read_text(f.site, "data.site", most_event_label_bytes, false, e.site, wrong);
  read_text(f.resource, "data.resource", most_event_label_bytes, false, e.resource, wrong);
  const bool has_from = read_instant(f.from, "data.from", e.from, wrong);
  const bool has_until = read_instant(f.until, "data.until", e.until, wrong);
  if (has_time) check_times(e, has_from, has_until, now, wrong);
}

struct Envelope {
  const json::value *specversion = nullptr, *id = nullptr, *source = nullptr, *type = nullptr,
                    *subject = nullptr, *time = nullptr, *datacontenttype = nullptr,
                    *data = nullptr;
};

Envelope envelope_of(const json::object& event) {
  Envelope f;
  struct Field {
    std::string_view name;
    const json::value** at;
  };
  const std::array<Field, 8> fields = {{{"specversion", &f.specversion},
                                        {"id", &f.id},
                                        {"source", &f.source},
                                        {"type", &f.type},
                                        {"subject", &f.subject},
                                        {"time", &f.time},
                                        {"datacontenttype", &f.datacontenttype},
                                        {"data", &f.data}}};
  for (const auto& [key, value] : event)
    for (const Field& field : fields)
      if (key == field.name) {
        *field.at = &value;
        break;
      }
  return f;
}

bool is_json_type(const json::value& v) {
  if (!v.is_string()) return false;
  const std::string_view type = json_text(v);
  const std::string_view bare = type.substr(0, type.find(';'));
  return bare == "application/json" || bare.ends_with("+json");
}

// Meters with a meaning of their own.
void check_meter(const ReadEvent& e, EventWrongs& wrong) {
  if (core::is_lease_meter(e.meter))
    wrong.add("type", "is what leases are metered by here, and '" + e.meter +
                          "' would be billed twice: name what you measure otherwise, such as "
                          "external_" +
                          e.meter + "_hours, and give it a price");
  if (e.meter != core::downtime_meter) return;
  if (e.quantity_micro % 1'000'000 != 0)
    wrong.add("data.quantity", "must be whole seconds that the service was not there for");
  if (e.resource.empty())
    wrong.add("data.resource",
              "is required with this type, which is for contracts alone: the name of the contract "
              "whose service was not there (see `ampacity contracts`); for anything else choose "
              "another type");
}

// nullopt: something is wrong with it, and `refused` says what.
std::optional<ReadEvent> read_event(const json::value& v, std::size_t index, Instant now,
                                    std::vector<EventRefusal>& refused) {
  EventWrongs wrong{refused, index};
  if (!v.is_object()) {
    wrong.add("(event)", "must be an object: a CloudEvent");
    return std::nullopt;
  }
  const Envelope f = envelope_of(v.get_object());
  ReadEvent e;
  e.index = index;
  if (!f.specversion || !f.specversion->is_string() || json_text(*f.specversion) != "1.0")
    wrong.add("specversion", "must be \"1.0\"");
  read_text(f.id, "id", most_event_name_bytes, true, e.id, wrong);
  read_text(f.source, "source", most_event_name_bytes, true, e.source, wrong);
  read_text(f.subject, "subject", most_event_name_bytes, false, e.subject, wrong);
  std::string type;
  read_text(f.type, "type", most_event_name_bytes, true, type, wrong);
  e.meter = meter_of_type(type);
  if (e.meter.empty() && !type.empty())
    wrong.add("type",
              "must be a meter such as storage_gb_hours, or ampacity.meter.storage_gb_hours.v1: "
              "lower-case letters, digits, _ and -, at most 64");
  if (!f.time) wrong.add("time", "is required: when it happened");
  const bool has_time = read_instant(f.time, "time", e.time, wrong);
  if (f.datacontenttype && !is_json_type(*f.datacontenttype))
    wrong.add("datacontenttype", "must be application/json");
  read_data(f.data, now, has_time, e, wrong);
  check_meter(e, wrong);
  if (!wrong.any && e.corrects_source == e.source && e.corrects_id == e.id &&
      e.corrects_sent_by.empty())
    wrong.add("data.corrects", "must be another event, not this one");
  if (wrong.any) return std::nullopt;
  return e;
}

// The parts of a media type before any parameter.
bool is_type(std::string_view content_type, std::string_view wanted) {
  return content_type.substr(0, content_type.find_first_of("; ")) == wanted;
}

base::Result<void> agrees(const json::value& body, std::string_view content_type) {
  if (is_type(content_type, "application/cloudevents-batch+json") && !body.is_array())
    return base::refuse(base::Code::invalid,
                        "application/cloudevents-batch+json must be a list of events");
  if (is_type(content_type, "application/cloudevents+json") && !body.is_object())
    return base::refuse(base::Code::invalid,
                        "application/cloudevents+json must be one event; a list is "
                        "application/cloudevents-batch+json");
  if (!body.is_array() && !body.is_object())
    return base::refuse(base::Code::invalid,
                        "the body must be a CloudEvent in JSON, or a list of them");
  if (body.is_array() && body.get_array().size() > most_events_in_batch)
    return base::refuse(base::Code::too_large,
                        "a batch has at most " + std::to_string(most_events_in_batch) +
                            " events; this one has " + std::to_string(body.get_array().size()));
  return {};
}

}  // namespace

std::optional<std::int64_t> parse_quantity(std::string_view text) {
  constexpr std::int64_t most = most_quantity * 1'000'000;  // ten times it would overflow
  std::int64_t value = 0;
  int decimals = -1;  // not yet past the point
  if (text.empty() || text.size() > 40 || text.front() == '.' || text.back() == '.')
    return std::nullopt;
  for (const char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    if (decimals >= 0 && ++decimals > 6) return std::nullopt;
    if (value > most / 10) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  for (int d = decimals < 0 ? 0 : decimals; d < 6; ++d) {
    if (value > most / 10) return std::nullopt;
    value *= 10;
  }
  if (value > most) return std::nullopt;
  return value;
}

std::string format_quantity(std::int64_t micro) {
  std::string out = std::to_string(micro / 1'000'000);
  const std::int64_t rest = micro % 1'000'000;
  if (rest == 0) return out;
  std::string decimals = std::to_string(1'000'000 + rest).substr(1);
  while (decimals.back() == '0') decimals.pop_back();
  return out + "." + decimals;
}

std::string_view meter_of_type(std::string_view type) {
  constexpr std::string_view prefix = "ampacity.meter.", suffix = ".v1";
  if (type.starts_with(prefix) && type.ends_with(suffix) &&
      type.size() > prefix.size() + suffix.size())
    type = type.substr(prefix.size(), type.size() - prefix.size() - suffix.size());
  if (type.empty() || type.size() > most_meter_bytes || type[0] < 'a' || type[0] > 'z') return {};
  for (const char c : type)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) return {};
  return type;
}

base::Result<ReadEvents> read_cloud_events(std::string_view body, std::string_view content_type,
                                           Instant now) {
  // All of one body's values lie side by side and go at once.
  json::monotonic_resource memory(2 * body.size() + 4096);
  json::parse_options options;
  options.max_depth = 32;
  json::error_code error;
  const json::value root =
      json::parse(json::string_view(body.data(), body.size()), error, &memory, options);
  if (error) {
    auto said = base::parse_json(body);  // again, slowly: to name the line and column
    return said ? base::Result<ReadEvents>(
                      base::refuse(base::Code::invalid, "the body is not JSON: " + error.message()))
                : std::unexpected(std::move(said.error()));
  }
  if (auto ok = agrees(root, content_type); !ok) return std::unexpected(std::move(ok.error()));
  ReadEvents out;
  const auto read = [&](const json::value& v, std::size_t index) {
    if (auto e = read_event(v, index, now, out.refused)) out.events.push_back(std::move(*e));
  };
  if (root.is_object()) {
    read(root, 0);
    return out;
  }
  const json::array& list = root.get_array();
  out.events.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) read(list[i], i);
  return out;
}

}  // namespace ampacity::api
