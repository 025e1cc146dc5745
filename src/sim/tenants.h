// Who asks the simulated cloud for things, over its API, as the command line would: tries again
// with the same Idempotency-Key until it is answered, and remembers what it was promised.
// Threads: fibres, outside the server's process.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/prng.h"
#include "sim/chaos_plan.h"
#include "sim/machine.h"

namespace ampacity::sim {

class Tenants {
 public:
  Tenants(const ChaosPlan& plan, Fibres& fibres, Machine& machine, Receivers& receivers,
          base::Prng& prng);

  void begin(base::Instant until);  // spawns them
  bool done() const { return busy_ == 0; }

  // What was acknowledged: must be there for ever.
  const std::set<std::string>& jobs() const { return jobs_; }
  const std::vector<std::string>& wrong() const { return wrong_; }
  std::uint64_t answers() const { return answers_; }

  // One request, tried until it is answered with something final; nothing: nobody answers.
  std::optional<net::Response> ask(const std::string& key, const std::string& method,
                                   const std::string& target, const std::string& body = "",
                                   const std::string& idempotency = "", int tries = 400);

 private:
  struct Tenant {
    std::string name, key;
    std::vector<std::string> jobs;
    std::map<std::string, std::pair<std::string, std::string>> sent;  // key -> body, job
    std::vector<std::string> hooks;                                   // webhooks, by id
    int next = 0;
  };
  std::optional<net::Response> ask_once(const net::Request& request);
  bool found(Tenant& t);
  void live(int number, base::Instant until);
  void operate(base::Instant until);
  void submit(Tenant& t);
  void again(Tenant& t);
  void poke(Tenant& t);
  void meter(Tenant& t);
  void submit_two_at_once(Tenant& t);
  void hook(Tenant& t);
  void add_hook(const std::string& key, const std::string& name, std::vector<std::string>* ids);
  void mend_hooks();
  std::string job_body(const Tenant& t);
  void expect(bool holds, const std::string& what);
  std::uint64_t below(std::uint64_t n) { return prng_.next() % n; }
  void pause();

  const ChaosPlan& plan_;
  Fibres& fibres_;
  Machine& machine_;
  Receivers& receivers_;
  base::Prng& prng_;
  std::set<std::string> jobs_;
  std::vector<std::string> wrong_;
  std::set<std::string> metered_;  // ids of events that were taken
  std::uint64_t answers_ = 0;
  int busy_ = 0, keys_ = 0;
};

}  // namespace ampacity::sim
