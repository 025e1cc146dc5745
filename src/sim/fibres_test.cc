#include <doctest/doctest.h>

#include "sim/fibres.h"

namespace ampacity::sim {
namespace {

using base::Duration;

// The same work in the same seed: what two workers and one producer did, in order.
std::string worked(std::uint64_t seed, bool kill = false) {
  base::SeededPrng prng(seed);
  Fibres fibres(prng, {0});
  base::scheduler = &fibres;
  std::string story;
  {
    base::Mutex mutex;
    base::Condition there;
    std::vector<int> queue;
    const auto group = fibres.new_group();
    fibres.give_way_odds(64);
    struct Says {
      std::string& story;
      ~Says() { story += 'x'; }
    };
    fibres.spawn_in(group, [&] {
      std::vector<base::Thread> workers;
      for (char name : {'a', 'b'})
        workers.emplace_back([&, name] {
          const Says says{story};
          base::Lock lock(mutex);
          while (true) {
            there.wait(lock, [&] { return !queue.empty(); });
            const int n = queue.back();
            queue.pop_back();
            if (n < 0) return;
            story += name + std::to_string(n);
          }
        });
      for (int i = 0; i < 6; ++i) {
        base::sleep_for(Duration::seconds(1));
        const base::Guard lock(mutex);
        queue.push_back(i);
        there.notify_one();
      }
      base::sleep_for(Duration::seconds(1));
      {
        const base::Guard lock(mutex);
        queue = {-1, -1};
      }
      there.notify_all();
      for (base::Thread& w : workers) w.join();
      story += '.';
    });
    if (kill) fibres.at({3'500'000}, [&] { fibres.kill(group); });
    fibres.run_until({60'000'000});
    CHECK_FALSE(fibres.alive(group));
  }
  base::scheduler = nullptr;
  return story;
}

}  // namespace

TEST_CASE("the same seed gives the same turns, another one others") {
  std::set<std::string> stories;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::string story = worked(seed);
    CHECK(story == worked(seed));
    CHECK(story.ends_with("."));
    stories.insert(story);
  }
  CHECK(stories.size() > 3);
}

TEST_CASE("who is killed lets go of everything, wherever it stood") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::string story = worked(seed, true);
    CHECK(std::count(story.begin(), story.end(), 'x') == 2);
    CHECK(story.find('.') == std::string::npos);
  }
}

TEST_CASE("waits end with their time, in virtual time") {
  base::SeededPrng prng(1);
  Fibres fibres(prng, {0});
  base::scheduler = &fibres;
  base::Mutex mutex;
  base::Condition never;
  std::int64_t woke = 0;
  fibres.spawn_in(Fibres::outside, [&] {
    base::Lock lock(mutex);
    CHECK_FALSE(never.wait_for(lock, Duration::seconds(3'600), [] { return false; }));
    woke = fibres.now().us;
  });
  const auto stopped = fibres.new_group();
  std::int64_t went_on = 0;
  fibres.spawn_in(stopped, [&] {
    base::sleep_for(Duration::seconds(1));
    went_on = fibres.now().us;
  });
  fibres.stop(stopped, {600'000'000});
  fibres.run_until({86'400'000'000});
  CHECK(woke == 3'600'000'000);
  CHECK(went_on == 601'000'000);  // it was stopped before its first turn
  base::scheduler = nullptr;
}

TEST_CASE("who gives way while an exception is in flight does not keep others from being ended") {
  base::SeededPrng prng(1);
  Fibres fibres(prng, {0});
  base::scheduler = &fibres;
  struct Lingers {
    ~Lingers() { (void)base::scheduler->park(this, Duration::seconds(100), true); }
  };
  fibres.spawn_in(fibres.new_group(), [] {
    const Lingers lingers;
    throw Killed();
  });
  const auto other = fibres.new_group();
  fibres.spawn_in(other, [] {
    while (true) base::sleep_for(Duration::seconds(1));
  });
  fibres.run_until({10'000'000});
  fibres.kill(other);
  CHECK_FALSE(fibres.alive(other));
  fibres.run_until({200'000'000});
  base::scheduler = nullptr;
}

}  // namespace ampacity::sim
