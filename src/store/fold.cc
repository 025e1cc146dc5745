#include "store/fold.h"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parser.hpp>
#include <exception>
#include <future>

#include "base/log.h"
#include "core/evolve.h"

namespace ampacity::store {
namespace {

constexpr int rows_per_read = 8;

// Parses with one arena per text: a journal row is many small values that die together.
template <typename Use>
base::Try<void> with_json(std::string_view text, Use&& use) try {
  boost::json::monotonic_resource memory(std::size_t{1} << 20);
  boost::json::parser parser;
  parser.reset(&memory);
  boost::json::error_code error;
  parser.write(text.data(), text.size(), error);
  if (error) return base::fault("not JSON: " + error.message(), false);
  const boost::json::value value = parser.release();
  return use(value);
} catch (const std::exception& e) {
  return base::fault(std::string("not readable: ") + e.what(), false);
}

base::Try<core::State> read_snapshot(std::string_view body, const base::Digest& digest) {
  if (base::sha256(body) != digest) return base::fault("its digest differs", false);
  core::State state;
  auto read = with_json(body, [&](const boost::json::value& value) -> base::Try<void> {
    base::JsonReader reader;
    reader.defaults_for_missing = true;
    reader.allow_unknown = true;  // a field that a newer release added
    reader.read(value, state, "");
    if (!reader.wrong.empty())
      return base::fault(base::refusal_of(std::move(reader.wrong)).message, false);
    return {};
  });
  if (!read) return std::unexpected(std::move(read.error()));
  return state;
}

struct StoredRow {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::string facts;
  base::Digest chain{};
};

base::Try<std::vector<StoredRow>> read_rows(Database& db, std::uint64_t after) {
  std::vector<StoredRow> out;
  auto rows = db.query(
      "SELECT first_sequence, last_sequence, facts, chain FROM journal "
      "WHERE first_sequence > ? ORDER BY first_sequence LIMIT ?",
      after, rows_per_read);
  while (rows.next())
    out.push_back(
        {rows.number(0), rows.number(1), rows.text(2), rows.digest(3).value_or(base::Digest{})});
  if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
  return out;
}

base::Try<std::vector<core::Fact>> verified_facts(const StoredRow& row, const ChainEnd& from) {
  const std::string at = "journal row " + std::to_string(row.first) + ": ";
  if (row.first != from.sequence + 1)
    return base::fault(at + "the sequence has a gap after " + std::to_string(from.sequence), false);
  if (base::chain(from.chain, row.facts) != row.chain)
    return base::fault(at + "the hash chain is broken: the journal was altered or damaged", false);
  auto facts = parse_facts(row.facts);
  if (!facts) return base::fault(at + facts.error().message, false);
  if (facts->size() != row.last - row.first + 1)
    return base::fault(at + "holds " + std::to_string(facts->size()) + " facts", false);
  return facts;
}

struct ParsedRow {
  std::uint64_t first = 0;
  std::vector<core::Fact> facts;
  ChainEnd end;
};

base::Try<std::vector<ParsedRow>> parse_stretch(std::vector<StoredRow> rows, ChainEnd from) {
  std::vector<ParsedRow> out;
  for (const StoredRow& row : rows) {
    auto facts = verified_facts(row, from);
    if (!facts) return std::unexpected(std::move(facts.error()));
    from = {row.last, row.chain};
    out.push_back({row.first, std::move(*facts), from});
  }
  return out;
}

}  // namespace

base::Try<ChainEnd> journal_end(Database& db) {
  ChainEnd end;
  auto row =
      db.query("SELECT last_sequence, chain FROM journal ORDER BY first_sequence DESC LIMIT 1");
  if (row.next()) end = {row.number(0), row.digest(1).value_or(base::Digest{})};
  if (row.fault()) return std::unexpected(to_fault(*row.fault()));
  return end;
}

base::Try<std::vector<core::Fact>> parse_facts(std::string_view text) {
  std::vector<core::Fact> facts;
  auto read = with_json(text, [&](const boost::json::value& value) -> base::Try<void> {
    if (!value.is_array()) return base::fault("not a list of facts", false);
    facts.reserve(value.get_array().size());
    for (const auto& element : value.get_array()) {
      auto fact = core::read_fact(element);
      if (!fact) return base::fault(fact.error().message, false);
      facts.push_back(std::move(*fact));
    }
    return {};
  });
  if (!read) return std::unexpected(std::move(read.error()));
  return facts;
}

base::Try<bool> next_batches(Database& db, ChainEnd& from, const UseBatch& use) {
  const auto rows = read_rows(db, from.sequence);
  if (!rows) return std::unexpected(rows.error());
  for (const StoredRow& row : *rows) {
    auto facts = verified_facts(row, from);
    if (!facts) return std::unexpected(std::move(facts.error()));
    if (auto r = use(row.first, std::move(*facts)); !r) return std::unexpected(r.error());
    from = {row.last, row.chain};
  }
  return !rows->empty();
}

base::Try<void> each_batch(Database& db, ChainEnd& from, const UseBatch& use) {
  // While one stretch is used, the next is verified and parsed beside it.
  auto rows = read_rows(db, from.sequence);
  if (!rows) return std::unexpected(std::move(rows.error()));
  ChainEnd read_to = from;
  auto parsing = std::async(std::launch::async, parse_stretch, std::move(*rows), read_to);
  for (;;) {
    auto stretch = parsing.get();
    if (!stretch) return std::unexpected(std::move(stretch.error()));
    if (stretch->empty()) return {};
    read_to = stretch->back().end;
    rows = read_rows(db, read_to.sequence);
    if (!rows) return std::unexpected(std::move(rows.error()));
    parsing = std::async(std::launch::async, parse_stretch, std::move(*rows), read_to);
    for (ParsedRow& row : *stretch) {
      if (auto r = use(row.first, std::move(row.facts)); !r) return r;
      from = row.end;
    }
  }
}

namespace {

struct Candidate {
  ChainEnd end;
  std::string body;
  base::Digest digest{};
};

// Newest first.
base::Try<std::vector<Candidate>> snapshots(Database& db) {
  std::vector<Candidate> out;
  auto rows = db.query(
      "SELECT s.sequence, j.chain, s.body, s.digest FROM snapshots s "
      "JOIN journal j ON j.first_sequence = "
      "  (SELECT max(first_sequence) FROM journal WHERE first_sequence <= s.sequence) "
      "WHERE j.last_sequence = s.sequence ORDER BY s.sequence DESC");
  while (rows.next())
    out.push_back({{rows.number(0), rows.digest(1).value_or(base::Digest{})},
                   rows.text(2),
                   rows.digest(3).value_or(base::Digest{})});
  if (rows.fault()) return std::unexpected(to_fault(*rows.fault()));
  return out;
}

}  // namespace

base::Try<Folded> fold(Database& db) {
  Folded out;
  auto candidates = snapshots(db);
  if (!candidates) return std::unexpected(std::move(candidates.error()));
  for (const Candidate& c : *candidates) {
    auto state = read_snapshot(c.body, c.digest);
    if (state && state->sequence == c.end.sequence) {
      out = {core::World(std::move(*state)), c.end};
      break;
    }
    // The facts are the truth: an older snapshot, or none, costs only time.
    base::log_warn("store: the snapshot at {} is passed over: {}", c.end.sequence,
                   state ? "it is of another place" : state.error().message);
  }
  const auto use = [&](std::uint64_t, std::vector<core::Fact> facts) -> base::Try<void> {
    for (const core::Fact& f : facts) evolve(out.world, f);
    return {};
  };
  if (auto r = each_batch(db, out.end, use); !r) return std::unexpected(std::move(r.error()));
  return out;
}

}  // namespace ampacity::store
