// slurm_list_bench [--jobs N] [--json]   reading slurmrestd's list of N jobs, all of them ours,
// each as 22.05.8 was recorded to write one (tests/corpus/slurm_answers); 8,100 without a word
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <thread>

#include "engines/slurm_job_reader.h"

using namespace ampacity::engines;

namespace {

namespace json = boost::json;

constexpr const char* kRecorded = "tests/corpus/slurm_answers/jobs.json";  // from the repository

double status_mib(const char* key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stod(line.substr(std::strlen(key))) / 1024;
  return 0;
}

// The recorded jobs turn about, each with a number and a name of its own.
std::string list_of(std::size_t jobs) {
  std::ifstream in(kRecorded);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  json::value recorded = json::parse(text);
  json::array& all = recorded.at("jobs").as_array();
  std::string body = R"({"meta":{},"errors":[],"jobs":[)";
  for (std::size_t n = 0; n < jobs; ++n) {
    json::object& job = all[n % all.size()].as_object();
    job["job_id"] = n + 1;
    job["comment"] = "ampacity:x";
    job["name"] = "job-0000000000003g" + std::to_string(1'000'000'000'000 + n) + "-1-0";
    body += (n == 0 ? "" : ",") + json::serialize(job);
  }
  return body + "]}";
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t jobs = 8'100;
  for (int i = 1; i + 1 < argc; ++i)
    if (std::strcmp(argv[i], "--jobs") == 0) jobs = std::strtoull(argv[i + 1], nullptr, 10);
  if (!std::ifstream(kRecorded)) return std::fprintf(stderr, "no %s here\n", kRecorded), 77;
  const std::string body = list_of(jobs);
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak is counted from here
  const double before = status_mib("VmRSS:");
  std::vector<double> ms;
  std::size_t read = 0;
  for (int turn = 0; turn < 9; ++turn) {
    const std::clock_t began = std::clock();  // of the processor: others may be at work
    const auto list = read_slurm_jobs(body, "ampacity:x");
    ms.push_back(static_cast<double>(std::clock() - began) * 1000 / CLOCKS_PER_SEC);
    if (!list) return std::fprintf(stderr, "%s\n", list.error().message.c_str()), 1;
    read = list->size();
  }
  if (read != jobs) return std::fprintf(stderr, "%zu read of %zu\n", read, jobs), 1;
  std::sort(ms.begin(), ms.end());
  const double mib = static_cast<double>(body.size()) / (1 << 20);
  std::printf(
      "%zu jobs, %.1f MiB: read in %.0f ms of processor (median of %zu), %.0f MiB beside the "
      "text\n",
      jobs, mib, ms[ms.size() / 2], ms.size(), status_mib("VmHWM:") - before);
  std::printf("%s\n",
              json::serialize(json::object{{"bench", "slurm_list"},
                                           {"jobs", jobs},
                                           {"body_mib", mib},
                                           {"parse_cpu_ms_p50", ms[ms.size() / 2]},
                                           {"mib_per_s", mib / ms[ms.size() / 2] * 1000},
                                           {"beside_text_mib", status_mib("VmHWM:") - before},
                                           {"cpus", std::thread::hardware_concurrency()},
                                           {"compiler", __VERSION__}})
                  .c_str());
}
