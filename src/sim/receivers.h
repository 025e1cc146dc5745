// Those who are told by webhooks: endpoints on a simulated Internet, with faults. They check what
// they get as the Standard Webhooks specification has receivers do, and keep it for the auditors.
// Threads: fibres, outside the server's process. 1. Nothing of the server is asked: only what came.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "net/destination.h"
#include "net/http_client.h"
#include "sim/fibres.h"

namespace ampacity::sim {

// Of 1,000 attempts; zero outside the safety phase.
struct ReceiverFaults {
  std::uint32_t unreachable = 0;
  std::uint32_t failing = 0;     // answers 500
  std::uint32_t reply_lost = 0;  // taken, and the answer never came
  std::uint32_t gone = 0;        // answers 410, from then on
  base::Duration slowest = base::Duration::millis(200);
};

class Receivers {
 public:
  explicit Receivers(base::Prng& prng) : prng_(prng) {}

  ReceiverFaults faults;
  std::function<base::Instant()> senders_clock;  // the wall's, where it sends from
  void heal() { faults = {}; }

  net::Connector connector();
  static net::Resolver resolver();
  static std::string url(const std::string& name) { return "https://hooks.example/" + name; }

  void knows(const std::string& name, const std::string& secret) { secrets_[name] = secret; }

  // ---- what came
  // ----------------------------------------------------------------------------
  struct Told {
    std::string body;
    // An attempt that reached nobody failed, too; one that was taken may still fail.
    int attempts = 0, failed = 0, taken = 0, answered = 0;
  };
  // By "msg_…" id, of one endpoint by the name in its URL.
  const std::map<std::string, Told>& told(const std::string& name) const;
  bool is_gone(const std::string& name) const { return gone_.contains(name); }
  const std::vector<std::string>& wrong() const { return wrong_; }
  std::uint64_t taken() const { return taken_; }

 private:
  friend class ReceiverTransport;
  base::Try<net::Response> take(const net::Request& request);
  void check(const std::string& name, const net::Request& request);
  base::Duration age(const net::Request& request) const;  // by its own timestamp
  bool drawn(std::uint32_t of_1000) { return of_1000 > 0 && prng_.next() % 1000 < of_1000; }
  void note(bool holds, const std::string& what);

  base::Prng& prng_;
  std::map<std::string, std::map<std::string, Told>> told_;
  std::map<std::string, std::string> secrets_;  // by the name in the URL; "whsec_…"
  std::set<std::string> gone_;
  std::vector<std::string> wrong_;
  std::uint64_t taken_ = 0;
};

}  // namespace ampacity::sim
