// Where the simulator reaches into production code: deliberate misbehaviour at marked places, marks
// on rare branches, what becomes of a failed CHECK and of log lines. Outside it all of this is
// nothing: one test of a null pointer.
// After FoundationDB's BUGGIFY and code probes.
#pragma once

#include <cstdint>
#include <string_view>

namespace ampacity::base {

enum class Level;

class Chaos {
 public:
  virtual ~Chaos() = default;
  // Whether the place may misbehave now: each place is switched on or off for a whole run.
  virtual bool misbehave(const char* place) = 0;
  virtual std::uint64_t below(std::uint64_t bound) = 0;  // a drawn number
  virtual void reached(const char* branch) = 0;
  // A bug that was planted on purpose, to see that it is found (sim/planted.h).
  virtual bool planted(const char* bug) = 0;
  virtual void log(Level level, std::string_view line) = 0;
  virtual void check_failed(std::string_view said) = 0;  // must throw
};
inline thread_local Chaos* chaos = nullptr;

inline bool planted(const char* bug) { return chaos && chaos->planted(bug); }

}  // namespace ampacity::base

// BUGGIFY("half a list"): true now and then, in the simulator only.
#define BUGGIFY(place) (::ampacity::base::chaos && ::ampacity::base::chaos->misbehave(place))
// PROBE("branch"): counted; a nightly run fails if one is never reached.
#define PROBE(branch)                                                      \
  do {                                                                     \
    if (::ampacity::base::chaos) ::ampacity::base::chaos->reached(branch); \
  } while (false)
