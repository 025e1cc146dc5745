#include <doctest/doctest.h>

#include "core/price_book.h"
#include "server/catalogue.h"
#include "server/inventory.h"
#include "server/keys.h"
#include "server/live.h"
#include "server/paging.h"

namespace ampacity::server {

TEST_CASE("a key verifies; every other is refused before or after the look-up") {
  KeyRing ring("pepper");
  const NewKey made = make_key("pepper");
  core::Key key;
  key.id = {1, 2};
  key.lookup = made.lookup;
  key.hash = made.hash;
  key.role = core::Role::customer;
  key.project = 3;
  ring.put(key);
  const auto caller = ring.verify("Bearer " + made.secret);
  REQUIRE(caller);
  CHECK(caller->project == 3);
  CHECK_FALSE(caller->is_owner());
  CHECK(made.secret.size() == 4 + 8 + 24 + 1 + 6);
  CHECK(made.hash.find(made.secret.substr(12, 24)) == std::string::npos);
  std::string mistyped = made.secret;
  mistyped[20] = mistyped[20] == 'a' ? 'b' : 'a';
  const std::vector<std::string> bads = {"",
                                         made.secret,
                                         "Bearer ",
                                         "Bearer " + mistyped,
                                         "Bearer " + make_key("pepper").secret,
                                         "Basic " + made.secret};
  for (const std::string& bad : bads) CHECK_FALSE(ring.verify(bad));
  core::Key odd = key;  // what is stored may be anything; it opens nothing
  odd.lookup = "ZZZZZZZZ";
  for (const char* digits : {"0g", " 1", "+1", "zz"}) {
    odd.hash.clear();
    for (int i = 0; i < 32; ++i) odd.hash += digits;
    ring.put(odd);
  }
  CHECK(ring.verify("Bearer " + made.secret));
  ring.revoke(key.id);
  CHECK_FALSE(ring.verify("Bearer " + made.secret));
}

TEST_CASE("a page's cursor is what was given, or nothing") {
  const auto m = parse_meter_cursor("3:-5:42");
  REQUIRE(m);
  CHECK((m->project == 3 && m->place.from.us == -5 && m->place.sequence == 42));
  CHECK(format_cursor(*m) == "3:-5:42");
  for (const char* bad : {"", "3", "3:5", "3:5:", "3:5:x", "-1:5:1", "3:5:9223372036854775808"})
    CHECK_MESSAGE(!parse_meter_cursor(bad), bad);
  CHECK(parse_job_cursor("")->below == UINT64_MAX);
  CHECK(parse_job_cursor("l12")->below == 12);
  CHECK(parse_job_cursor("e")->ended);
  CHECK(parse_job_cursor("e00000000000000000000000001")->after.size() == 26);
  for (const char* bad : {"l", "l1x", "x", "12", "e1"}) CHECK_MESSAGE(!parse_job_cursor(bad), bad);
  CHECK(parse_node_cursor("") == 0U);
  CHECK(parse_node_cursor("5000") == 5000U);
  for (const char* bad : {"-1", "1x", "18446744073709551615"})
    CHECK_MESSAGE(!parse_node_cursor(bad), bad);
}

TEST_CASE("the default book is that of July 2023: 8 H100 with 128 vCPU and 1,024 GiB cost 44.64") {
  const core::PriceBook book = default_prices();
  const auto price = [&](std::string_view meter, core::JobClass job_class,
                         std::uint32_t term_months = 0) {
    const auto* rule =
        core::rule_in(book, {core::nobody, {}, meter, "h100", {}, job_class, term_months, {}});
    REQUIRE(rule);
    return rule->price.tiers[0].price;
  };
  using core::JobClass;
  const core::Ticks h100 = price("gpu", JobClass::on_demand);
  CHECK(price("gpu", JobClass::spot) * 2 == h100);
  CHECK((8 * h100 + 128 * price("vcpu", JobClass::on_demand) +
         1024 * price("memory", JobClass::on_demand)) *
            3600 ==
        base::ticks_per_usd * 4464 / 100);
  // 4.78 less 10, 18, 25, 35, 55 % by the term; between two terms the shorter counts.
  const std::pair<std::uint32_t, core::Ticks> terms[] = {
      {1, 43'020}, {2, 43'020}, {3, 39'196}, {6, 35'850}, {12, 31'070}, {36, 21'510}, {60, 21'510}};
  for (const auto& [months, ticks] : terms)
    CHECK(price("gpu", JobClass::reserved, months) == ticks);
}

TEST_CASE("emulated nodes say so; real GPUs are offered only if the engine can hand them over") {
  engines::HostFound host;
  host.hostname = "box";
  host.cpu_milli = 16'000;
  host.memory_mib = 65'536;
  host.gpus = {{"GPU-1", "NVIDIA H200", 143'771, false, "h200", "nvidia.com/gpu=GPU-1"}};
  engines::EngineHealth engine;
  engine.hands_over_gpus = true;
  auto offered = take_inventory(host, engine, {{"h100", 8, 2}}, "home");
  REQUIRE(offered);
  CHECK(offered->site.nodes.size() == 3);
  CHECK(offered->site.nodes[0].sku == "h200");
  CHECK(offered->site.nodes[0].node.rents_cpu);
  CHECK(offered->site.nodes[1].node.emulated);
  CHECK_FALSE(take_inventory(host, engine, {{"h200", 8, 2}}, "home"));  // real and emulated mix
  engine.hands_over_gpus = false;
  auto kept = take_inventory(host, engine, {}, "home");
  REQUIRE(kept);
  CHECK(kept->site.nodes[0].sku == "cpu");
  CHECK(kept->notes.size() == 1);
  CHECK(kept->notes[0].find("not offered") != std::string::npos);
  auto racks = take_inventory(host, engine, {{"h100", 8, 18}, {"gb200", 4, 20}}, "home");
  REQUIRE(racks);
  const auto stands = [&](std::size_t n) {
    const core::Node& node = racks->site.nodes[n].node;
    return node.name + " " + node.rack + " " + node.leaf + " " + node.nvlink;
  };
  CHECK(stands(1) == "emulated-h100-1 rack-1 leaf-1 ");
  CHECK(stands(4) == "emulated-h100-4 rack-1 leaf-1 ");
  CHECK(stands(5) == "emulated-h100-5 rack-2 leaf-1 ");
  CHECK(stands(18) == "emulated-h100-18 rack-5 leaf-2 ");
  CHECK(stands(19) == "emulated-gb200-1 rack-6 leaf-3 nvlink-1");
  CHECK(stands(36) == "emulated-gb200-18 rack-10 leaf-4 nvlink-1");
  CHECK(stands(37) == "emulated-gb200-19 rack-10 leaf-4 nvlink-2");
  CHECK(parse_emulation("h100:8x4")->nodes == 4);
  for (const char* bad : {"", "tpu:8", "h100:0", "h100|a40:8", "any:8"})
    CHECK_FALSE(parse_emulation(bad));
}

TEST_CASE("a log position resumes its own generation only") {
  LogFollow f;
  f.generation = 2;
  f.offsets = {0, 0};
  CHECK(format_log_position(2, {5, 70}) == "2:5,70");
  CHECK(parse_log_position("2:5,70", f));
  CHECK(f.offsets == std::vector<std::int64_t>{5, 70});
  for (const char* bad : {"", "2", "2:", "1:5,70", "2:5", "2:5,-1", "2:5,70,9", "x:1,2", "2:5,70 "})
    CHECK_FALSE(parse_log_position(bad, f));
}

}  // namespace ampacity::server
