// The queue, revenue, a job's life, waits by size, and the letters of the fleet, on small clouds.
#include <doctest/doctest.h>

#include "api/view_operate.h"
#include "api/views.h"
#include "core/desire.h"
#include "core/estimate.h"
#include "core/test_cloud.h"

namespace ampacity::api {
namespace {

using core::JobClass;
using core::TestCloud;

std::string said(const JobMoments& life) {
  std::string text;
  for (const JobMoment& m : life.items)
    text += (text.empty() ? "" : " ") + m.what + std::to_string(m.generation);
  return text;
}

core::SubmitJob of_project(TestCloud& c, const char* gpus, core::ProjectIx project,
                           JobClass job_class = JobClass::on_demand) {
  core::SubmitJob s = c.request(gpus);
  s.job.project = project;
  s.job.job_class = job_class;
  return s;
}

}  // namespace

TEST_CASE("queue: by class, then who has used less, with starts and standings") {
  TestCloud c(1);
  c.add_project("other", 100'000'000);
  core::SubmitJob first = c.request("h100:8", 7200);
  c.start(first);
  c.now = c.now + base::Duration::seconds(600);
  const base::Id spot = c.submit(of_project(c, "h100:8", 1, JobClass::spot));
  const base::Id mine = c.submit(of_project(c, "h100:8", 0));
  const base::Id others = c.submit(of_project(c, "h100:8", 1));
  const QueueView q = view_queue(c.world, 10, c.now, core::forecast(c.world, c.now, 500));
  CHECK(q.waiting == 3);
  REQUIRE(q.items.size() == 3);
  CHECK(q.items[0].job == core::job_name(others));
  CHECK(q.items[1].job == core::job_name(mine));
  CHECK(q.items[2].job == core::job_name(spot));
  CHECK(q.items[2].place == 3);
  CHECK(q.items[0].gpus == "h100:8");
  CHECK(q.items[0].expected);
  // Promised while it was alone; who came ahead of it by using less has one at the next review.
  CHECK(q.items[1].promise);
  CHECK(q.classes[1].jobs == 2);
  REQUIRE(q.projects.size() == 2);
  CHECK(q.projects[0].project == "other");
  CHECK(q.projects[0].waiting == 2);
  CHECK(q.projects[0].used_permille == 0);
  CHECK(q.projects[1].used_permille == 1000);
  CHECK(q.projects[1].due_permille == 500);
  CHECK(q.projects[1].gpus == "8");
  CHECK(view_queue(c.world, 1, c.now, {}).items.size() == 1);
  CHECK(view_queue(TestCloud(1).world, 10, c.now, {}).items.empty());
}

TEST_CASE("revenue: what runs, by SKU and class, at what it pays; cards in use") {
  TestCloud c(2, 1);
  CHECK(view_revenue(c.world, c.now).rows.empty());
  c.start(c.request("h100:8"));
  c.start(of_project(c, "h100:2", 0, JobClass::spot));
  c.submit(c.request("a40:1"));  // placed, not started: not billed yet
  const RevenueView v = view_revenue(c.world, c.now);
  REQUIRE(v.rows.size() == 2);
  CHECK(v.rows[0].job_class == JobClass::on_demand);
  CHECK(v.rows[0].usd_per_hour == "44.64");
  CHECK(v.rows[0].gpus == "8");
  CHECK(v.rows[1].job_class == JobClass::spot);
  CHECK(v.rows[1].gpus == "2");
  REQUIRE(v.totals.size() == 1);
  CHECK_FALSE(v.totals[0].currency);
  REQUIRE(v.skus.size() == 2);
  CHECK(v.skus[0].gpus == 16);
  CHECK(v.skus[0].leased == 10);
  CHECK(v.skus[1].leased == 1);
}

TEST_CASE("a job's life: submitted, placed, started, told to stop, stopped, ended; and again") {
  TestCloud c(1);
  const core::SubmitJob s = c.request("h100:8");
  const base::Id id = c.submit(s);
  CHECK(said(view_moments(c.world, c.job(id))) == "submitted0 placed1");
  c.now = c.now + base::Duration::seconds(5);
  c.seen(id, core::RankSeen::State::running);
  CHECK(said(view_moments(c.world, c.job(id))) == "submitted0 placed1 started1");
  const base::Id waits = c.submit(c.request("h100:8"));
  CHECK(said(view_moments(c.world, c.job(waits))).starts_with("submitted0"));
  c.now = c.now + base::Duration::seconds(60);
  REQUIRE(c.run(core::StopJob{id, core::StopReason::asked, "stopped by ann"}));
  const JobMoments stopping = view_moments(c.world, c.job(id));
  CHECK(stopping.items.back().what == "told_to_stop");
  CHECK(stopping.items.back().text == "stopped by ann");
  core::Job ended = c.job(id);
  core::end_job(ended, {id, core::Outcome::cancelled, "stopped by ann"}, c.now);
  CHECK(said(view_moments(c.world, ended)) == "submitted0 ended1");
  CHECK(view_moments(c.world, ended).items.back().text == "cancelled: stopped by ann");
}

TEST_CASE("waits: what fits now, what waits for whom, what never fits is not there") {
  TestCloud c(2);
  core::SubmitJob first = c.request("h100:8", 3600);
  first.job.expected_run_s = 1800;
  c.start(first);
  const OfferWaits w = view_waits(c.world, 0, *c.world.sku("h100"), JobClass::on_demand, c.now);
  REQUIRE(w.items.size() == 5);  // 1, 2, 4, 8, 8x2
  CHECK(w.items[0].gpus == "h100:1");
  for (int i = 0; i < 4; ++i) CHECK(w.items[i].starts_now);
  CHECK(w.items[4].gpus == "h100:8x2");
  CHECK_FALSE(w.items[4].starts_now);
  CHECK(w.items[4].expected == c.now + base::Duration::seconds(1800));
  CHECK(w.items[3].usd_per_hour == "44.64");
  CHECK(view_waits(c.world, 0, *c.world.sku("cpu"), JobClass::on_demand, c.now).items.empty());
}

TEST_CASE(
    "the fleet in letters: one for each node and each card, by class, in capitals while it "
    "starts") {
  TestCloud c(2, 1);
  const auto letters = [&c] {
    std::string states, gpus;
    for (core::NodeIx n = 0; n < c.world.state().nodes.size(); ++n) {
      const NodeLetters one = node_letters(c.world, n, c.now);
      states += one.state;
      gpus += one.gpus;
    }
    CHECK(states == "aaaa");
    return gpus;
  };
  CHECK(letters() == "....................");
  const base::Id id = c.submit(c.request("h100:2"));
  std::string l = letters();
  CHECK(std::count(l.begin(), l.end(), 'O') == 2);
  c.seen(id, core::RankSeen::State::running);
  c.start(of_project(c, "a40:1", 0, JobClass::spot));
  l = letters();
  CHECK(std::count(l.begin(), l.end(), 'o') == 2);
  CHECK(l.substr(16).find('s') != std::string::npos);
  const FleetMap m = view_fleet_map(c.world);
  CHECK(m.nodes.size() == 4);
  CHECK(m.gpus == std::vector<std::uint32_t>{8, 8, 4, 0});
  CHECK(m.skus[m.sku[2]] == "a40");
}

}  // namespace ampacity::api
