// The placement index against brute force: feasibility, choice, accounting, and its own rebuild.
#include "core/packer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <tuple>

#include "base/prng.h"
#include "core/packer_mig.h"

namespace ampacity::core {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr int slower = 20;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr int slower = 20;
#else
constexpr int slower = 1;
#endif
#else
constexpr int slower = 1;
#endif

std::uint32_t draw(base::Prng& prng, std::uint32_t below) {
  return static_cast<std::uint32_t>(prng.next() % below);
}

// What is held, kept apart from the packer, card by card.
struct Ledger {
  struct Card {
    std::uint32_t milli = 0, tenant = 0, slices = 0;
  };
  struct Node {
    NodeRoom room;
    std::int64_t cpu = 0, memory = 0;
    std::vector<Card> cards;
    bool open = true;
  };
  std::vector<Node> nodes;

  static bool card_fits(const Card& card, const NodeNeed& need) {
    if (need.mig) return card.milli == 0 && place_slice(card.slices, need.mig) != 0;
    if (card.slices) return false;
    if (card.milli && (!need.share() || card.tenant != need.tenant)) return false;
    return card.milli + need.gpu_milli <= 1000;
  }
  bool fits(NodeIx n, const NodeNeed& need) const {
    const Node& node = nodes[n];
    if (node.room.cpu_milli - node.cpu < need.cpu_milli) return false;
    if (node.room.memory_mib - node.memory < need.memory_mib) return false;
    if (need.gpus == 0) return node.room.rents_cpu;
    return std::count_if(node.cards.begin(), node.cards.end(),
                         [&](const Card& c) { return card_fits(c, need); }) >= need.gpus;
  }
  // Takes or gives back; false: what was chosen breaks a rule.
  bool hold(const Grip& grip, const NodeNeed& need, bool taking) {
    Node& node = nodes[grip.node];
    if (std::popcount(grip.gpu_mask) != static_cast<int>(need.gpus)) return false;
    if (taking && !fits(grip.node, need)) return false;
    for (std::uint32_t i = 0; i < 64; ++i) {
      if (!(grip.gpu_mask >> i & 1)) continue;
      if (i >= node.cards.size()) return false;
      Card& card = node.cards[i];
      if (taking && !card_fits(card, need)) return false;
      if (need.mig) {
        const std::uint32_t slice = grip.mig_slices;
        if (std::popcount(slice) != static_cast<int>(need.mig)) return false;
        if (!(mig_starts(need.mig) >> std::countr_zero(slice) & 1)) return false;
        if (taking && (card.slices & slice)) return false;
        card.slices ^= slice;
      } else {
        card.milli += taking ? need.gpu_milli : 0 - need.gpu_milli;
        card.tenant = need.tenant;
      }
    }
    node.cpu += taking ? need.cpu_milli : -need.cpu_milli;
    node.memory += taking ? need.memory_mib : -need.memory_mib;
    return true;
  }
};

NodeRoom random_room(base::Prng& prng) {
  const std::uint32_t kinds[] = {0, 1, 2, 4, 8};
  NodeRoom room;
  room.sku = draw(prng, 3);
  room.gpus = kinds[draw(prng, 5)];
  room.cpu_milli = 4000 * (1 + draw(prng, 24));
  room.memory_mib = 8192 * (1 + draw(prng, 16));
  room.rents_cpu = room.gpus == 0 || draw(prng, 2) == 0;
  return room;
}

NodeNeed random_need(base::Prng& prng) {
  NodeNeed need;
  need.cpu_milli = 500 * draw(prng, 25);
  need.memory_mib = 1024 * draw(prng, 25);
  need.tenant = draw(prng, 3);
  const std::uint32_t kind = draw(prng, 10);
  if (kind == 0) return need;
  need.gpus = 1;
  if (kind <= 5) {
    need.gpu_milli = 5 + draw(prng, 995);
  } else if (kind == 6) {
    need.mig = 1U << draw(prng, 4);
  } else if (kind == 7) {
    need.gpus = 1 + draw(prng, 8);
  }
  return need;
}

struct Held {
  Grip grip;
  NodeNeed need;
};

struct Hall {
  base::SeededPrng prng;
  Packer packer;
  Ledger ledger;
  std::vector<Held> held;
  std::vector<SkuIx> skus{0, 1, 2};

