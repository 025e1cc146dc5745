// ./dev bench submit: one-GPU jobs over HTTP, authenticated, credit-held, durable and placed, on
// 8,000 emulated GPUs, with the stub engine ending each after 300 ms, client on the same CPUs.
// First closed loop (as many as it takes), then paced (12,000 offered a second; latency counts from
// when each was due).
//   submit_bench [--seconds 10] [--rate 12000] [--connections 512] [--nodes 1000] [--keep DIR]
//                [--store postgres | --store postgres://…]     (the word alone: one of its own)
#include <cstdlib>

#include "server/load_client.h"
#include "store/scratch_postgres.h"

static std::string database_of_its_own() {
  auto& postgres = ampacity::store::ScratchPostgres::get();
  return postgres.url(postgres.make_database());
}

int main(int argc, char** argv) {
  using namespace ampacity;
  double seconds = 10, rate = 12'000;
  std::size_t connections = 512;
  int nodes = 1000;
  std::string keep, on;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (i + 1 >= argc) continue;
    if (flag == "--seconds") seconds = std::atof(argv[i + 1]);
    if (flag == "--connections") connections = static_cast<std::size_t>(std::atoi(argv[i + 1]));
    if (flag == "--nodes") nodes = std::atoi(argv[i + 1]);
    if (flag == "--rate") rate = std::atof(argv[i + 1]);
    if (flag == "--keep") keep = argv[i + 1];
    if (flag == "--store") on = argv[i + 1];
  }
  server::use_all_descriptors();
  char pattern[] = "/var/tmp/ampacity-bench-XXXXXX";
  const std::filesystem::path state = keep.empty() ? mkdtemp(pattern) : keep.c_str();
  int status = 1;
  {
    std::vector<std::string> words = {"--engine", "stub", "--emulate",
                                      fmt::format("h100:8x{}", nodes)};
    if (on == "postgres") on = database_of_its_own();
    if (!on.empty()) words.insert(words.end(), {"--store", on});
    server::ChildServer child(state);
    if (child.start(words) < 0) {
      fmt::print(stderr, "the server did not start\n");
      return 1;
    }
    server::LoadPlan plan;
    plan.port = child.port();
    plan.key = child.customer_key();
    plan.body = R"({"image":"bench","resources":{"gpus":"h100:1"},"command":["train"]})";
    plan.connections = connections;
    plan.seconds = seconds;
    const double cpu_before = child.cpu_s();
    const auto r = server::Load(plan).run();
    const double cpu = child.cpu_s() - cpu_before;
    plan.rate = rate;
    const auto paced = server::Load(plan).run();
    const auto rss = child.rss_mib();
    sleep(2);  // the last jobs end
    const auto check = child.call("GET", "/v1/ledger/check", "");
    const auto books = base::from_json<api::LedgerCheck>(check.body);
    const bool sound = r.broken.empty() && r.refused == 0 && paced.broken.empty() &&
                       paced.refused == 0 && books && books->holds;
    for (const auto* load : {&r, &paced})
      if (!load->broken.empty() || load->refused)
        fmt::print(stderr, "{} refused; {} after {:.1f} s\n", load->refused, load->broken,
                   load->seconds);
    if (!books || !books->holds) fmt::print(stderr, "the books do not hold: {}\n", check.body);
    fmt::print(
        "{{\"bench\":\"submit\",\"store\":\"{}\",\"jobs_per_s\":{:.0f},\"p50_ms\":{:.1f},\"p99_"
        "ms\":{:.1f},"
        "\"paced_jobs_per_s\":{:.0f},\"paced_p50_ms\":{:.1f},\"paced_p99_ms\":{:.1f},"
        "\"rss_mib\":{},\"refused\":{},\"connections\":{},\"gpus\":{},\"seconds\":{:.1f},"
        "\"server_cpu\":{:.2f},\"books_hold\":{},{}}}\n",
        on.empty() ? "sqlite" : "postgres", static_cast<double>(r.latencies_ms.size()) / r.seconds,
        r.quantile_ms(0.5), r.quantile_ms(0.99),
        static_cast<double>(paced.latencies_ms.size()) / paced.seconds, paced.quantile_ms(0.5),
        paced.quantile_ms(0.99), rss, r.refused, connections, nodes * 8, r.seconds,
        cpu / (r.seconds + plan.warm_up_s), sound, server::machine_json());
    status = sound ? 0 : 1;
  }
  if (keep.empty()) std::filesystem::remove_all(state);
  return status;
}
