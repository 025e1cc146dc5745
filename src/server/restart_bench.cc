// ./dev bench restart: kill -9 a server with 100,000 ended and 10,000 live jobs; how long until the
// next one answers?
//   restart_bench [--ended 100000] [--live 10000] [--json]
#include <cstdlib>

#include "server/load_client.h"

int main(int argc, char** argv) {
  using namespace ampacity;
  std::uint64_t ended = 100'000, live = 10'000;
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--ended") ended = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--live") live = std::strtoull(argv[i + 1], nullptr, 10);
  }
  server::use_all_descriptors();
  char pattern[] = "/var/tmp/ampacity-bench-XXXXXX";
  const std::filesystem::path state = mkdtemp(pattern);
  const std::string fleet = fmt::format("h100:8x{}", live / 8 + 1);
  std::string broken;
  double ready_s = 0;
  std::uint64_t live_after = 0;
  {
    server::ChildServer child(state);
    const auto load = [&](std::uint64_t jobs, const std::string& key) {
      server::LoadPlan plan;
      plan.port = child.port();
      plan.key = key.empty() ? child.customer_key() : key;
      plan.body = R"({"image":"bench","resources":{"gpus":"h100:1"},"command":["train"]})";
      plan.warm_up_s = 0;
      plan.seconds = 300;
      plan.most = jobs;
      const auto r = server::Load(plan).run();
      if (!r.broken.empty() || r.refused) broken = "the load was refused: " + r.broken;
      return plan.key;
    };
    child.start({"--engine", "stub", "--stub-run-ms", "50", "--emulate", fleet});
    const std::string key = load(ended, "");
    sleep(1);
    child.end(SIGTERM);
    child.start({"--engine", "stub", "--stub-run-ms", "86400000", "--emulate", fleet});
    load(live, key);
    sleep(1);
    child.end(SIGKILL);
    ready_s = child.start({"--engine", "stub", "--stub-run-ms", "86400000", "--emulate", fleet});
    const auto health = child.call("GET", "/healthz", "");
    const std::size_t at = health.body.find("\"live_jobs\":");
    if (at != std::string::npos)
      live_after = std::strtoull(health.body.c_str() + at + 12, nullptr, 10);
    child.end(SIGKILL);
  }
  std::filesystem::remove_all(state);
  if (live_after != live) broken += " live jobs after the restart: " + std::to_string(live_after);
  if (!broken.empty()) fmt::print(stderr, "{}\n", broken);
  fmt::print(
      "{{\"bench\":\"restart\",\"ready_s\":{:.2f},\"ended\":{},\"live\":{},\"sound\":{},{}}}\n",
      ready_s, ended, live_after, broken.empty(), server::machine_json());
  return broken.empty() && ready_s > 0 ? 0 : 1;
}
