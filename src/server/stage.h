// What serves a world, in either role: the loop and everything around it. It follows, or leads,
// from its making; one that follows may come to lead, and never the other way round. Threads: the
// main one. 1. What reports to the loop ends before it; the destructor says the order.
#pragma once

#include <memory>
#include <vector>

#include "documents/payment_file.h"
#include "server/app.h"
#include "server/collector.h"
#include "server/engine_seat.h"
#include "server/inventory.h"
#include "server/parts.h"
#include "server/site_engines.h"
#include "server/webhooks.h"

namespace ampacity::server {

struct StageOptions {
  // All null where nobody else can lead.
  Leadership* leadership = nullptr;
  Forwarder* forwarder = nullptr;
  std::function<void(const std::string& why)> end_life;
  std::shared_ptr<SignInDesk> desk;
};

class Stage {
 public:
  // With a journal it leads, once begun; without, it follows.
  Stage(Parts& p, StageOptions options, const Secrets& secrets, core::World world,
        store::Journal* journal);
  ~Stage();

  Loop& loop() { return loop_; }
  App& app() { return app_; }

  // Of one that follows.
  void follow(net::HttpServer& server);
  // Starts the engine, begins the cloud, opens. A follower's world is at the journal's end.
  base::Result<void> lead(std::unique_ptr<documents::PaymentProvider> payments,
                          net::HttpServer& server, store::Journal& journal);
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::shared_ptr<engines::Engine> make_engine(const std::string& label) const;
  base::Result<Inventory> register_machine() const;
  engines::EngineReports reports();

  Parts& p_;
  const StageOptions options_;
  KeyRing keys_;
  EngineSeat engine_;
  Loop loop_;
  Live live_;
  Webhooks webhooks_;
  App app_;
  std::unique_ptr<SiteEngines> site_engines_;
  std::unique_ptr<Collector> collector_;
  std::vector<std::string> notes_;
};

}  // namespace ampacity::server
