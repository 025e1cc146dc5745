#include <algorithm>
#include <charconv>
#include <tuple>

#include "api/meter_events.h"
#include "api/problem.h"
#include "billing/contract.h"
#include "core/price_book.h"
#include "server/app.h"
#include "server/paging.h"

namespace ampacity::server {
namespace {

using Refusals = std::vector<api::EventRefusal>;

// What travels beside the store's rows, event for event, until the answer.
struct Incoming {
  std::vector<std::size_t> index;        // in the request
  std::vector<std::string> subject;      // as the sender named it
  std::vector<std::string> corrects_of;  // sent_by
  Refusals refused;
};

store::MeterEvent row_of(api::ReadEvent&& e) {
  store::MeterEvent row;
  row.key.source = std::move(e.source);
  row.key.id = std::move(e.id);
  row.meter = std::move(e.meter);
  row.quantity_micro = e.quantity_micro;
  row.time = e.time;
  row.from = e.from;
  row.until = e.until;
  row.corrects.source = std::move(e.corrects_source);
  row.corrects.id = std::move(e.corrects_id);
  row.sku = std::move(e.sku);
  row.site = std::move(e.site);
  row.resource = std::move(e.resource);
  row.hash = store::payload_hash(row);
  return row;
}

// Which projects are meant, by the world at the commit. A customer is told the same of another's
// project as of one that is not there.
class Resolver {
 public:
  Resolver(const core::World& world, const Caller& caller) : world_(world), caller_(caller) {}

  // nobody: refused.
  core::ProjectIx payer(const std::string& subject, std::size_t index, Refusals& refused) {
    if (!caller_.is_owner() && subject.empty()) return caller_.project;
    if (subject.empty()) {
      refused.push_back({index, "subject", "is required: the project that used it"});
      return core::nobody;
    }
    if (const auto p = named(subject); p != core::nobody) return p;
    refused.push_back({index, "subject", "there is no project " + subject});
    return core::nobody;
  }
  core::ProjectIx named(const std::string& name) {
    if (name != last_name_) {
      last_name_ = name;
      last_ = world_.project(name).value_or(core::nobody);
      if (!caller_.is_owner() && last_ != caller_.project) last_ = core::nobody;
    }
    return last_;
  }

