// One command through the core: decide, fold, then start whatever can start now.
#pragma once

#include <functional>
#include <string>

#include "core/decide.h"
#include "core/evolve.h"

namespace ampacity::core {

// Called for each fact before it is folded: the read models and events are made here.
using OnFact = std::function<void(const World& before, const Fact& fact, std::uint64_t sequence)>;

// A refusal changed nothing. The facts are appended to `facts`, in order.
base::Result<void> step(World& world, const Command& command, Instant now, const std::string& actor,
                        std::vector<Fact>& facts, const OnFact& on_fact = {});

}  // namespace ampacity::core
