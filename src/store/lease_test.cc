// The lease on a real PostgreSQL: taken by one, renewed by commits, over by the database's clock; a
// writer that was succeeded cannot commit, nor hold the row.
#include "store/lease.h"

#include <doctest/doctest.h>

#include "base/threads.h"
#include "store/journal.h"
#include "store/postgres.h"
#include "store/scratch_store.h"

namespace ampacity::store {
namespace {

constexpr base::Duration length = base::Duration::millis(400);

struct Shared {
  ScratchPostgres& server = ScratchPostgres::get();
  std::string database = server.make_database();
  StoreAt at = *parse_store(server.url(database));
  std::unique_ptr<LeaseTable> a = std::move(*open_lease(at)), b = std::move(*open_lease(at));

  // As a server does: looks until it may be taken.
  std::uint64_t take(LeaseTable& table, const std::string& who) {
    while (true) {
      const auto seen = table.look();
      REQUIRE_MESSAGE(seen, seen.error().message);
      if (seen->left.us <= 0) {
        const auto took = table.take(*seen, who, "http://" + who, length);
        REQUIRE_MESSAGE(took, took.error().message);
        if (*took) return seen->epoch + 1;
      }
      base::sleep_for(base::Duration::millis(10));
    }
  }
  std::unique_ptr<Journal> writer(std::uint64_t epoch) {
    StoreAt mine = at;
    mine.epoch = epoch;
    auto journal = open_journal(mine);
    REQUIRE_MESSAGE(journal, journal.error().message);
    return std::move(*journal);
  }
};

}  // namespace

TEST_CASE("the lease is one server's until it runs out, and each taking is a new epoch") {
  if (!on_postgres()) return;
  Shared s;
  const std::uint64_t first = s.take(*s.a, "a");
  auto seen = s.b->look();
  REQUIRE(seen);
  CHECK(seen->epoch == first);
  CHECK(seen->holder == "a");
  CHECK(seen->url == "http://a");
  CHECK(seen->left.us > 0);
  CHECK_FALSE(*s.b->take(*seen, "b", "http://b", length));
  CHECK(*s.a->renew(first, length));
  const std::uint64_t second = s.take(*s.b, "b");
  CHECK(second == first + 1);
  CHECK_FALSE(*s.a->renew(first, length));
  CHECK(*s.b->renew(second, length));
  REQUIRE(s.b->give_back(second));
  CHECK(s.a->look()->left.us <= 0);
}

TEST_CASE("a writer that was succeeded cannot commit; its successor takes the office at once") {
  if (!on_postgres()) return;
  Shared s;
  const std::uint64_t first = s.take(*s.a, "a");
  auto old_writer = s.writer(first);
  REQUIRE(old_writer->set_meta("x", "1"));
  CHECK(s.b->look()->left.us > 0);  // a commit renews
  const std::uint64_t second = s.take(*s.b, "b");
  auto new_writer = s.writer(second);
  REQUIRE(new_writer->set_meta("x", "2"));
  const auto refused = old_writer->set_meta("x", "3");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == AppendFault::Kind::fenced);
  REQUIRE(new_writer->set_meta("y", "4"));
  CHECK(new_writer->meta("x") == "2");
}

TEST_CASE("a transaction left open by a frozen writer does not hold up its successor") {
  if (!on_postgres()) return;
  Shared s;
  const std::uint64_t first = s.take(*s.a, "a");
  StoreAt mine = s.at;
  mine.epoch = first;
  auto frozen = connect_postgres(mine, PostgresUse::write);
  REQUIRE(frozen);
  REQUIRE((*frozen)->claim());
  REQUIRE((*frozen)->begin());
  REQUIRE((*frozen)->exec("SELECT 1"));  // the row is updated and held
  const std::uint64_t second = s.take(*s.b, "b");
  auto new_writer = s.writer(second);
  REQUIRE(new_writer->set_meta("x", "2"));
  CHECK_FALSE((*frozen)->commit());
  CHECK(new_writer->meta("x") == "2");
}

TEST_CASE("what a verb without a server holds is not taken from it, and is free after it") {
  if (!on_postgres()) return;
  Shared s;
  {
    auto verb = open_journal(s.at);
    REQUIRE(verb);
    CHECK(s.a->look()->left.us > 0);
  }
  CHECK(s.take(*s.a, "a") > 1);
}

}  // namespace ampacity::store
