#include "sim/tenants.h"

#include <fmt/core.h>

#include <boost/json.hpp>
#include <memory>

#include "base/threads.h"

namespace ampacity::sim {
namespace {

constexpr base::Duration tenant_patience = base::Duration::seconds(30);

std::string field(const std::string& body, std::string_view name) {
  boost::system::error_code bad;
  const auto v = boost::json::parse(body, bad);
  if (bad || !v.is_object()) return {};
  const auto* at = v.as_object().if_contains(name);
  return at && at->is_string() ? std::string(at->as_string()) : std::string();
}

}  // namespace

Tenants::Tenants(const ChaosPlan& plan, Fibres& fibres, Machine& machine, Receivers& receivers,
                 base::Prng& prng)
    : plan_(plan), fibres_(fibres), machine_(machine), receivers_(receivers), prng_(prng) {}

void Tenants::expect(bool holds, const std::string& what) {
  if (!holds && wrong_.size() < 20) wrong_.push_back(what);
}

void Tenants::pause() {
  const auto most = static_cast<std::uint64_t>(2 * plan_.between_requests.us);
  base::sleep_for({static_cast<std::int64_t>(below(most))});
}

std::optional<net::Response> Tenants::ask_once(const net::Request& request) {
  struct Slot {
    std::optional<net::Response> answer;
  };
  auto slot = std::make_shared<Slot>();
  if (!machine_.open()) return std::nullopt;
  machine_.ask(request, [slot](net::Response r) {
    slot->answer = std::move(r);
    if (base::scheduler) base::scheduler->wake(slot.get());
  });
  const int life = machine_.lives();
  const base::Instant give_up = fibres_.now() + tenant_patience;
  while (!slot->answer && fibres_.now() < give_up && machine_.lives() == life)
    (void)base::scheduler->park(slot.get(), base::Duration::seconds(5));
  return slot->answer;
}

std::optional<net::Response> Tenants::ask(const std::string& key, const std::string& method,
                                          const std::string& target, const std::string& body,
                                          const std::string& idempotency, int tries) {
  net::Request request{method, target, {{"Authorization", "Bearer " + key}}, body};
  if (!idempotency.empty()) request.headers.push_back({"Idempotency-Key", idempotency});
  for (int i = 0; i < tries; ++i) {
    auto answer = ask_once(request);
    if (answer && answer->status != 503 && answer->status != 507 && answer->status != 429 &&
        answer->status < 500) {
      ++answers_;
      return answer;
    }
    base::sleep_for(base::Duration::millis(500 + static_cast<std::int64_t>(below(4'000))));
  }
  return std::nullopt;
}

void Tenants::begin(base::Instant until) {
  for (int i = 0; i < plan_.tenants; ++i) {
    ++busy_;
    fibres_.spawn_in(Fibres::outside, [this, i, until] {
      live(i, until);
      --busy_;
    });
  }
  ++busy_;
  fibres_.spawn_in(Fibres::outside, [this, until] {
    operate(until);
    --busy_;
  });
}

// The operator makes the tenant a customer.
bool Tenants::found(Tenant& t) {
  while (machine_.owner_key().empty()) base::sleep_for(base::Duration::seconds(1));
  const auto made = [&](const std::string& target, const std::string& body) {
    const auto r = ask(machine_.owner_key(), "POST", target, body, t.name + target);
    expect(r && (r->status == 201 || r->status == 409),
           "I9 founding " + t.name + " at " + target + (r ? ": " + r->body : ": no answer"));
    return r;
  };
  made("/v1/orgs", fmt::format(R"({{"name":"{}"}})", t.name));
  made("/v1/projects", fmt::format(R"({{"name":"{0}","org":"{0}"}})", t.name));
  made("/v1/users", fmt::format(R"({{"name":"{0}","org":"{0}"}})", t.name));
  made("/v1/credits", fmt::format(R"({{"project":"{}","amount":"{}"}})", t.name, plan_.credit_usd));
  if (below(2) == 0)
    (void)ask(machine_.owner_key(), "PUT", "/v1/projects/" + t.name + "/quota",
              fmt::format(R"({{"gpus":{{"any":"{}"}}}})", 2 + below(12)), "");
  // A key's secret is shown once: where its answer was lost, another is made.
  for (int i = 0; i < 20 && t.key.empty(); ++i) {
    const auto key = ask(machine_.owner_key(), "POST", "/v1/keys",
                         fmt::format(R"({{"project":"{0}","user":"{0}"}})", t.name),
                         fmt::format("{}-key-{}", t.name, i));
    if (key && key->status == 201) t.key = field(key->body, "secret");
    if (!t.key.starts_with("amp_")) t.key.clear();
  }
  return !t.key.empty();
}

std::string Tenants::job_body(const Tenant& t) {
  const std::uint64_t kind = below(10);
  std::string resources = R"("cpus":"1","memory":"1GiB")";
  if (kind < 8) resources = fmt::format(R"("gpus":"h100:{}")", 1 + below(8));
  if (kind < 2) resources = fmt::format(R"("gpus":"h100:{}x2")", 1 + below(8));
  if (kind == 7) resources = R"("gpus":"h100:1","gpu_share":"0.25")";
  const std::uint64_t retries = below(3), grace_s = below(40);  // one draw after the other
  std::string body = fmt::format(R"({{"image":"localhost/ampacity-tiny","name":"{}-{}",)"
                                 R"("resources":{{{}}},"grace":"{}s","retries":{})",
                                 t.name, t.next, resources, grace_s, retries);
  if (below(3) == 0) body += R"(,"job_class":"spot")";
  if (below(3) == 0) body += fmt::format(R"(,"time":"{}s")", 20 + below(400));
  if (below(4) == 0) body += R"(,"volumes":["data:/data"])";
  if (below(6) == 0) body += R"(,"image":"registry.example/made/up:1")";
  if (!plan_.sites.empty()) {  // no draws where there are none
    if (below(2) == 0) body += R"(,"if_site_lost":"move")";
    const auto where = below(plan_.sites.size() + 4);
    if (where < plan_.sites.size())
      body += fmt::format(R"(,"placement":{{"sites":["{}"]}})", plan_.sites[where]);
  }
  return body + "}";
}

void Tenants::submit(Tenant& t) {
  ++t.next;
  const std::string key = fmt::format("{}-job-{}", t.name, ++keys_);
  const std::string body = job_body(t);
  const auto r = ask(t.key, "POST", "/v1/jobs", body, key);
  if (!r || r->status != 201) return;  // refused: quota, credit; or nobody there
  const std::string id = field(r->body, "id");
  expect(jobs_.insert(id).second, "I16 two submissions made one job: " + id);
  t.jobs.push_back(id);
  t.sent[key] = {body, id};
}

// The same key and body once more: the same answer; another body: refused.
void Tenants::again(Tenant& t) {
  if (t.sent.empty()) return;
  auto it = t.sent.begin();
  std::advance(it, static_cast<std::ptrdiff_t>(below(t.sent.size())));
  const auto [body, job] = it->second;
  const auto same = ask(t.key, "POST", "/v1/jobs", body, it->first);
  if (same)
    expect(same->status == 201 && field(same->body, "id") == job,
           fmt::format("I16 a repeat of {} was answered {} {}", job, same->status,
                       field(same->body, "id")));
  const auto other = ask(t.key, "POST", "/v1/jobs", job_body(t), it->first);
  if (other && other->status == 201)
    expect(field(other->body, "id") == job, "I16 one key made two jobs: " + it->first);
}

void Tenants::poke(Tenant& t) {
  if (t.jobs.empty()) return;
  const std::string job = t.jobs[below(t.jobs.size())];
  const auto seen = ask(t.key, "GET", "/v1/jobs/" + job);
  if (seen) expect(seen->status == 200, fmt::format("I9 {} is gone: {}", job, seen->body));
  switch (below(4)) {
    case 0:
      (void)ask(t.key, "POST", "/v1/jobs/" + job + "/stop");
      break;
    case 1:
      (void)ask(t.key, "POST", "/v1/jobs/" + job + "/checkpoint");
      break;
    case 2:
      (void)ask(t.key, "GET", "/v1/jobs/" + job + "/receipt");
      break;
    default:
      (void)ask(t.key, "GET", "/v1/jobs/" + job + "/why");
  }
}

// What was taken once is never taken again, for ever.
void Tenants::meter(Tenant& t) {
  const std::string id = fmt::format("{}-{}", t.name, below(12));
  const auto r =
      ask(t.key, "POST", "/v1/meter-events",
          fmt::format(R"({{"specversion":"1.0","id":"{}","source":"/{}","type":"tokens",)"
                      R"("time":"2026-11-22T00:00:00Z","data":{{"quantity":"7"}}}})",
                      id, t.name));
  if (!r) return;
  expect(r->status == 200, "a metered event was refused: " + r->body);
  if (r->status != 200) return;
  const bool accepted = r->body.find("\"accepted\":1") != std::string::npos;
  expect(!accepted || !metered_.contains(id), "I13 a metered event counts twice: " + id);
  metered_.insert(id);
}

// Both at the same instant: a quota's last unit is for one of them.
void Tenants::submit_two_at_once(Tenant& t) {
  auto over = std::make_shared<int>(0);
  for (int i = 0; i < 2; ++i)
    fibres_.spawn_in(Fibres::outside, [this, &t, over] {
      submit(t);
      ++*over;
      base::scheduler->wake(over.get());
    });
  while (*over < 2) (void)base::scheduler->park(over.get(), std::nullopt);
}

void Tenants::add_hook(const std::string& key, const std::string& name,
                       std::vector<std::string>* ids) {
  constexpr const char* events[] = {"", R"("job.ended")", R"("job.submitted","job.ended")"};
  const auto r =
      ask(key, "POST", "/v1/webhooks",
          fmt::format(R"({{"url":"{}","events":[{}]}})", Receivers::url(name), events[below(3)]),
          name + "-hook");
  expect(r && r->status == 201, "a webhook was refused: " + (r ? r->body : "no answer"));
  if (!r || r->status != 201) return;
  if (ids) ids->push_back(field(r->body, "id"));
  if (const std::string secret = field(r->body, "secret"); !secret.empty())
    receivers_.knows(name, secret);
}

void Tenants::hook(Tenant& t) {
  if (t.hooks.empty() || (t.hooks.size() < 3 && below(3) == 0))
    return add_hook(t.key, fmt::format("{}-{}", t.name, t.hooks.size()), &t.hooks);
  const std::string path = "/v1/webhooks/" + t.hooks[below(t.hooks.size())];
  switch (below(4)) {
    case 0:
      (void)ask(t.key, "POST", path + "/test");
      break;
    case 1:
      (void)ask(t.key, "POST", path + "/enable");
      break;
    case 2:
      if (below(4) == 0) (void)ask(t.key, "DELETE", path);
      break;
    default:
      (void)ask(t.key, "GET", path + "/deliveries");
  }
}

// What was switched off meanwhile is switched on again.
void Tenants::mend_hooks() {
  const auto r = ask(machine_.owner_key(), "GET", "/v1/webhooks");
  boost::system::error_code bad;
  const auto list = r ? boost::json::parse(r->body, bad) : boost::json::value();
  if (bad || !list.is_object() || !list.as_object().contains("items")) return;
  for (const auto& item : list.at("items").as_array())
    if (!item.at("enabled").as_bool())
      (void)ask(machine_.owner_key(), "POST",
                "/v1/webhooks/" + std::string(item.at("id").as_string()) + "/enable");
}

void Tenants::live(int number, base::Instant until) {
  Tenant t;
  t.name = fmt::format("tenant-{}", number);
  if (!found(t)) return expect(machine_.died_of().empty(), "no key for " + t.name);
  while (fibres_.now() < until) {
    pause();
    const std::uint64_t what = below(22);
    if (what < 9)
      submit(t);
    else if (what < 11)
      submit_two_at_once(t);
    else if (what > 19)
      hook(t);
    else if (what < 13)
      again(t);
    else if (what < 18)
      poke(t);
    else
      meter(t);
  }
  // Most often after all is healed: nothing excuses then who is not stopped.
  for (int i = 0; i < 2 && !t.jobs.empty(); ++i)
    (void)ask(t.key, "POST",
              "/v1/jobs/" +
                  t.jobs[t.jobs.size() - 1 - below(std::min<std::size_t>(t.jobs.size(), 4))] +
                  "/stop");
}

void Tenants::operate(base::Instant until) {
  while (machine_.owner_key().empty()) base::sleep_for(base::Duration::seconds(1));
  const std::string key = machine_.owner_key();
  (void)ask(key, "PATCH", "/v1/policy", fmt::format(R"({{"quantum_s":{}}})", plan_.quantum_s));
  if (below(2) == 0) add_hook(key, "operator", nullptr);
  std::set<std::string> cordoned;
  const auto set_node = [&](const std::string& node, const char* state) {
    (void)ask(key, "PATCH", "/v1/nodes/" + node, fmt::format(R"({{"state":"{}"}})", state));
  };
  while (fibres_.now() < until) {
    for (int i = 0; i < 4; ++i) pause();
    const std::string node = fmt::format("emulated-h100-{}", 1 + below(3));
    switch (below(4)) {
      case 0:
        set_node(node, "cordoned");
        cordoned.insert(node);
        break;
      case 1:
        set_node(node, "active");
        cordoned.erase(node);
        break;
      case 2:
        (void)ask(key, "POST", "/v1/credits",
                  fmt::format(R"({{"project":"tenant-0","amount":"{}"}})", 1 + below(50)),
                  fmt::format("credit-{}", ++keys_));
        break;
      default: {
        const auto r = ask(key, "GET", "/v1/ledger/check");
        if (r) expect(r->body.find("\"holds\":false") == std::string::npos, "I12 " + r->body);
      }
    }
  }
  for (const std::string& node : cordoned) set_node(node, "active");
  mend_hooks();
}

}  // namespace ampacity::sim
