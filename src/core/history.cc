#include "core/history.h"

#include <algorithm>
#include <bit>

namespace ampacity::core {
namespace {

constexpr std::uint32_t one_run = 1 << 20;  // the weight of one run

std::int64_t end_of(std::size_t bucket) { return bucket_begin_s(bucket + 1); }
std::int64_t begin_of(std::size_t bucket) { return bucket == 0 ? 0 : bucket_begin_s(bucket); }

}  // namespace

std::string_view stem_of(std::string_view name) {
  std::size_t end = name.size();
  while (end > 0 && name[end - 1] >= '0' && name[end - 1] <= '9') --end;
  while (end > 0 && (name[end - 1] == '-' || name[end - 1] == '_' || name[end - 1] == '.')) --end;
  return name.substr(0, end);  // of a mere number, nothing
}

std::int64_t bucket_begin_s(std::size_t bucket) {
  const std::int64_t octave = 1LL << (bucket / 2);
  return bucket % 2 ? octave + octave * 2 / 5 : octave;  // 1.4 is near enough to √2
}

std::size_t bucket_of(std::int64_t seconds) {
  if (seconds < 1) return 0;
  const auto octave =
      static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(seconds)) - 1);
  const std::size_t low = std::min(2 * octave, run_buckets - 2);
  return seconds >= bucket_begin_s(low + 1) ? low + 1 : low;
}

std::array<HistoryName, 4> history_names(const Job& job) {
  const auto gpus = static_cast<std::uint64_t>(job.demand.nodes) * job.demand.gpus_per_node;
  // A job's name holds no '#', so a size cannot be taken for one.
  const std::string size = "#" + std::to_string(std::bit_width(gpus));
  return {HistoryName{nobody, ""}, HistoryName{nobody, size}, HistoryName{job.project, ""},
          HistoryName{job.project, std::string(stem_of(job.name)) + size}};
}

void count_run(History& h, std::int64_t run_s) {
  h.counts.resize(run_buckets);
  ++h.counts[std::min(bucket_of(run_s), run_buckets - 1)];
  if (++h.runs <= most_counted) return;
  h.runs = 0;
  for (std::uint32_t& c : h.counts) h.runs += c /= 2;
}

RunTimes::RunTimes(const World& world, const Job& job) {
  weight_.fill(one_run / run_buckets);
  for (const History* h : world.histories_of(job)) {
    if (!h || h->counts.empty()) continue;
    const auto share = static_cast<std::uint32_t>((1ULL << 32) / (h->runs + pull));  // of one run
    const std::uint32_t* counts = h->counts.data();
    // All below 2^32, so that the compiler takes several buckets at once.
    for (std::size_t b = 0; b < run_buckets; ++b) {
      const std::uint32_t runs = counts[b] * one_run + pull * weight_[b];
      weight_[b] = static_cast<std::uint32_t>(std::uint64_t{runs} * share >> 32);
    }
  }
  for (std::uint32_t& w : weight_) w += 1;  // nothing is impossible
}

// Inside a bucket runs are taken to end evenly: of the first, what lies beyond attained_s counts.
struct RunTimes::Tail {
  std::int64_t attained;
  std::size_t first;
  std::uint64_t in_first;
  const RunTimes& of;

  Tail(const RunTimes& r, std::int64_t attained_s)
      : attained(std::max<std::int64_t>(0, attained_s)),
        first(std::min(bucket_of(attained), run_buckets - 1)),
        in_first(0),
        of(r) {
    const std::int64_t width = end_of(first) - begin_of(first);
    const std::int64_t left = std::clamp<std::int64_t>(end_of(first) - attained, 1, width);
    in_first = std::uint64_t{r.weight_[first]} * static_cast<std::uint64_t>(left) /
               static_cast<std::uint64_t>(width);
    in_first += 1;
  }
  std::uint64_t weight(std::size_t b) const { return b == first ? in_first : of.weight_[b]; }
  std::int64_t begin(std::size_t b) const { return b == first ? attained : begin_of(b); }
  std::int64_t end(std::size_t b) const { return std::max(end_of(b), begin(b) + 1); }
  std::int64_t left_middle(std::size_t b) const { return (begin(b) + end(b)) / 2 - attained; }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (std::size_t b = first; b < run_buckets; ++b) sum += weight(b);
    return sum;
  }
};

std::int64_t RunTimes::within_s(std::int64_t attained, std::int64_t permille) const {
  const Tail tail(*this, attained);
  std::uint64_t wanted = tail.total() * static_cast<std::uint64_t>(permille) / 1000;
  for (std::size_t b = tail.first; b < run_buckets; ++b) {
    const std::uint64_t here = tail.weight(b);
    if (wanted < here) {
      const auto width = static_cast<std::uint64_t>(tail.end(b) - tail.begin(b));
      return std::max(attained + 1,
                      tail.begin(b) + static_cast<std::int64_t>(wanted * width / here));
    }
    wanted -= here;
  }
  return std::max(attained + 1, tail.end(run_buckets - 1));
}

std::int64_t RunTimes::mean_left_s(std::int64_t attained) const {
  const Tail tail(*this, attained);
  base::Wide sum = 0;
  for (std::size_t b = tail.first; b < run_buckets; ++b)
    sum += static_cast<base::Wide>(tail.weight(b)) * tail.left_middle(b);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(sum / tail.total()));
}

std::int64_t RunTimes::gittins_s(std::int64_t attained) const {
  const Tail tail(*this, attained);
  const std::uint64_t total = tail.total();
  std::int64_t best = INT64_MAX;
  std::uint64_t ended = 0;
  std::uint64_t used = 0;  // weight × seconds; at most 2^20 × 48 × 2^24
  for (std::size_t b = tail.first; b < run_buckets; ++b) {
    ended += tail.weight(b);
    used += tail.weight(b) * static_cast<std::uint64_t>(tail.left_middle(b));
    const std::uint64_t cut =
        (total - ended) * static_cast<std::uint64_t>(tail.end(b) - tail.attained);
    best = std::min(best, static_cast<std::int64_t>((used + cut) / ended));
  }
  return std::max<std::int64_t>(1, best);
}

std::int64_t attained_s(const Job& job, Instant now) {
  std::int64_t s = job.attained_s;
  if (job.lease && job.lease->started_at.us)
    s += std::max<std::int64_t>(0, (now - job.lease->started_at).whole_seconds());
  return s;
}

std::int64_t expected_s(const World& world, const Job& job, std::int64_t attained,
                        std::int64_t permille) {
  std::int64_t s = job.expected_run_s;
  if (s <= attained) s = RunTimes(world, job).within_s(attained, permille);
  if (job.time_limit_s) s = std::min(s, std::max(attained + 1, job.time_limit_s));
  return s;
}

}  // namespace ampacity::core
