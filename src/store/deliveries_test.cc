// Deliveries: in the transaction of their fact, changed by attempts alone, left alone by a rebuild,
// dropped when they are old.
#include "store/deliveries.h"

#include <doctest/doctest.h>

#include "store/sample_cloud.h"
#include "store/scratch_store.h"

namespace ampacity::store {
namespace {

const base::Id hook{3, 1}, other{3, 2};

Delivery delivery(base::Id webhook, std::uint64_t sequence, base::Instant at) {
  Delivery d;
  d.webhook = webhook;
  d.sequence = sequence;
  d.event = "job.ended";
  d.body = "{\"type\":\"job.ended\"}";
  d.created_at = d.next_at = at;
  return d;
}

}  // namespace

TEST_CASE(
    "a delivery is there with its fact or not at all; attempts change it; a rebuild does not") {
  ScratchFolder folder;
  const StoreAt file = scratch_store(folder);
  SampleCloud cloud(1);
  {
    auto journal = open_journal(file);
    REQUIRE(journal);
    REQUIRE(cloud.commit(**journal));
    cloud.submit();
    const std::uint64_t sequence = cloud.world.state().sequence;
    const std::vector<Delivery> rows = {delivery(hook, sequence, cloud.now),
                                        delivery(other, sequence, cloud.now)};
    Batch batch = cloud.batch();
    batch.deliveries = rows;
    REQUIRE((*journal)->append(batch));
    cloud.clear();
    CHECK((*journal)->waiting_deliveries() ==
          std::map<base::Id, std::int64_t>{{hook, 1}, {other, 1}});

    auto reader = DeliveryReader::open(file);
    REQUIRE(reader);
    const auto found = reader->find(hook, sequence);
    REQUIRE(found);
    const std::optional<Delivery>& row = *found;
    REQUIRE(row);
    CHECK(row->body == rows[0].body);
    CHECK(row->state == DeliveryState::waiting);
    CHECK(reader->waiting().size() == 2);
    CHECK_FALSE(*reader->find(hook, sequence + 1));

    // An attempt without facts is a commit, too.
    Batch tried;
    tried.first_sequence = sequence + 1;
    const std::vector<Attempt> attempts = {
        {hook,
         sequence,
         DeliveryState::waiting,
         1,
         cloud.now + base::Duration::seconds(5),
         {},
         503,
         "answered 503"},
        {other, sequence, DeliveryState::delivered, 1, {}, cloud.now, 200, ""}};
    tried.attempts = attempts;
    REQUIRE((*journal)->append(tried));
    CHECK(reader->find(hook, sequence).value()->next_at == cloud.now + base::Duration::seconds(5));
    CHECK(reader->find(hook, sequence).value()->why == "answered 503");
    CHECK(reader->waiting().size() == 1);
    CHECK(reader->last_delivered() == std::map<base::Id, base::Instant>{{other, cloud.now}});
    CHECK(reader->latest(other, 10).at(0).state == DeliveryState::delivered);
  }
  const auto rebuilt = rebuild_read_models(file);
  REQUIRE(rebuilt);
  CHECK(rebuilt->before == rebuilt->after);
  auto reader = DeliveryReader::open(file);
  REQUIRE(reader);
  CHECK(reader->latest(hook, 10).size() == 1);
  CHECK(reader->latest(other, 10).size() == 1);
}

TEST_CASE("old ones are dropped, and whose waiting ones went is said") {
  ScratchFolder folder;
  SampleCloud cloud(1);
  auto journal = open_journal(scratch_store(folder));
  REQUIRE(journal);
  std::vector<Delivery> rows;
  for (std::uint64_t n = 1; n <= 10; ++n)
    rows.push_back(delivery(hook, n, cloud.now + base::Duration::seconds(n)));
  rows[1].state = DeliveryState::delivered;
  rows[1].done_at = cloud.now;
  Batch batch = cloud.batch();
  batch.deliveries = rows;
  REQUIRE((*journal)->append(batch));
  CHECK((*journal)->prune_deliveries(cloud.now).empty());
  CHECK((*journal)->prune_deliveries(cloud.now + base::Duration::seconds(4)) ==
        std::vector<base::Id>{hook, hook});
  CHECK((*journal)->waiting_deliveries().at(hook) == 7);
}

}  // namespace ampacity::store