  Hall(std::uint64_t seed, std::uint32_t nodes) : prng(seed) {
    for (std::uint32_t n = 0; n < nodes; ++n) {
      const NodeRoom room = random_room(prng);
      packer.add(room);
      ledger.nodes.push_back({room, 0, 0, std::vector<Ledger::Card>(room.gpus), true});
    }
  }
  void some_skus() {
    skus.clear();
    const std::uint32_t which = 1 + draw(prng, 7);
    for (SkuIx s = 0; s < 3; ++s)
      if (which >> s & 1) skus.push_back(s);
  }
  bool asked(NodeIx n) const {
    return std::find(skus.begin(), skus.end(), packer.room(n).sku) != skus.end();
  }
  void take(const Grip& grip, const NodeNeed& need) {
    packer.take(grip, need);
    held.push_back({grip, need});
  }
  void give_one() {
    if (held.empty()) return;
    const std::size_t i = draw(prng, static_cast<std::uint32_t>(held.size()));
    const Held h = held[i];
    held[i] = held.back();
    held.pop_back();
    packer.give(h.grip, h.need);
    CHECK(ledger.hold(h.grip, h.need, false));
  }
};

// The score by its definition in packer.h, node by node.
std::optional<Grip> scan(const Hall& w, const NodeNeed& need, const Admit& admit) {
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::int64_t, std::uint32_t, std::uint32_t,
                         std::uint32_t, NodeIx>;
  const Packer& p = w.packer;
  std::optional<Grip> best;
  Key best_key{};
  for (NodeIx n = 0; n < p.size(); ++n) {
    const auto grip = p.fit(n, need);
    if (!grip || !p.is_open(n) || !w.asked(n) || !admit(n)) continue;
    const auto first = static_cast<std::uint32_t>(std::countr_zero(grip->gpu_mask));
    const std::uint32_t klass = cpu_class(p.free_cpu(n)) * gpu_classes + gpu_class(p.free_milli(n));
    std::int64_t stranded = p.taste().stranded_by(need.cpu_milli, need.total_milli(), klass);
    std::uint32_t tier = 0, whole = 0;
    const bool opens = need.gpus && p.card_free_milli(n, first) == 1000;
    if (need.share())
      tier = p.taste().rank((need.gpu_milli + 9) / 10, p.card_free_milli(n, first) / 10) * 16 +
             p.card_free_milli(n, first) % 10;
    if (need.mig) tier = opens ? 9 : 3 - mig_level(w.ledger.nodes[n].cards[first].slices);
    if (opens) {
      whole = p.whole_free(n);
      stranded += p.taste().parted_by(whole, need.gpus);
    }
    const auto sku = static_cast<std::uint32_t>(
        std::find(w.skus.begin(), w.skus.end(), p.room(n).sku) - w.skus.begin());
    if (need.gpus == 0) whole = gpu_class(p.free_milli(n));
    const Key key{p.taste().wanted(p.room(n).sku), tier, stranded, whole, sku, klass, n};
    if (best && key >= best_key) continue;
    best = grip;
    best_key = key;
  }
  return best;
}

TEST_CASE("packer: best finds a place exactly when there is one, and the best one") {
  for (std::uint64_t seed = 1; seed <= 60 / slower + 2; ++seed) {
    Hall w(seed, 1 + static_cast<std::uint32_t>(seed) % 12);
    for (int step = 0; step < 1500; ++step) {
      const std::uint32_t dice = draw(w.prng, 100);
      if (dice < 30) {
        w.give_one();
        continue;
      }
      if (dice < 33) {
        const NodeIx n = draw(w.prng, w.packer.size());
        w.ledger.nodes[n].open = !w.ledger.nodes[n].open;
        w.packer.set_open(n, w.ledger.nodes[n].open);
        continue;
      }
      const NodeNeed need = random_need(w.prng);
      w.some_skus();
      const std::uint32_t odd = draw(w.prng, 4);  // a quarter of the searches reject some nodes
      const auto admit = [&](NodeIx n) { return odd > 0 || n % 3 != 0; };
      w.packer.saw(w.skus, need);
      bool possible = false;
      for (NodeIx n = 0; n < w.packer.size(); ++n) {
        const bool fits = w.ledger.fits(n, need);
        REQUIRE(w.packer.fit(n, need).has_value() == fits);
        possible |= fits && w.ledger.nodes[n].open && w.asked(n) && admit(n);
      }
      const auto grip = w.packer.best(w.skus, need, admit);
      REQUIRE(grip.has_value() == possible);
      REQUIRE(grip == scan(w, need, admit));
      if (!grip) continue;
      REQUIRE(w.ledger.hold(*grip, need, true));
      w.take(*grip, need);
    }
    REQUIRE(w.packer == w.packer.rebuilt());
  }
}

TEST_CASE("packer: its own numbers are the holdings' sums") {
  Hall w(7, 20);
  for (int step = 0; step < 20'000 / slower; ++step) {
    if (draw(w.prng, 3) == 0) w.give_one();
    const NodeNeed need = random_need(w.prng);
    if (const auto grip = w.packer.best(w.skus, need)) {
      REQUIRE(w.ledger.hold(*grip, need, true));
      w.take(*grip, need);
    }
    const NodeIx n = draw(w.prng, w.packer.size());
    const Ledger::Node& node = w.ledger.nodes[n];
    CHECK(w.packer.free_cpu(n) == node.room.cpu_milli - node.cpu);
    CHECK(w.packer.free_memory(n) == node.room.memory_mib - node.memory);
    std::uint32_t milli = 0, whole = 0;
    for (const Ledger::Card& card : node.cards) {
      milli += 1000 - card.milli - static_cast<std::uint32_t>(std::popcount(card.slices)) * 125;
      whole += card.milli == 0 && card.slices == 0;
    }
    CHECK(w.packer.free_milli(n) == milli);
    CHECK(w.packer.whole_free(n) == whole);
  }
  while (!w.held.empty()) w.give_one();
  for (NodeIx n = 0; n < w.packer.size(); ++n) CHECK(w.packer.is_empty(n));
}

TEST_CASE("packer: each shows every node with room, tightest first") {
  Hall w(11, 60);
  for (int step = 0; step < 4000 / slower; ++step) {
    if (draw(w.prng, 4) == 0) w.give_one();
    NodeNeed need = random_need(w.prng);
    if (const auto grip = w.packer.best(w.skus, need)) {
      REQUIRE(w.ledger.hold(*grip, need, true));
      w.take(*grip, need);
    }
    need = {.gpus = draw(w.prng, 5), .cpu_milli = need.cpu_milli, .memory_mib = need.memory_mib};
    const SkuIx sku = draw(w.prng, 3);
    std::vector<NodeIx> shown, there;
    w.packer.each(sku, need, [&](NodeIx n) {
      shown.push_back(n);
      return true;
    });
    for (NodeIx n = 0; n < w.packer.size(); ++n)
      if (w.packer.room(n).sku == sku && w.ledger.fits(n, need)) there.push_back(n);
    const auto key = [&](NodeIx n) {
      return std::tuple(need.gpus ? w.packer.whole_free(n) : 0, cpu_class(w.packer.free_cpu(n)),
                        gpu_class(w.packer.free_milli(n)), n);
    };
    std::sort(there.begin(), there.end(), [&](NodeIx a, NodeIx b) { return key(a) < key(b); });
    REQUIRE(shown == there);
    int calls = 0;
    w.packer.each(sku, need, [&](NodeIx) { return ++calls < 2; });
    CHECK(calls == static_cast<int>(std::min<std::size_t>(2, there.size())));
  }
}

TEST_CASE("packer: a million random steps leave the index as one built from scratch") {
  Hall w(5, 400);
  const int steps = 1'000'000 / slower;
  for (int step = 1; step <= steps; ++step) {
    const std::uint32_t dice = draw(w.prng, 1000);
    if (dice < 490) {
      w.give_one();
    } else if (dice < 992) {
      const NodeNeed need = random_need(w.prng);
      w.packer.saw(w.skus, need);
      const auto grip = w.packer.best(w.skus, need);
      if (grip) REQUIRE(w.ledger.hold(*grip, need, true));
      if (grip) w.take(*grip, need);
    } else {
      const NodeIx n = draw(w.prng, w.packer.size());
      if (dice < 996) w.packer.set_open(n, !w.packer.is_open(n));
      if (dice >= 996 && w.packer.is_empty(n)) {
        const NodeRoom room = random_room(w.prng);
        w.packer.change(n, room);
        w.ledger.nodes[n] = {room, 0, 0, std::vector<Ledger::Card>(room.gpus), true};
      }
    }
    if (step % (steps / 10) == 0) REQUIRE(w.packer == w.packer.rebuilt());
  }
  CHECK(w.held.size() > 100);
  const Packer copy = w.packer;
  w.give_one();
  CHECK_FALSE(copy == w.packer);
  CHECK(copy == copy.rebuilt());
}

TEST_CASE("packer: the same steps give the same digest with every compiler") {
  Hall w(3, 200);
  std::uint64_t digest = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (draw(w.prng, 2) == 0) w.give_one();
    const NodeNeed need = random_need(w.prng);
    w.packer.saw(w.skus, need);
    const auto grip = w.packer.best(w.skus, need);
    if (!grip) continue;
    REQUIRE(w.ledger.hold(*grip, need, true));
    w.take(*grip, need);
    digest = (digest ^ grip->node ^ grip->gpu_mask << 8) * 0x9e37'79b9'7f4a'7c15;
  }
  CHECK((digest ^ w.packer.digest()) == 10645778464260362970U);
}

}  // namespace
}  // namespace ampacity::core
