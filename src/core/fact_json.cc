#include <array>

#include "core/facts.h"
#include "core/price_book.h"

namespace ampacity::core {
namespace {

// In the order of FactBody. A name is for ever.
constexpr std::array<std::string_view, std::variant_size_v<FactBody>> kinds = {
    "account_opened", "site_added",      "sku_defined",      "node_joined",      "node_changed",
    "org_created",    "project_created", "user_created",     "key_created",      "key_revoked",
    "prices_set",     "credit_added",    "credit_low",       "job_submitted",    "lease_granted",
    "rank_started",   "rank_ended",      "stop_ordered",     "leases_settled",   "lease_closed",
    "job_ended",      "quota_set",       "weight_set",       "policy_set",       "window_opened",
    "window_changed", "issuer_set",      "billing_set",      "credit_line_set",  "contract_signed",
    "contract_ended", "line_added",      "invoice_issued",   "payment_recorded", "period_sealed",
    "claim_made",     "claim_dropped",   "promise_made",     "promise_dropped",  "checkpoint_noted",
    "spot_repriced",  "budget_set",      "budget_removed",   "budget_crossed",   "budgets_turned",
    "webhook_added",  "webhook_removed", "webhook_switched", "transfers_posted", "reserves_expired",
    "site_changed",   "site_contact",    "volume_forgotten", "session_opened",   "session_closed"};

template <std::size_t I = 0>
bool emplace_body(std::string_view kind, const boost::json::value& from, FactBody& to,
                  base::JsonReader& reader) {
  if constexpr (I < std::variant_size_v<FactBody>) {
    if (kinds[I] == kind) {
      reader.read(from, to.emplace<I>(), "body");
      return true;
    }
    return emplace_body<I + 1>(kind, from, to, reader);
  } else {
    return false;
  }
}

struct FactHead {
  std::string kind;
  std::int64_t v = 0;
  Instant at;
  std::string actor;
};
BOOST_DESCRIBE_STRUCT(FactHead, (), (kind, v, at, actor))

// Price books were five numbers and a list of SKUs before they had rules.
struct PlainSku {
  std::string sku;
  Ticks on_demand = 0;
  Ticks spot = 0;
};
BOOST_DESCRIBE_STRUCT(PlainSku, (), (sku, on_demand, spot))
struct PlainBook {
  std::vector<PlainSku> gpus;
  Ticks vcpu = 0, gib = 0, cpu_vcpu = 0, cpu_gib = 0;
};
BOOST_DESCRIBE_STRUCT(PlainBook, (), (gpus, vcpu, gib, cpu_vcpu, cpu_gib))

void lift_book(const boost::json::value& body, PriceBook& book, base::JsonReader& reader) {
  const auto* from = body.is_object() ? body.get_object().if_contains("book") : nullptr;
  if (!from || !book.rules.empty()) return;
  PlainBook old;
  reader.read(*from, old, "body.book");
  std::vector<SkuPrice> gpus;
  for (const PlainSku& p : old.gpus) gpus.push_back({p.sku, p.on_demand, p.spot});
  book.rules = plain_book({}, {}, gpus, old.vcpu, old.gib, old.cpu_vcpu, old.cpu_gib).rules;
}

}  // namespace

std::string_view kind_of(const Fact& fact) { return kinds[fact.body.index()]; }

Id job_of(const Fact& fact) {
  return std::visit(
      [](const auto& body) -> Id {
        using Body = std::remove_cvref_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, JobSubmitted>)
          return body.job.id;
        else if constexpr (requires {
                             { body.job } -> std::convertible_to<Id>;
                           })
          return body.job;
        else
          return Id{};
      },
      fact.body);
}

void write_fact(std::string& out, const Fact& fact) {
  out += "{\"kind\":\"";
  out += kind_of(fact);
  out += "\",\"v\":1,\"at\":";
  base::write_json(out, fact.at);
  out += ",\"actor\":";
  base::write_json(out, fact.actor);
  out += ",\"body\":";
  std::visit([&](const auto& body) { base::write_json<base::JsonFields::sparse>(out, body); },
             fact.body);
  out += '}';
}

base::Result<Fact> read_fact(const boost::json::value& value) {
  base::JsonReader reader;
  reader.allow_unknown = true;  // a field that a newer release added
  reader.defaults_for_missing = true;
  FactHead head;
  reader.read(value, head, "");
  Fact fact{head.at, head.actor, {}};
  const auto* body = value.is_object() ? value.get_object().if_contains("body") : nullptr;
  if (!body)
    reader.wrong.push_back({"body", "is required"});
  else if (head.v != 1)
    reader.wrong.push_back({"v", "is a version this release cannot lift"});
  else if (!emplace_body(head.kind, *body, fact.body, reader))
    reader.wrong.push_back({"kind", "'" + head.kind + "' is not a fact this release knows"});
  else if (auto* set = std::get_if<PricesSet>(&fact.body))
    lift_book(*body, set->book, reader);
  if (!reader.wrong.empty()) return std::unexpected(base::refusal_of(std::move(reader.wrong)));
  return fact;
}

}  // namespace ampacity::core
