// ./dev bench meter: CloudEvents over HTTP, authenticated, deduplicated and durable, in batches of
// 100, closed loop, client on the same CPUs. First with ids that grow with time, as UUIDv7, ULIDs
// and counters do; then with random ones. In the end a batch is sent again, and the store's hashes
// and chain are computed anew.
//   meter_bench [--seconds 10] [--connections 64] [--batch 100] [--projects 50] [--keep DIR]
#include <cstdlib>

#include "api/meter_events.h"
#include "base/prng.h"
#include "server/load_client.h"
#include "store/journal.h"

namespace ampacity::server {
namespace {

struct MeterPlan {
  std::uint16_t port = 0;
  std::string key;
  std::size_t connections = 64;
  int batch = 100;
  int projects = 50;
  double warm_up_s = 1, seconds = 10;
  bool random_ids = false;
};

// One request whose ids are written anew before each sending; all else stays.
class Template {
 public:
  Template(const MeterPlan& plan, std::size_t source) {
    const std::string now = base::format_instant(base::SystemClock().now());
    std::string body = "[";
    for (int i = 0; i < plan.batch; ++i) {
      body += i ? ",{" : "{";
      body += R"("specversion":"1.0","id":")";
      ids_.push_back(body.size());
      body += fmt::format(
          R"(01936b7e-0000-7000-8000-000000000000","source":"storage/lab-{}",)"
          R"("type":"ampacity.meter.storage_gb_hours.v1","subject":"load-{}","time":"{}",)"
          R"("data":{{"quantity":"{}.{:06}","resource":"vol-{:08}"}}}})",
          source, i % plan.projects, now, i, 7919 * i % 1'000'000, i);
    }
    body += "]";
    bytes = fmt::format(
        "POST /v1/meter-events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n"
        "Content-Type: application/cloudevents-batch+json\r\nContent-Length: {}\r\n\r\n",
        plan.key, body.size());
    for (std::size_t& at : ids_) at += bytes.size();
    bytes += body;
  }
  // 16 hex digits that grow, or 28 random ones.
  void renew(base::Prng* random) {
    for (const std::size_t at : ids_) {
      if (random) {
        write_hex(at, random->next());
        write_hex(at + 18, random->next());
      } else {
        write_hex(at + 19, (*counter)++);
      }
    }
  }
  std::string body() const { return bytes.substr(bytes.find("\r\n\r\n") + 4); }

  std::string bytes;
  std::uint64_t* counter = nullptr;  // of its source: ids grow over all connections of a collector

 private:
  void write_hex(std::size_t at, std::uint64_t n) {
    static constexpr char hex[] = "0123456789abcdef";
    for (int i = 15; i >= 0; --i, n >>= 4) bytes[at + static_cast<std::size_t>(i)] = hex[n & 15];
  }
  std::vector<std::size_t> ids_;
};

struct MeterResult {
  std::vector<float> latencies_ms;  // of a batch, sorted
  std::uint64_t accepted = 0;       // in the measured time
  std::uint64_t sent = 0;           // in all
  double seconds = 0;
  std::string broken;
  std::string last_body;
  double events_per_s() const { return seconds > 0 ? static_cast<double>(accepted) / seconds : 0; }
  double quantile_ms(double q) const {
    if (latencies_ms.empty()) return 0;
    return latencies_ms[static_cast<std::size_t>(q * static_cast<double>(latencies_ms.size() - 1))];
  }
};

// Each connection sends its next batch as soon as it has its answer.
class MeterLoad {
 public:
  explicit MeterLoad(MeterPlan plan) : plan_(std::move(plan)) {}

