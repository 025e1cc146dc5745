#include "server/offline.h"

#include <cstdio>

#include "audit/audit.h"
#include "core/step.h"
#include "server/backup.h"
#include "server/founding.h"
#include "store/copy.h"
#include "store/moved.h"

namespace ampacity::server {
namespace {

// Another owner's key, made while no server runs: for who has lost the first.
int add_owner_key(Parts& p) {
  auto opened = open_state(p.config);
  if (!opened) return give_up(opened.error().message);
  if (opened->world.state().accounts.empty())
    return give_up("this cloud was never started: the first start makes its key");
  OwnerKey key = make_owner_key(opened->secrets.pepper(), p.clock, p.prng);
  store::Rows rows;
  std::vector<core::Fact> facts;
  const std::uint64_t first = opened->world.state().sequence + 1;
  const auto done = core::step(opened->world, key.create, p.clock.now(), "ampacityd", facts,
                               [&](const core::World& before, const core::Fact& f,
                                   std::uint64_t n) { store::project(before, f, n, rows); });
  if (!done) return give_up(done.error().message);
  const store::Batch batch{first, facts, &rows, &opened->world.state(), {}, {}};
  if (const auto kept = opened->journal->append(batch); !kept) return give_up(kept.error().message);
  std::printf("%s\n", key.secret.c_str());
  return 0;
}

int copy_store(const Config& c) {
  const auto copied = store::copy_store(c.copy_from, c.copy_to);
  if (!copied) return give_up(copied.error().message);
  std::printf("%-20s %12s  %s\n", "table", "rows", "digest, of both");
  for (const store::CopiedTable& t : copied->tables)
    std::printf("%-20s %12llu  %s\n", t.name.c_str(), static_cast<unsigned long long>(t.rows),
                t.digest.substr(0, 16).c_str());
  std::printf(
      "equal: %llu facts, chain %s, world %s\n"
      "%s is marked as moved and starts no more\nnext: ampacityd --store %s\n",
      static_cast<unsigned long long>(copied->facts), copied->chain.substr(0, 16).c_str(),
      copied->world.substr(0, 16).c_str(), c.copy_from.name().c_str(), c.copy_to.name().c_str());
  return 0;
}

int reopen_store(const Config& c) {
  const auto went_to = store::reopen_store(c.copy_from);
  if (!went_to) return give_up(went_to.error().message);
  std::printf(
      "%s may be started again, as it was when it was copied\n"
      "never start %s beside it: they were one cloud\n",
      c.copy_from.name().c_str(), went_to->c_str());
  return 0;
}

int told(const base::Try<void>& done) { return done ? 0 : give_up(done.error().message); }

}  // namespace

int offline(Parts& p) {
  if (p.config.verb == Config::Verb::backup) return told(back_up(p.config, p.clock));
  if (p.config.verb == Config::Verb::restore) return told(restore(p.config));
  const store::StoreAt& store = p.config.store;
  if (p.config.verb == Config::Verb::store_copy) return copy_store(p.config);
  if (p.config.verb == Config::Verb::store_reopen) return reopen_store(p.config);
  if (p.config.verb == Config::Verb::owner_key) return add_owner_key(p);
  if (p.config.verb == Config::Verb::stop_engine) {
    // Holding the store's lock: a running server's containers are not taken from under it.
    const auto alone = store::open_journal(store);
    if (!alone) return give_up(alone.error().message);
    const auto label = engine_label(p.config, **alone);
    if (!label) return give_up(label.error().message);
    engines::stop_container_service(container_options(p.config, p.host, *label));
    std::printf(
        "every container and network of this cloud is gone; volumes, images and logs stay\n");
    return 0;
  }
  if (p.config.verb == Config::Verb::rebuild) {
    const auto r = store::rebuild_read_models(store);
    if (!r) return give_up(r.error().message);
    std::printf("%s: %llu facts, read models %s\n", r->before == r->after ? "equal" : "DIFFERENT",
                static_cast<unsigned long long>(r->facts), r->after.c_str());
    return r->before == r->after ? 0 : 1;
  }
  bool holds = true;
  for (const auto& f : audit::check_ledger(store)) {
    holds &= f.holds;
    std::printf("%s  %-55s %8lld  %s\n", f.holds ? "ok  " : "FAIL", f.check.c_str(),
                static_cast<long long>(f.examined), f.detail.c_str());
  }
  return holds ? 0 : 1;
}

}  // namespace ampacity::server
