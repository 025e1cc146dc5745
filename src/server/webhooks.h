// Sends what webhooks are to be told: signed, retried, each endpoint for itself.
//
//   loop: fact and row in one commit ─announce─▶ due ─a worker─▶ POST ─▶ loop: what became of it
//                                                 ▲                        │ waits: again later
//                                                 └────────────────────────┘
// Threads: `most_at_once` workers of its own; announce() comes from the loop and does not block.
// 1. At least once: a row waits until an answer of 2xx is durable; the id is the same every time,
// and receivers drop what they know. Order is not promised. 2. Nothing is sent but to public
// addresses over https (net/destination.h), no redirect is followed, no answer's body is kept.
// 3. Bounded: attempts, age, time and bytes of an answer, at once in all and for one endpoint.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "base/threads.h"
#include "net/destination.h"
#include "net/http_client.h"
#include "server/loop.h"
#include "store/deliveries.h"

namespace ampacity::server {

struct WebhookOptions {
  store::StoreAt store;
  net::Reach reach = net::Reach::public_only;
  net::Resolver resolver = net::resolve;
  net::Connector connect = net::dial;
  base::Duration timeout = base::Duration::seconds(10);  // of one attempt
  base::Duration first_delay = base::Duration::seconds(5);
  base::Duration most_delay = base::Duration::seconds(8 * 3600);
  base::Duration most_age = base::Duration::seconds(24 * 3600);
  std::int64_t most_attempts = 20;
  std::size_t most_at_once = 8;
  std::size_t most_for_one = 2;
};

// "msg_<webhook>_<sequence>": what receivers tell repeats by.
std::string message_id(base::Id webhook, std::uint64_t sequence);
// "whsec_…": shown once.
std::string shown_secret(std::string_view key);
// The value of webhook-signature, by the Standard Webhooks specification.
std::string signature_of(std::string_view key, std::string_view id, std::int64_t at_s,
                         std::string_view body);
// How long until the attempt after `attempts` of them: four times as long each, ± a fifth by the
// draw, so that what failed together does not come back together.
base::Duration delay_after(const WebhookOptions& options, std::int64_t attempts,
                           std::uint64_t draw);

class Webhooks {
 public:
  Webhooks(WebhookOptions options, Loop& loop, const Secrets& secrets, base::Clock& clock,
           base::Prng& prng);
  ~Webhooks();

  // Before the loop runs: those there are, and what waited when the server stopped.
  void start(const std::vector<core::Webhook>& hooks);
  void stop();
  void announce(const Published& published);

  struct Sent {
    bool ok = false;
    bool gone = false;  // 410: nobody is there any more
    int status = 0;
    std::string why;
  };
  // Sends at once, on the caller's thread.
  Sent send(const core::Webhook& hook, const std::string& id, const std::string& body);
  // What a URL may be here.
  base::Result<void> check(const std::string& url) const;
  std::string secret_of(base::Id webhook) const { return secrets_.webhook_key(webhook); }

 private:
  struct Endpoint {
    core::Webhook hook;
    std::set<std::pair<Instant, std::uint64_t>> due;  // (when, sequence)
    std::size_t flying = 0;
    Instant last_success;
  };
  struct Job {
    core::Webhook hook;
    std::uint64_t sequence = 0;
  };
  void work();
  base::Try<void> load();
  void load_when_due(base::Lock& lock);
  std::optional<Job> next(base::Lock& lock);
  void attempt(const Job& job, const std::optional<store::Delivery>& delivery);
  store::Attempt judge(const store::Delivery& delivery, const Sent& sent);
  void note(store::Attempt attempt);
  void landed(const store::Attempt& attempt);
  void switch_off(base::Id webhook, const std::string& why);

  const WebhookOptions options_;
  Loop& loop_;
  const Secrets& secrets_;
  base::Clock& clock_;
  base::Prng& prng_;  // by mutex_
  base::Mutex mutex_;
  base::Condition wake_;
  std::map<base::Id, Endpoint> endpoints_;
  bool loaded_ = false;          // what waited at the start is due
  Instant load_at_;              // when the next one tries to
  std::uint64_t announced_ = 0;  // the first sequence that announce() made due
  std::atomic<bool> stopping_{false};
  std::vector<base::Thread> threads_;
};

}  // namespace ampacity::server
