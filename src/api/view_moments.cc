#include <fmt/core.h>

#include <algorithm>

#include "api/view_operate.h"
#include "api/views.h"
#include "core/meter.h"

namespace ampacity::api {
namespace {

class Life {
 public:
  Life(const core::World& w, const core::Job& job) : w_(w), job_(job) {}

  JobMoments told() {
    const auto& users = w_.state().users;
    add(job_.submitted_at, "submitted", 0,
        "submitted by " + (job_.user == core::nobody ? "the operator" : users[job_.user].name));
    for (std::size_t i = 0; i < job_.intervals.size(); ++i) interval(job_.intervals[i]);
    if (job_.promise)
      add(job_.promise->made_at, "promised", job_.generation,
          fmt::format("starts by {}{}", base::format_instant(job_.promise->start_by),
                      job_.promise->certain ? "" : ", likely"));
    if (job_.claim)
      add(job_.claim->made_at, "claimed", job_.generation,
          fmt::format("given GPUs on {}, which others must leave first",
                      places(job_.claim->places)));
    if (job_.lease && job_.state != core::JobState::ended) lease(*job_.lease);
    if (job_.state == core::JobState::ended)
      add(job_.ended_at, "ended", job_.generation,
          std::string(base::enum_name(job_.outcome)) + (job_.why.empty() ? "" : ": " + job_.why));
    std::stable_sort(life_.items.begin(), life_.items.end(),
                     [](const JobMoment& a, const JobMoment& b) { return a.at < b.at; });
    return std::move(life_);
  }

 private:
  void add(Instant at, const char* what, std::uint32_t generation, std::string text) {
    life_.items.push_back({at, what, generation, std::move(text)});
  }
  std::string places(const std::vector<core::Place>& all) const {
    constexpr std::size_t most_named = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(all.size(), most_named); ++i)
      text += (i ? ", " : "") + w_.state().nodes[all[i].node].name;
    return all.size() > most_named ? fmt::format("{} and {} more", text, all.size() - most_named)
                                   : text;
  }
  void lease(const core::Lease& l) {
    add(l.granted_at, "placed", job_.generation, "placed on " + places(l.places));
    if (l.started_at.us)
      add(l.started_at, "started", job_.generation, "runs on " + places(l.places));
    if (l.checkpoint_at.us) add(l.checkpoint_at, "saved", job_.generation, "its work is saved");
    if (job_.state == core::JobState::stopping)
      add(job_.stop_ordered_at, "told_to_stop", job_.generation,
          job_.why.empty() ? "told to stop" : job_.why);
  }
  void interval(const core::Interval& i) {
    const bool ran = i.started_at.us && i.ended_at > i.started_at;
    if (ran) add(i.started_at, "started", i.generation, "ran on " + places(i.places));
    const bool last = &i == &job_.intervals.back() && job_.state == core::JobState::ended;
    std::string text = fmt::format("{} s billed, {}", i.billed_s,
                                   core::money_text(w_.state(), job_.project, i.amounts.total()));
    for (std::size_t r = 0; r < std::min<std::size_t>(i.ranks.size(), 4); ++r)
      if (i.ranks[r].state == core::RankState::ended)
        text += fmt::format("; rank {} ended with {}", r, i.ranks[r].exit_code);
    if (!last) text += "; queued again";
    add(i.ended_at, "stopped", i.generation, std::move(text));
  }

  const core::World& w_;
  const core::Job& job_;
  JobMoments life_;
};

}  // namespace

JobMoments view_moments(const core::World& w, const core::Job& job) { return Life(w, job).told(); }

}  // namespace ampacity::api
