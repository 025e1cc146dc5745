#include "engines/slurm_job_reader.h"

#include <fmt/core.h>

#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <string>

namespace ampacity::engines {
namespace {

namespace json = boost::json;
using base::Instant;

constexpr std::size_t kMostJobs = 200'000;  // of ours
constexpr std::size_t kDeepest = 24;

// What is gathered of one job; numbers may stand alone or as {"set":…,"number":…}.
struct Gathered {
  SlurmJob job;
  std::string comment;
  std::vector<std::string> states;
  std::int64_t exit_status = 0, exit_signal = 0;
  bool exit_is_raw = false;
};

Instant second(std::int64_t s) {
  return s <= 0 || s > 0xffff'fff0 ? Instant{} : Instant{s * 1'000'000};
}

bool one_of(const std::vector<std::string>& words, std::string_view wanted) {
  for (const std::string& w : words)
    if (w == wanted) return true;
  return false;
}

SlurmJob finish(Gathered& g) {
  SlurmJob job = std::move(g.job);
  job.word = g.states.empty() ? "" : g.states.front();
  const bool flagged = one_of(g.states, "COMPLETING");
  if (job.word == "PENDING" || job.word == "CONFIGURING" || job.word == "REQUEUED" ||
      job.word == "RESV_DEL_HOLD" || job.word == "REQUEUE_HOLD" || job.word == "SPECIAL_EXIT")
    job.state = SlurmState::waiting;
  else if ((job.word == "RUNNING" && !flagged) || job.word == "SUSPENDED" ||
           job.word == "STOPPED" || job.word == "RESIZING" || job.word == "SIGNALING" ||
           job.word == "STAGE_OUT")
    job.state = SlurmState::running;
  else
    job.state = flagged ? SlurmState::completing : SlurmState::ended;
  if (g.exit_is_raw) {  // as wait(2) has it
    g.exit_signal = g.exit_status & 0x7f;
    g.exit_status = g.exit_status >> 8 & 0xff;
  }
  job.exit_code = static_cast<std::int32_t>(g.exit_signal != 0 ? 128 + g.exit_signal % 128
                                                               : g.exit_status % 256);
  // A job that was cancelled as it waited has a start equal to its end, and no node.
  job.ran =
      job.state == SlurmState::running || (job.state == SlurmState::ended && !job.nodes.empty());
  if (job.state == SlurmState::running) job.ended_at = {};  // what it says is its limit
  if (job.state == SlurmState::waiting) job.started_at = job.ended_at = {};
  return job;
}

class Handler {
 public:
  explicit Handler(std::string_view comment) : comment_(comment) {}

  constexpr static std::size_t max_object_size = std::size_t(-1);
  constexpr static std::size_t max_array_size = std::size_t(-1);
  constexpr static std::size_t max_key_size = std::size_t(-1);
  constexpr static std::size_t max_string_size = std::size_t(-1);

  std::vector<SlurmJob> jobs;
  bool has_list = false, has_error = false, too_many = false;
  std::string error;
  std::int64_t error_number = 0;

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& ec) {
    if (in_list("jobs") && depth_ == 2) now_ = Gathered{};
    return enter(ec);
  }
  bool on_object_end(std::size_t, json::error_code& ec) {
    leave();
    if (in_list("jobs") && depth_ == 2 && now_.comment == comment_ && now_.job.id != 0 &&
        !now_.job.name.empty()) {
      if (jobs.size() == kMostJobs) {
        too_many = true;
        ec = json::error::array_too_large;
        return false;
      }
      jobs.push_back(finish(now_));
    }
    return true;
  }
  bool on_array_begin(json::error_code& ec) {
    if (depth_ == 1 && keys_[0] == "jobs") has_list = true;
    return enter(ec);
  }
  bool on_array_end(std::size_t, json::error_code&) {
    leave();
    return true;
  }
  bool on_key_part(json::string_view s, std::size_t, json::error_code&) {
    part_.append(s.data(), s.size());
    return true;
  }
  bool on_key(json::string_view s, std::size_t, json::error_code&) {
    part_.append(s.data(), s.size());
    keys_[depth_ - 1].swap(part_);
    part_.clear();
    return true;
  }
  bool on_string_part(json::string_view s, std::size_t, json::error_code&) {
    part_.append(s.data(), s.size());
    return true;
  }
  bool on_string(json::string_view s, std::size_t, json::error_code&) {
    part_.append(s.data(), s.size());
    text(part_);
    part_.clear();
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t n, json::string_view, json::error_code&) {
    number(n);
    return true;
  }
  bool on_uint64(std::uint64_t n, json::string_view, json::error_code&) {
    number(n > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(n));
    return true;
  }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool enter(json::error_code& ec) {
    if (depth_ == kDeepest) {
      ec = json::error::too_deep;
      return false;
    }
    keys_[depth_++].clear();
    return true;
  }
  void leave() { --depth_; }
  bool in_list(std::string_view name) const { return depth_ >= 2 && keys_[0] == name; }

