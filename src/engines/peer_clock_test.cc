#include "engines/peer_clock.h"

#include <doctest/doctest.h>

namespace ampacity::engines {
namespace {

using base::Duration;
using base::Instant;

constexpr Instant noon{1'795'305'600'000'000};  // 2026-11-22T00:00:00Z

}  // namespace

TEST_CASE("an engine's clock: zero while it may agree, then measured by many whole seconds") {
  PeerClock clock;
  CHECK(clock.ahead().us == 0);
  CHECK_FALSE(clock.heard("", noon, noon));
  CHECK_FALSE(clock.heard("yesterday", noon, noon));
  CHECK_FALSE(clock.heard("Sun, 22 Nov 2026 00:00:00 GMT", noon, noon + Duration::millis(300)));
  CHECK(clock.ahead().us == 0);

  PeerClock fast;  // by 7.3 s, asked every 1.1 s: the fraction comes out
  const char* dates[] = {"07", "08", "09", "10", "11", "12", "13", "15", "16", "17"};
  for (int i = 0; i < 10; ++i) {
    const Instant at = noon + Duration::millis(1'100 * i);
    const std::string date = std::string("Sun, 22 Nov 2026 00:00:") + dates[i] + " GMT";
    CHECK_FALSE(fast.heard(date, at, at + Duration::millis(2)));
  }
  CHECK(fast.ahead() > Duration::millis(7'200));
  CHECK(fast.ahead() < Duration::millis(7'400));
  CHECK(fast.ours(noon + Duration::seconds(20)) < noon + Duration::seconds(13));
}

TEST_CASE("an engine's clock that is set is measured anew, and it is said once") {
  PeerClock clock;
  CHECK_FALSE(clock.heard("Sun, 22 Nov 2026 00:00:00 GMT", noon, noon + Duration::millis(1)));
  const Instant later = noon + Duration::seconds(10);
  CHECK(clock.heard("Sat, 21 Nov 2026 23:59:30 GMT", later, later + Duration::millis(1)));
  CHECK(clock.ahead() < Duration::seconds(-39));
  CHECK(clock.ahead() > Duration::seconds(-41));
  const Instant then = noon + Duration::seconds(11);
  CHECK_FALSE(clock.heard("Sat, 21 Nov 2026 23:59:31 GMT", then, then + Duration::millis(1)));
}

}  // namespace ampacity::engines