 private:
  const core::World& world_;
  const Caller& caller_;
  std::string last_name_;  // events of one project come together
  core::ProjectIx last_ = core::nobody;
};

// Lost uptime is of a contract that the payer's org has, and of a time that it covers.
bool is_of_contract(const core::World& world, const store::MeterEvent& e, std::size_t index,
                    Refusals& refused) {
  const core::State& s = world.state();
  const core::OrgIx org = s.projects[e.project].org;
  for (const core::Contract& c : s.contracts) {
    if (c.org != org || c.name != e.resource) continue;
    const billing::Span life = billing::lifetime(c);
    if (life.holds(e.from)) return true;
    refused.push_back({index, "data.from",
                       "must lie in the time of contract " + c.name + ", which runs from " +
                           base::format_instant(life.from) + " until " +
                           base::format_instant(life.until)});
    return false;
  }
  refused.push_back({index, "data.resource",
                     "must be the name of a contract of " + s.orgs[org].name +
                         ", whose project the subject is: it has none of the name '" + e.resource +
                         "' (see `ampacity contracts`)"});
  return false;
}

void resolve(const core::World& world, const Caller& caller, Incoming& in,
             store::MeterBatch& batch) {
  Resolver resolver(world, caller);
  const store::Sender sender = caller.is_owner() ? core::nobody : caller.project;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    store::MeterEvent& e = batch.events[i];
    e.project = resolver.payer(in.subject[i], in.index[i], in.refused);
    if (e.project == core::nobody) continue;
    e.key.sender = sender;
    if (e.is_correction()) e.corrects.sender = sender;
    if (!in.corrects_of[i].empty()) {
      e.corrects.sender = resolver.named(in.corrects_of[i]);
      if (e.corrects.sender == core::nobody) {
        in.refused.push_back(
            {in.index[i], "data.corrects.sent_by", "there is no project " + in.corrects_of[i]});
        continue;
      }
    }
    if (e.meter == core::downtime_meter && !is_of_contract(world, e, in.index[i], in.refused))
      continue;
    if (kept != i) batch.events[kept] = std::move(e);
    in.index[kept++] = in.index[i];
  }
  batch.events.resize(kept);
}

void tell(api::MeterAnswer& answer, store::MeterOutcome outcome, std::size_t index,
          const store::MeterEvent& e) {
  const auto conflict = [&](api::ConflictReason why) {
    answer.conflicts.push_back({index, e.key.source, e.key.id, why});
  };
  switch (outcome) {
    case store::MeterOutcome::accepted:
      ++answer.accepted;
      break;
    case store::MeterOutcome::duplicate:
      ++answer.duplicates;
      break;
    case store::MeterOutcome::other_payload:
      conflict(api::ConflictReason::other_payload);
      break;
    case store::MeterOutcome::already_corrected:
      conflict(api::ConflictReason::already_corrected);
      break;
    case store::MeterOutcome::circular:
      conflict(api::ConflictReason::circular);
      break;
    case store::MeterOutcome::too_many_sources:
      answer.refused.push_back({index, "source",
                                "a sender has at most " +
                                    std::to_string(store::most_sources_per_sender) +
                                    " sources: a source is who measures, not what"});
      break;
  }
}

net::Response answer_of(Incoming& in, const store::MeterBatch& batch) {
  api::MeterAnswer answer;
  answer.refused = std::move(in.refused);
  answer.last_sequence = batch.last_sequence;
  for (std::size_t i = 0; i < batch.events.size(); ++i)
    tell(answer, batch.outcomes[i], in.index[i], batch.events[i]);
  std::sort(answer.refused.begin(), answer.refused.end(), [](const auto& x, const auto& y) {
    return std::tie(x.index, x.field) < std::tie(y.index, y.field);
  });
  return json_response(base::to_json(answer));
}

api::MeterEventView view_of(const core::World& w, const store::MeterEvent& e) {
  const auto name = [&](core::ProjectIx ix) { return w.state().projects.at(ix).name; };
  const auto optional = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  api::MeterEventView v;
  v.sequence = e.sequence;
  v.received_at = e.received_at;
  v.source = e.key.source;
  v.id = e.key.id;
  v.project = name(e.project);
  v.meter = e.meter;
  v.quantity = api::format_quantity(e.quantity_micro);
  v.time = e.time;
  v.from = e.from;
  v.until = e.until;
  if (e.is_correction()) {
    v.corrects = api::Corrects{e.corrects.source, e.corrects.id, {}};
    if (e.corrects.sender != e.key.sender && e.corrects.sender != core::nobody)
      v.corrects->sent_by = name(e.corrects.sender);
  }
  v.sku = optional(e.sku);
  v.site = optional(e.site);
  v.resource = optional(e.resource);
  return v;
}

struct Listing {
  std::vector<core::ProjectIx> projects;  // nobody alone: all
  store::MeterQuery query;
  std::size_t limit = 100;
  MeterCursor after;
};

template <typename T>
void read_number(const Call& c, const char* name, T least, T most, T& out,
                 std::vector<base::Wrong>& wrong) {
  const std::string_view text = c.target.param(name);
  if (text.empty()) return;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || out < least || out > most)
    wrong.push_back({name, "must be a whole number from " + std::to_string(least) + " to " +
                               std::to_string(most)});
}

void read_day(const Call& c, const char* name, base::Instant& out,
              std::vector<base::Wrong>& wrong) {
  const std::string_view text = c.target.param(name);
  if (text.empty()) return;
  const auto t = base::parse_instant(std::string(text) + (text.size() == 10 ? "T00:00:00Z" : ""));
  if (t)
    out = *t;
  else
    wrong.push_back({name, "must be a day or an RFC 3339 time such as 2026-11-22T12:00:00Z"});
}

base::Result<Listing> listing_of(const Call& c) {
  Listing l;
  std::vector<base::Wrong> wrong;
  read_day(c, "from", l.query.from, wrong);
  read_day(c, "to", l.query.to, wrong);
  if (l.query.to < l.query.from) wrong.push_back({"to", "must not be before `from`"});
  read_number<std::size_t>(c, "limit", 1, 1'000, l.limit, wrong);
  read_number<std::uint64_t>(c, "as_of", 0, store::newest, l.query.as_of, wrong);
  l.query.meter = c.target.param("meter");
  if (const std::string_view cursor = c.target.param("cursor"); !cursor.empty()) {
    if (const auto place = parse_meter_cursor(cursor))
      l.after = *place;
    else
      wrong.push_back({"cursor", cursor_form});
  }
  if (!wrong.empty()) return std::unexpected(base::refusal_of(std::move(wrong)));
  return l;
}

}  // namespace