  // Depth 3: a field of a job itself; deeper: a part of one.
  void text(const std::string& value) {
    if (in_list("errors") && depth_ >= 3 && (keys_[2] == "error" || keys_[2] == "description") &&
        error.empty()) {
      has_error = true;
      error = value.substr(0, 300);
    }
    if (!in_list("jobs") || depth_ < 3) return;
    const std::string& field = keys_[2];
    if (field == "job_state") now_.states.push_back(value.substr(0, 32));
    if (depth_ != 3) return;
    if (field == "name") now_.job.name = value.substr(0, 256);
    if (field == "comment") now_.comment = value.substr(0, 256);
    if (field == "nodes") now_.job.nodes = value.substr(0, 256);
    if (field == "state_reason") now_.job.reason = value.substr(0, 100);
  }
  void number(std::int64_t n) {
    if (in_list("errors") && depth_ >= 3 && n != 0 &&
        (keys_[2] == "error_number" || keys_[2] == "error_code" || keys_[2] == "errno")) {
      has_error = true;
      error_number = n;
    }
    if (!in_list("jobs") || depth_ < 3) return;
    const std::string& field = keys_[2];
    if (field == "exit_code") {
      const std::string_view leaf = keys_[depth_ - 1];
      now_.exit_is_raw = depth_ == 3;
      if (depth_ == 3 || (leaf == "number" && keys_[3] == "return_code")) now_.exit_status = n;
      if (depth_ > 3 && keys_[3] == "signal" && (leaf == "number" || leaf == "signal_id"))
        now_.exit_signal = n;
      return;
    }
    if (depth_ > 3 && !(depth_ == 4 && keys_[3] == "number")) return;
    if (field == "job_id")
      now_.job.id = n > 0 && n <= UINT32_MAX ? static_cast<std::uint32_t>(n) : 0;
    if (field == "start_time") now_.job.started_at = second(n);
    if (field == "end_time") now_.job.ended_at = second(n);
    if (field == "time_limit") now_.job.limit_min = n;
    if (field == "restart_cnt" && n > 0 && n <= UINT32_MAX)
      now_.job.restarts = static_cast<std::uint32_t>(n);
  }

  std::string_view comment_;
  std::array<std::string, kDeepest> keys_;
  std::size_t depth_ = 0;
  std::string part_;
  Gathered now_;
};

}  // namespace

base::Try<std::vector<SlurmJob>> read_slurm_jobs(std::string_view body, std::string_view comment) {
  json::basic_parser<Handler> parser(json::parse_options{}, comment);
  json::error_code ec;
  parser.write_some(false, body.data(), body.size(), ec);
  const Handler& h = parser.handler();
  if (h.too_many) return base::fault(fmt::format("Slurm's jobs: more than {} of ours", kMostJobs));
  if (ec) return base::fault("Slurm's jobs: not a whole answer: " + ec.message());
  if (h.has_error) return base::fault("Slurm: " + h.error, true, static_cast<int>(h.error_number));
  if (!h.has_list) return base::fault("Slurm's jobs: there is no list");
  return std::move(parser.handler().jobs);
}

}  // namespace ampacity::engines
