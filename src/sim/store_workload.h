// The standard workload of a store: some forty commits of everything a journal is asked to write,
// made by the real core, with the housekeeping between them; and what the store holds after each.
// Threads: one. 1. The same seed and length make the same steps. 2. A step changes the store wholly
// or not at all; settle and reopen change nothing that can be read.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/state.h"
#include "store/journal.h"

namespace ampacity::sim {

struct StoreStep {
  enum class Kind { append, set_meta, keep_snapshot, settle, forget, prune, reopen };
  Kind kind = Kind::append;

  // append: one store::Batch
  std::uint64_t first_sequence = 0;
  std::vector<core::Fact> facts;
  store::Rows rows;
  core::State after;
  std::vector<store::Remembered> remembered;
  std::vector<store::SealedEnv> sealed;
  std::vector<store::MeterBatch> meter;
  std::vector<store::Delivery> deliveries;
  std::vector<store::Attempt> attempts;

  std::string name, value;  // set_meta
  base::Instant before;     // forget, prune

  std::string_view word() const;
  bool quiet() const { return kind == Kind::settle || kind == Kind::reopen; }
  // Whether the journal says that it was done.
  bool acknowledged() const {
    return kind == Kind::append || kind == Kind::set_meta || kind == Kind::keep_snapshot;
  }
};

std::vector<StoreStep> standard_steps(std::uint64_t seed, int commits);

// Does one step as the loop would. A null journal is opened first; a fault of the opening counts as
// the step's.
std::expected<void, store::AppendFault> run_step(const StoreStep& step, const store::StoreAt& store,
                                                 std::unique_ptr<store::Journal>& journal);

// The steps, and what a run without faults leaves after each.
struct StoreRun {
  std::vector<StoreStep> steps;
  std::vector<std::string> contents;  // of the store after n steps: digests of every row
  std::vector<std::string> states;    // of the world, folded from it
};
StoreRun standard_run(std::uint64_t seed, int commits);

}  // namespace ampacity::sim
