#include "server/founding.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "api/price_file.h"
#include "core/price_book.h"
#include "server/catalogue.h"

namespace ampacity::server {

OwnerKey make_owner_key(const std::string& pepper, base::Clock& clock, base::Prng& prng) {
  NewKey made = make_key(pepper);
  OwnerKey k{{}, std::move(made.secret)};
  k.create.key.id = base::make_uuid7(clock.now(), prng);
  k.create.key.lookup = std::move(made.lookup);
  k.create.key.hash = std::move(made.hash);
  k.create.key.role = core::Role::owner;
  k.create.key.label = "made by ampacityd";
  return k;
}

namespace {

bool has_owner_key(const core::World& w) {
  for (const core::Key& k : w.state().keys)
    if (k.role == core::Role::owner && !k.revoked) return true;
  return false;
}

// The first start, or one after a first start that was cut short: accounts, prices, the operator's
// key. The key's file is there before the key is valid, so that it cannot be lost.
base::Result<void> found_cloud(const Config& c, Loop& loop, const KeyRing& keys, base::Clock& clock,
                               base::Prng& prng) {
  const bool founded = loop.ask([](const core::World& w) { return !w.state().accounts.empty(); });
  if (!founded)
    if (auto done = loop.run(core::Found{default_prices()}, "ampacityd"); !done) return done;
  if (loop.ask(has_owner_key)) return {};
  OwnerKey key = make_owner_key(keys.pepper(), clock, prng);
  if (!c.owner_key_file.empty()) {
    if (const auto written = write_private(c.owner_key_file, key.secret + "\n"); !written)
      return base::refuse(base::Code::unavailable, written.error().message);
  }
  if (auto created = loop.run(std::move(key.create), "ampacityd"); !created) return created;
  if (c.owner_key_file.empty())
    std::printf("The operator's key, shown this once:\n\n  %s\n\n", key.secret.c_str());
  std::fflush(stdout);
  return {};
}

base::Result<void> set_prices(const Config& c, Loop& loop) {
  std::ifstream in(c.prices);
  const std::string yaml((std::istreambuf_iterator<char>(in)), {});
  auto book = api::parse_price_file(yaml);
  if (!book) return std::unexpected(book.error());
  const bool known = loop.ask([&](const core::World& w) {
    // Without an instant of its own it is the one in force; else one that was set already.
    const auto is_it = [&](core::PriceBook set) {
      set.version = 0;
      set.sequence = 0;
      if (book->book.effective_from.us == 0) set.effective_from = {};
      if (set.org != core::nobody && w.state().orgs[set.org].name == book->org)
        set.org = core::nobody;
      return base::to_json(set) == base::to_json(book->book);
    };
    const auto& books = w.state().books;
    if (book->book.effective_from.us) return std::ranges::any_of(books, is_it);
    const auto org = w.find_org(book->org);
    const auto* set =
        core::book_in_force(books, org.value_or(core::nobody), book->book.currency, w.state().now);
    return set && is_it(*set);
  });
  if (known) return {};
  return loop.run(core::SetPrices{std::move(book->book), std::move(book->org)}, "ampacityd");
}

}  // namespace

base::Result<void> begin_cloud(Parts& p, Loop& loop, const KeyRing& keys, core::RegisterSite site) {
  if (auto founded = found_cloud(p.config, loop, keys, p.clock, p.prng); !founded) return founded;
  if (auto joined = loop.run(std::move(site), "ampacityd"); !joined) return joined;
  if (!p.config.prices.empty()) return set_prices(p.config, loop);
  return {};
}

}  // namespace ampacity::server
