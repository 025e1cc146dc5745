#include "server/webhooks.h"

#include <algorithm>
#include <utility>

#include "base/chaos.h"
#include "base/log.h"
#include "base/onward_clock.h"
#include "net/http_client.h"

namespace ampacity::server {
namespace {

constexpr std::size_t most_answer_bytes = 64 << 10;
constexpr std::int64_t growth = 4;
constexpr base::Duration idle_wait =
    base::Duration::seconds(1);  // also how late the clock's jumps are noticed

}  // namespace

std::string message_id(base::Id webhook, std::uint64_t sequence) {
  return "msg_" + base::format_bare_id(webhook) + "_" + std::to_string(sequence);
}

std::string shown_secret(std::string_view key) { return "whsec_" + base::to_base64(key); }

std::string signature_of(std::string_view key, std::string_view id, std::int64_t at_s,
                         std::string_view body) {
  std::string signed_text(id);
  signed_text.append(".").append(std::to_string(at_s)).append(".").append(body);
  const base::Digest d = base::hmac_sha256(key, signed_text);
  return "v1," + base::to_base64({reinterpret_cast<const char*>(d.data()), d.size()});
}

base::Duration delay_after(const WebhookOptions& o, std::int64_t attempts, std::uint64_t draw) {
  std::int64_t us = o.first_delay.us;
  for (std::int64_t i = 1; i < attempts && us < o.most_delay.us; ++i) us *= growth;
  us = std::min(us, o.most_delay.us);
  const std::int64_t fifth = std::max<std::int64_t>(us / 5, 1);
  return {us - fifth + static_cast<std::int64_t>(draw % static_cast<std::uint64_t>(2 * fifth))};
}

Webhooks::Webhooks(WebhookOptions options, Loop& loop, const Secrets& secrets, base::Clock& clock,
                   base::Prng& prng)
    : options_(std::move(options)), loop_(loop), secrets_(secrets), clock_(clock), prng_(prng) {}

Webhooks::~Webhooks() { stop(); }

void Webhooks::start(const std::vector<core::Webhook>& hooks) {
  const base::Guard lock(mutex_);
  for (const core::Webhook& hook : hooks) endpoints_[hook.id].hook = hook;
  for (std::size_t i = 0; i < options_.most_at_once; ++i) threads_.emplace_back([this] { work(); });
}

// What waited when the server stopped.
base::Try<void> Webhooks::load() {
  auto reader = store::DeliveryReader::open(options_.store);
  if (!reader) return std::unexpected(reader.error());
  const auto waiting = reader->waiting();
  const auto last = reader->last_delivered();
  const base::Guard lock(mutex_);
  for (const auto& w : waiting) {
    const auto at = endpoints_.find(w.webhook);
    const bool announced = announced_ > 0 && w.sequence >= announced_;
    if (at == endpoints_.end() || announced || base::planted("webhooks-forgotten")) continue;
    at->second.due.emplace(w.next_at, w.sequence);
  }
  for (const auto& [webhook, success] : last)
    if (const auto at = endpoints_.find(webhook); at != endpoints_.end())
      at->second.last_success = std::max(at->second.last_success, success);
  return {};
}

// One of them does; if the store cannot be asked, again a little later.
void Webhooks::load_when_due(base::Lock& lock) {
  if (loaded_ || clock_.now() < load_at_) return;
  loaded_ = true;
  lock.unlock();
  const auto done = load();
  lock.lock();
  if (done) return wake_.notify_all();
  PROBE("webhooks: what waited is not known");
  base::log_warn("webhooks: what waited is read again later: {}", done.error().message);
  loaded_ = false;
  load_at_ = clock_.now() + options_.first_delay;
}

void Webhooks::stop() {
  {
    const base::Guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& t : threads_)
    if (t.joinable()) t.join();
}

void Webhooks::announce(const Published& published) {
  bool changed = false;
  const base::Guard lock(mutex_);
  for (const core::Fact& fact : published.facts) {
    if (const auto* added = std::get_if<core::WebhookAdded>(&fact.body)) {
      endpoints_[added->webhook.id].hook = added->webhook;
    } else if (const auto* gone = std::get_if<core::WebhookRemoved>(&fact.body)) {
      endpoints_.erase(gone->webhook);
    } else if (const auto* s = std::get_if<core::WebhookSwitched>(&fact.body)) {
      if (const auto at = endpoints_.find(s->webhook); at != endpoints_.end()) {
        at->second.hook.enabled = s->enabled;
        if (s->enabled) at->second.last_success = fact.at;  // it has another day
        changed = true;
      }
    }
  }
  for (const auto& d : published.deliveries)
    if (const auto at = endpoints_.find(d.webhook); at != endpoints_.end()) {
      at->second.due.emplace(d.next_at, d.sequence);
      if (announced_ == 0) announced_ = d.sequence;
      changed = true;
    }
  if (changed) wake_.notify_all();
}

// The endpoint with the fewest on the way, of them the one that waits longest. Waits if there is
// none; nothing: it is over, or worth another look.
std::optional<Webhooks::Job> Webhooks::next(base::Lock& lock) {
  const Instant now = clock_.now();
  Endpoint* best = nullptr;
  std::optional<Instant> soonest;
  for (auto& [id, e] : endpoints_) {
    if (!e.hook.enabled || e.due.empty() || e.flying >= options_.most_for_one) continue;
    const Instant due = e.due.begin()->first;
    if (due > now) {
      soonest = soonest ? std::min(*soonest, due) : due;
      continue;
    }
    const auto key = [](const Endpoint& x) { return std::pair(x.flying, x.due.begin()->first); };
    if (!best || key(e) < key(*best)) best = &e;
  }
  if (!best) {
    base::Duration wait = idle_wait;
    if (soonest) wait = std::min(wait, *soonest - now);
    (void)wake_.wait_for(lock, wait);
    return std::nullopt;
  }
  Job job{best->hook, best->due.begin()->second};
  best->due.erase(best->due.begin());
  ++best->flying;
  return job;
}

void Webhooks::work() {
  base::Lock lock(mutex_);
  while (!stopping_) {
    load_when_due(lock);
    const auto job = next(lock);
    if (!job) continue;
    lock.unlock();
    // Each with its own: a database may have failed over since the last one.
    std::string fault;
    if (auto reader = store::DeliveryReader::open(options_.store); !reader)
      fault = std::move(reader.error().message);
    else if (auto row = reader->find(job->hook.id, job->sequence); !row)
      fault = std::move(row.error().message);
    else
      attempt(*job, *row);
    lock.lock();
    if (fault.empty()) continue;
    base::log_warn("webhooks: {}", fault);
    if (const auto at = endpoints_.find(job->hook.id); at != endpoints_.end()) {
      --at->second.flying;
      at->second.due.emplace(clock_.now() + options_.first_delay, job->sequence);
    }
  }
}

base::Result<void> Webhooks::check(const std::string& url) const {
  const auto destination = net::parse_destination(url, options_.reach);
  if (!destination) return std::unexpected(destination.error());
  return {};
}

Webhooks::Sent Webhooks::send(const core::Webhook& hook, const std::string& id,
                              const std::string& body) {
  const auto to = net::parse_destination(hook.url, options_.reach);
  if (!to) return {false, false, 0, to.error().message};
  const auto address = net::address_of(*to, options_.reach, options_.resolver);
  if (!address) return {false, false, 0, address.error().message};
  // Receivers compare it with their own clocks: the wall's time, also where ours runs ahead.
  const std::int64_t at_s = (clock_.now() - base::ahead_of_wall(clock_)).us / 1'000'000;
  net::Request request;
  request.method = "POST";
  request.target = to->target;
  request.body = body;
  request.headers = {
      {"Content-Type", "application/json"},
      {"User-Agent", "Ampacity-Webhooks/1"},
      {"webhook-id", id},
      {"webhook-timestamp", std::to_string(at_s)},
      {"webhook-signature", signature_of(secrets_.webhook_key(hook.id), id, at_s, body)}};
  net::CallOptions call;
  call.timeout = options_.timeout;
  call.connect_timeout = options_.timeout;
  call.max_body_bytes = most_answer_bytes;
  call.only_address = net::format_address(*address);
  call.cancel = &stopping_;
  std::size_t read = 0;
  const auto some_of_it = [&](std::string_view bytes) {
    return (read += bytes.size()) <= most_answer_bytes;
  };
  const auto receiver = options_.connect({to->base_url(), {}});
  const auto answer = receiver->stream(request, some_of_it, call);
  const int status = answer ? answer->status : answer.error().status;
  if (status / 100 == 2 && answer) return {true, false, status, {}};
  if (answer || status) return {false, status == 410, status, "answered " + std::to_string(status)};
  return {false, false, 0, answer.error().message.substr(0, 300)};
}

void Webhooks::attempt(const Job& job, const std::optional<store::Delivery>& delivery) {
  if (!delivery || delivery->state != store::DeliveryState::waiting) {  // pruned meanwhile
    const base::Guard lock(mutex_);
    if (const auto at = endpoints_.find(job.hook.id); at != endpoints_.end()) --at->second.flying;
    return;
  }
  const Sent sent = send(job.hook, message_id(job.hook.id, job.sequence), delivery->body);
  if (stopping_ && !sent.ok) return;  // not its fault: it goes on after the start
  store::Attempt result = judge(*delivery, sent);
  Instant last_success;
  {
    const base::Guard lock(mutex_);
    if (const auto at = endpoints_.find(job.hook.id); at != endpoints_.end())
      last_success = at->second.last_success;
  }
  if (sent.gone)
    switch_off(job.hook.id, "it answered 410: nobody is there any more");
  else if (result.state == store::DeliveryState::given_up && last_success < delivery->created_at)
    switch_off(job.hook.id, "nothing got through for too long; the last time: " + result.why);
  note(std::move(result));
}

store::Attempt Webhooks::judge(const store::Delivery& d, const Sent& sent) {
  const Instant now = clock_.now();
  store::Attempt a{d.webhook,   d.sequence, store::DeliveryState::waiting, d.attempts + 1, {}, {},
                   sent.status, sent.why};
  if (sent.ok || (base::planted("failure-is-delivery") && sent.status == 500)) {
    a.state = store::DeliveryState::delivered;
    a.done_at = now;
    return a;
  }
  std::uint64_t draw = 0;
  {
    const base::Guard lock(mutex_);
    draw = prng_.next();
  }
  PROBE("webhooks: again later");
  a.next_at = now + delay_after(options_, a.attempts, draw);
  if (sent.gone || a.attempts >= options_.most_attempts ||
      a.next_at > d.created_at + options_.most_age) {
    PROBE("webhooks: given up");
    a.state = store::DeliveryState::given_up;
    a.done_at = now;
  }
  return a;
}

void Webhooks::note(store::Attempt attempt) {
  Work work;
  work.actor = "webhooks";
  // Where it could not be written down it is as if nobody had been asked: told again, soon.
  auto refused = std::make_shared<bool>(false);
  work.refused = [refused](const base::Refusal&) { *refused = true; };
  work.after_commit = [this, attempt, refused]() mutable {
    if (*refused && !base::planted("attempt-forgotten")) {
      PROBE("webhooks: an attempt is not written");
      attempt.state = store::DeliveryState::waiting;
      attempt.next_at = clock_.now() + options_.first_delay;
    }
    landed(attempt);
  };
  work.attempt = std::move(attempt);
  loop_.push(std::move(work));
}

void Webhooks::landed(const store::Attempt& a) {
  const base::Guard lock(mutex_);
  const auto at = endpoints_.find(a.webhook);
  if (at == endpoints_.end()) return;
  Endpoint& e = at->second;
  --e.flying;
  if (a.state == store::DeliveryState::delivered)
    e.last_success = std::max(e.last_success, a.done_at);
  if (a.state == store::DeliveryState::waiting) e.due.emplace(a.next_at, a.sequence);
  wake_.notify_all();
}

void Webhooks::switch_off(base::Id webhook, const std::string& why) {
  PROBE("webhooks: switched off");
  Work work;
  work.command = core::SwitchWebhook{webhook, false, why};
  work.actor = "webhooks";
  loop_.push(std::move(work));
}

}  // namespace ampacity::server
