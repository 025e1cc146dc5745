// Who leads, in a seed: two or three servers contend for one store, by the production lease
// (server/standing, leadership) and the production office of writer (store/writer_office), on a
// database that is played; the leader is killed, stopped longer than its lease and woken, cut off
// from its database, and that fails over. What a server is beside that is played here: it writes
// numbered entries, acknowledges them, and asks an engine, each time as long as it may.
//
//   I9  what was acknowledged is there, once, and in order
//   E1  who asks an engine or acknowledges has not been replaced
//   E2  epochs of commits only grow, and each is one life's of one server
//   I8  healed: somebody leads and writes
//
// Threads: one run at a time on a thread. 1. Same seed, same digest.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"

namespace ampacity::sim {

struct LeadersResult {
  std::vector<std::string> wrong;
  std::uint64_t digest = 0, acknowledged = 0, acts = 0, epochs = 0, lives = 0;
  std::map<std::string, std::uint64_t> probes;
};

LeadersResult run_leaders(std::uint64_t seed, const std::set<std::string>& planted = {},
                          bool trace = false);

}  // namespace ampacity::sim