// No Idempotency-Key is looked at: (source, id) of each event is one.
void App::take_meter_events(Call& c, net::Reply& r) {
  if (!c.request.header("ce-specversion").empty())
    return r.send(api::problem_response(
        {base::Code::invalid,
         "CloudEvents in binary mode are not taken here: send the event as JSON "
         "(application/cloudevents+json)",
         {},
         {},
         {}}));
  auto read =
      api::read_cloud_events(c.request.body, c.request.header("Content-Type"), clock_.now());
  if (!read) return r.send(api::problem_response(read.error()));
  for (const api::ReadEvent& e : read->events)
    if (e.meter == core::downtime_meter && !c.caller.is_owner())
      return r.send(api::problem_response(
          {base::Code::forbidden,
           "event " + std::to_string(e.index) + ": " + std::string(core::downtime_meter) +
               " gives credit for lost uptime, and only the operator reports it: leave it out, or "
               "ask the operator; nothing of this request was taken",
           {},
           {},
           {}}));
  auto in = std::make_shared<Incoming>();
  in->refused = std::move(read->refused);
  Work work;
  work.actor = c.caller.actor;
  work.meter = std::make_unique<MeterWork>();
  work.meter->batch.events.reserve(read->events.size());
  for (api::ReadEvent& e : read->events) {
    in->index.push_back(e.index);
    in->subject.push_back(std::move(e.subject));
    in->corrects_of.push_back(std::move(e.corrects_sent_by));
    work.meter->batch.events.push_back(row_of(std::move(e)));
  }
  work.meter->resolve = [in, caller = c.caller](const core::World& w, store::MeterBatch& batch) {
    resolve(w, caller, *in, batch);
  };
  work.meter->respond = [in](const store::MeterBatch& batch) { return answer_of(*in, batch); };
  work.reply = std::move(r);
  loop_.push(std::move(work));
}

void App::list_meter_events(Call& c, net::Reply& r) {
  auto listing = listing_of(c);
  if (!listing) return r.send(api::problem_response(listing.error()));
  const auto project = project_of(c);
  if (!project) return r.send(api::problem_response(project.error()));
  listing->projects = {*project};
  if (const std::string org(c.target.param("org")); !org.empty() && *project == core::nobody) {
    const auto of_org = loop_.ask([&](const core::World& w) {
      std::optional<std::vector<core::ProjectIx>> found;
      const auto ix = w.find_org(org);
      if (!ix) return found;
      found.emplace();
      for (core::ProjectIx p = 0; p < w.state().projects.size(); ++p)
        if (w.state().projects[p].org == *ix) found->push_back(p);
      return found;
    });
    if (!of_org)
      return r.send(
          api::problem_response({base::Code::not_found, "there is no org " + org, {}, {}, {}}));
    listing->projects = *of_org;
  }
  auto reader = store::open_meter_reader(options_.store);
  if (!reader)
    return r.send(
        api::problem_response({base::Code::unavailable, reader.error().message, {}, {}, {}}));
  std::vector<store::MeterEvent> page;
  std::optional<std::string> next;
  for (const core::ProjectIx p : listing->projects) {
    if (next || (p != core::nobody && p < listing->after.project)) continue;
    store::MeterQuery q = listing->query;
    q.project = p;
    if (p == listing->after.project || p == core::nobody) q.after = listing->after.place;
    const auto done = (*reader)->each(q, [&](const store::MeterEvent& e) {
      if (page.size() == listing->limit) {
        const store::MeterEvent& last = page.back();
        next = format_cursor(MeterCursor{last.project, {last.from, last.sequence}});
        return false;
      }
      page.push_back(e);
      return true;
    });
    if (!done)
      return r.send(
          api::problem_response({base::Code::unavailable, done.error().message, {}, {}, {}}));
  }
  r.send(json_response(loop_.ask([&](const core::World& w) {
    api::MeterEventList list;
    for (const store::MeterEvent& e : page) list.items.push_back(view_of(w, e));
    list.next_cursor = next;
    return base::to_json(list);
  })));
}

}  // namespace ampacity::server