  MeterResult run() {
    epoll_ = epoll_create1(0);
    for (std::size_t i = 0; i < plan_.connections; ++i) {
      clients_.emplace_back(plan_, i % counters_.size());
      clients_.back().request.counter = &counters_[i % counters_.size()];
      if (!connect_one(i)) return {{}, 0, 0, 0, "cannot connect", {}};
    }
    const double begun = now_s();
    measured_from_ = begun + plan_.warm_up_s;
    until_ = measured_from_ + plan_.seconds;
    for (auto& c : clients_) fire(c);
    std::array<epoll_event, 128> events;
    while (open_ > 0 && result_.broken.empty()) {
      const int n = epoll_wait(epoll_, events.data(), events.size(), 1000);
      for (int i = 0; i < n && result_.broken.empty(); ++i) {
        Client& c = clients_[events[static_cast<std::size_t>(i)].data.u64];
        if (c.sent < c.request.bytes.size()) push(c);
        if (events[static_cast<std::size_t>(i)].events & EPOLLIN) receive(c);
      }
    }
    result_.seconds = plan_.seconds;
    result_.last_body = clients_[0].request.body();
    for (auto& c : clients_) close(c.fd);
    close(epoll_);
    std::sort(result_.latencies_ms.begin(), result_.latencies_ms.end());
    return std::move(result_);
  }

 private:
  struct Client {
    Client(const MeterPlan& plan, std::size_t source) : request(plan, source) {}
    Template request;
    int fd = -1;
    std::size_t sent = 0;
    double sent_s = 0;
    std::string got;
  };

  bool connect_one(std::size_t i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(plan_.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) return false;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = i;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    clients_[i].fd = fd;
    return true;
  }
  void fire(Client& c) {
    c.request.renew(plan_.random_ids ? &prng_ : nullptr);
    c.sent = 0;
    c.sent_s = now_s();
    result_.sent += static_cast<std::uint64_t>(plan_.batch);
    ++open_;
    push(c);
  }
  void push(Client& c) {
    while (c.sent < c.request.bytes.size()) {
      const ssize_t n = send(c.fd, c.request.bytes.data() + c.sent, c.request.bytes.size() - c.sent,
                             MSG_NOSIGNAL);
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (n <= 0) {
        result_.broken = "the server hung up";
        return;
      }
      c.sent += static_cast<std::size_t>(n);
    }
  }
  void receive(Client& c) {
    std::array<char, 4096> bytes;
    while (true) {
      const ssize_t n = recv(c.fd, bytes.data(), bytes.size(), 0);
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (n <= 0) {
        result_.broken = "the server hung up";
        return;
      }
      c.got.append(bytes.data(), static_cast<std::size_t>(n));
    }
    const std::size_t head = c.got.find("\r\n\r\n");
    const std::size_t length = c.got.find("Content-Length: ");
    if (head == std::string::npos || length > head) return;
    if (c.got.size() < head + 4 + std::strtoull(c.got.c_str() + length + 16, nullptr, 10)) return;
    const double now = now_s();
    const std::string all = fmt::format(R"("accepted":{},"duplicates":0,)", plan_.batch);
    if (c.got.find(all) == std::string::npos) {
      result_.broken = "not all taken: " + c.got.substr(0, 600);
      return;
    }
    if (now >= measured_from_ && now < until_) {
      result_.latencies_ms.push_back(static_cast<float>((now - c.sent_s) * 1e3));
      result_.accepted += static_cast<std::uint64_t>(plan_.batch);
    }
    c.got.clear();
    --open_;
    if (now < until_) fire(c);
  }

  MeterPlan plan_;
  std::vector<Client> clients_;
  std::array<std::uint64_t, 8> counters_{};  // by source
  MeterResult result_;
  base::SeededPrng prng_{static_cast<std::uint64_t>(getpid())};
  int epoll_ = -1;
  double measured_from_ = 0, until_ = 0;
  std::uint64_t open_ = 0;
};

// The last batch again: all of it is known; and nothing that was sent is missing.
std::string wrong_after(ChildServer& child, const MeterPlan& plan, const MeterResult& r,
                        std::uint64_t sent) {
  const auto again =
      base::from_json<api::MeterAnswer>(child.call("POST", "/v1/meter-events", r.last_body).body);
  if (!again) return "the last batch, sent again, was not answered";
  if (again->duplicates != static_cast<std::size_t>(plan.batch) || again->accepted)
    return "the last batch, sent again, was taken again: " + base::to_json(*again);
  if (again->last_sequence != sent)
    return fmt::format("{} sent, {} stored", sent, again->last_sequence);
  return {};
}

