// What of one kind of GPU could be reserved, over time: who has a right to which card until when,
// and what that leaves. `reserve` (decide_windows.cc) and the calendar of what is free read the
// same.
// Thread rule: rights_on() and calendar_of() read the world, so on the thread that owns it; the
// rest is pure, and may take its time elsewhere.
// 1. A window may have a card if no right to the card overlaps the window. Who yields has no right;
//    who has no time limit has one for ever.
// 2. A reservation takes whole nodes and a part of at most one more. So the largest over a window
//    is, at one choice of sites, every node that is free for all of it and the fullest part of
//    another; and `reserve` accepts n cards over a window if and only if n <=
//    most_over(window).gpus.
// 3. What is said of a piece is said of a reservation over all of the piece. One over several
//    pieces is of the same cards throughout: it gets at most the least of them, and may get less.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/world.h"

namespace ampacity::core {

struct Right {
  std::uint64_t cards = 0;
  Instant from;
  Instant until;
};

// Of all who have one to a node's cards, jobs and windows.
void rights_on(const World& world, NodeIx node, Instant now, std::vector<Right>& out);

// The nodes of one kind that take work, with the rights on each.
struct Calendar {
  struct Row {
    SiteIx site = 0;
    std::uint32_t gpus = 0;
    std::size_t first = 0, count = 0;  // in `rights`
  };
  std::vector<Row> nodes;
  std::vector<Right> rights;
};
// Only those at `sites`, if any are named.
Calendar calendar_of(const World& world, SkuIx sku, std::span<const SiteIx> sites, Instant now);

struct Reservable {
  std::uint32_t gpus = 0;
  std::uint32_t nodes = 0;  // of them: wholly free
  SiteIx site = nobody;     // where; nobody: across all of them, or nowhere
  bool operator==(const Reservable&) const = default;
};
// `across`: the choice is all sites together; else each is one.
Reservable most_over(const Calendar& calendar, bool across, Instant from, Instant until);

struct Piece {
  Instant from, until;
  Reservable most;
};
struct Pieces {
  std::vector<Piece> list;  // one after the other, from the first to the last instant
  bool joined = false;      // there were more instants of change than pieces may be
};
inline constexpr std::size_t most_pieces = 256;
// In every window inside a piece there is as much as in all of it, unless pieces were joined.
Pieces pieces_of(const Calendar& calendar, bool across, Instant from, Instant until,
                 std::size_t most = most_pieces);

}  // namespace ampacity::core