int bench(MeterPlan plan, const std::filesystem::path& state) {
  ChildServer child(state);
  if (child.start({"--engine", "stub", "--emulate", "h100:8x1"}) < 0) {
    fmt::print(stderr, "the server did not start\n");
    return 1;
  }
  plan.port = child.port();
  std::ifstream(state / "owner.key") >> plan.key;
  child.call("POST", "/v1/orgs", R"({"name":"load"})");
  for (int i = 0; i < plan.projects; ++i)
    child.call("POST", "/v1/projects", fmt::format(R"({{"name":"load-{}","org":"load"}})", i));
  const double cpu_before = child.cpu_s();
  const auto r = MeterLoad(plan).run();
  const double cpu = child.cpu_s() - cpu_before;
  std::string wrong = r.broken.empty() ? wrong_after(child, plan, r, r.sent) : r.broken;
  plan.random_ids = true;
  const auto random = MeterLoad(plan).run();
  if (wrong.empty())
    wrong = random.broken.empty() ? wrong_after(child, plan, random, r.sent + random.sent)
                                  : random.broken;
  const auto rss = child.rss_mib();
  child.end(SIGTERM);
  const double checking = now_s();
  const auto verified = store::verify_meter_events({state / "ampacity.db"});
  if (wrong.empty() && !verified) wrong = verified.error().message;
  if (!wrong.empty()) fmt::print(stderr, "{}\n", wrong);
  fmt::print(
      "{{\"bench\":\"meter\",\"events_per_s\":{:.0f},\"p50_ms\":{:.1f},\"p99_ms\":{:.1f},"
      "\"random_ids_events_per_s\":{:.0f},\"random_ids_p99_ms\":{:.1f},\"batch\":{},"
      "\"connections\":{},\"projects\":{},\"seconds\":{:.1f},\"server_cpu\":{:.2f},\"rss_mib\":{},"
      "\"events\":{},\"db_bytes_per_event\":{:.0f},\"verify_events_per_s\":{:.0f},\"sound\":{},"
      "{}}}\n",
      r.events_per_s(), r.quantile_ms(0.5), r.quantile_ms(0.99), random.events_per_s(),
      random.quantile_ms(0.99), plan.batch, plan.connections, plan.projects, plan.seconds,
      cpu / (plan.seconds + plan.warm_up_s), rss, verified.value_or(0),
      static_cast<double>(std::filesystem::file_size(state / "ampacity.db")) /
          static_cast<double>(std::max<std::uint64_t>(1, verified.value_or(1))),
      static_cast<double>(verified.value_or(0)) / (now_s() - checking), wrong.empty(),
      machine_json());
  return wrong.empty() ? 0 : 1;
}

}  // namespace
}  // namespace ampacity::server

int main(int argc, char** argv) {
  using namespace ampacity;
  server::MeterPlan plan;
  std::string keep;
  for (int i = 1; i + 1 < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--seconds") plan.seconds = std::atof(argv[i + 1]);
    if (flag == "--connections")
      plan.connections = static_cast<std::size_t>(std::atoi(argv[i + 1]));
    if (flag == "--batch") plan.batch = std::atoi(argv[i + 1]);
    if (flag == "--projects") plan.projects = std::atoi(argv[i + 1]);
    if (flag == "--keep") keep = argv[i + 1];
  }
  server::use_all_descriptors();
  char pattern[] = "/var/tmp/ampacity-bench-XXXXXX";
  const std::filesystem::path state = keep.empty() ? mkdtemp(pattern) : keep.c_str();
  const int status = server::bench(plan, state);
  if (keep.empty()) std::filesystem::remove_all(state);
  return status;
}
