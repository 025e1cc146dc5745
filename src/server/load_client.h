// For benchmarks only: a server as a child process, and many keep-alive connections that submit
// jobs. Threads: one. Answers are small and their end is known by Content-Length.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "api/contract.h"
#include "net/http_client.h"

namespace ampacity::server {

inline double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// ampacityd from the directory this program is in.
class ChildServer {
 public:
  explicit ChildServer(std::filesystem::path state) : state_(std::move(state)) {}
  ~ChildServer() { end(SIGTERM); }

  // Seconds until it answered /healthz; negative if it did not within 60.
  double start(std::vector<std::string> more) {
    const auto program =
        std::filesystem::read_symlink("/proc/self/exe").parent_path() / "ampacityd";
    const auto port_file = state_ / "port";
    std::filesystem::remove(port_file);
    std::vector<std::string> args = {
        program,       "--state", state_,    "--listen",         "127.0.0.1:0",
        "--port-file", port_file, "--quiet", "--owner-key-file", state_ / "owner.key"};
    args.insert(args.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& a : args) argv.push_back(a.data());
    argv.push_back(nullptr);
    const double begun = now_s();
    pid_ = fork();
    if (pid_ == 0) {
      const int null = open("/dev/null", O_WRONLY);
      dup2(null, 1);
      execv(argv[0], argv.data());
      _exit(127);
    }
    while (now_s() < begun + 60) {
      std::ifstream(port_file) >> port_;
      if (port_ && call("GET", "/healthz", "").status == 200) return now_s() - begun;
      usleep(2000);
    }
    return -1;
  }
  void end(int signal) {
    if (pid_ <= 0) return;
    kill(pid_, signal);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    port_ = 0;
  }
  net::Response call(const char* method, const std::string& path, const std::string& body) {
    net::HttpClient client({fmt::format("http://127.0.0.1:{}", port_), ""});
    net::Request q{method, path, {{"Content-Type", "application/json"}}, body};
    std::string key;
    std::ifstream(state_ / "owner.key") >> key;
    if (!key.empty()) q.headers.push_back({"Authorization", "Bearer " + key});
    auto r = client.call(q, {base::Duration::seconds(120)});
    return r ? std::move(*r) : net::Response{0, "", r.error().message, {}};
  }
  // An org with a rich project; a customer's key.
  std::string customer_key() {
    call("POST", "/v1/orgs", R"({"name":"load"})");
    call("POST", "/v1/projects", R"({"name":"load","org":"load"})");
    call("POST", "/v1/users", R"({"name":"load","org":"load"})");
    for (int i = 0; i < 10; ++i)
      call("POST", "/v1/credits", R"({"project":"load","amount":"100000000.00"})");
    const auto r = call("POST", "/v1/keys", R"({"project":"load","user":"load"})");
    const auto key = base::from_json<api::KeyView>(r.body);
    return key && key->secret ? *key->secret : "";
  }
  std::int64_t rss_mib() const {
    std::ifstream statm(fmt::format("/proc/{}/statm", pid_));
    std::int64_t size = 0, resident = 0;
    statm >> size >> resident;
    return resident * sysconf(_SC_PAGESIZE) >> 20;
  }
  double cpu_s() const {
    std::ifstream stat(fmt::format("/proc/{}/stat", pid_));
    std::string field;
    double ticks = 0;
    for (int i = 1; i <= 15 && stat >> field; ++i)
      if (i >= 14) ticks += std::stod(field);
    return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  std::uint16_t port() const { return port_; }

 private:
  std::filesystem::path state_;
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

struct LoadResult {
  std::vector<float> latencies_ms;  // of accepted submissions, sorted
  std::uint64_t refused = 0;
  double seconds = 0;
  std::string broken;  // why it stopped early; empty: sound
  double quantile_ms(double q) const {
    if (latencies_ms.empty()) return 0;
    return latencies_ms[static_cast<std::size_t>(q * static_cast<double>(latencies_ms.size() - 1))];
  }
};

struct LoadPlan {
  std::uint16_t port = 0;
  std::string key;
  std::string body;
  std::size_t connections = 512;
  double warm_up_s = 1;
  double seconds = 10;     // after the warm-up
  std::uint64_t most = 0;  // submissions; 0: until the time is up
  double rate = 0;         // per second, offered whatever the answers do; 0: closed loop
};

// Closed loop: each connection submits as soon as it has its answer. With a rate: each submission
// has its due instant, takes the next idle connection, and its latency counts from when it was due.
class Load {
 public:
  explicit Load(LoadPlan plan) : plan_(std::move(plan)) {
    request_ = fmt::format(
        "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n"
        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
        plan_.key, plan_.body.size(), plan_.body);
  }
  LoadResult run() {
    if (!connect_all()) return {{}, 0, 0, "cannot connect"};
    const double begun = now_s();
    measured_from_ = begun + plan_.warm_up_s;
    const double until = measured_from_ + plan_.seconds;
    if (plan_.rate > 0)
      for (auto& c : clients_) idle_.push_back(&c);
    else
      for (auto& c : clients_) fire(c, begun);
    std::array<epoll_event, 512> events;
    std::uint64_t due = 0;
    while (now_s() < until && result_.broken.empty() && (open_ > 0 || plan_.rate > 0)) {
      for (; plan_.rate > 0 && !idle_.empty(); ++due) {
        const double at = begun + static_cast<double>(due) / plan_.rate;
        if (at > now_s()) break;
        Client* c = idle_.front();  // in turn: a silent connection is rightly hung up on
        idle_.pop_front();
        fire(*c, at);
      }
      const int n = epoll_wait(epoll_, events.data(), events.size(), plan_.rate > 0 ? 1 : 1000);
      for (int i = 0; i < n && result_.broken.empty(); ++i) receive(clients_[events[i].data.u64]);
    }
    result_.seconds = now_s() - measured_from_;
    for (auto& c : clients_) close(c.fd);
    close(epoll_);
    std::sort(result_.latencies_ms.begin(), result_.latencies_ms.end());
    return std::move(result_);
  }

 private:
  struct Client {
    int fd = -1;
    double sent_s = 0;
    std::string got;
  };

  bool connect_all() {
    epoll_ = epoll_create1(0);
    clients_.resize(plan_.connections);
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      const int fd = clients_[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(plan_.port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return false;
      const int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      fcntl(fd, F_SETFL, O_NONBLOCK);
      epoll_event event{EPOLLIN, {.u64 = i}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
    return true;
  }
  void fire(Client& c, double at) {
    if (plan_.most && sent_ >= plan_.most) return;
    ++sent_;
    ++open_;
    c.sent_s = at;
    if (send(c.fd, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size()))
      result_.broken = "a request did not fit its socket";
  }
  void receive(Client& c) {
    std::array<char, 8192> bytes;
    const ssize_t n = recv(c.fd, bytes.data(), bytes.size(), 0);
    if (n <= 0) {
      result_.broken = "the server hung up";
      return;
    }
    c.got.append(bytes.data(), static_cast<std::size_t>(n));
    const std::size_t head = c.got.find("\r\n\r\n");
    if (head == std::string::npos) return;
    const std::size_t length = c.got.find("Content-Length: ");
    if (length == std::string::npos || length > head) {
      result_.broken = "an answer without Content-Length";
      return;
    }
    if (c.got.size() < head + 4 + std::strtoull(c.got.c_str() + length + 16, nullptr, 10)) return;
    const double now = now_s();
    const bool accepted = c.got.compare(9, 3, "201") == 0;
    if (now >= measured_from_) {
      if (accepted)
        result_.latencies_ms.push_back(static_cast<float>((now - c.sent_s) * 1e3));
      else
        ++result_.refused;
    }
    if (!accepted && first_refusal_.empty()) {
      first_refusal_ = c.got.substr(head + 4);
      fmt::print(stderr, "refused: {}\n", first_refusal_);
    }
    c.got.clear();
    --open_;
    if (plan_.rate > 0)
      idle_.push_back(&c);
    else
      fire(c, now);
  }

  LoadPlan plan_;
  std::string request_;
  std::vector<Client> clients_;
  std::deque<Client*> idle_;
  LoadResult result_;
  std::string first_refusal_;
  int epoll_ = -1;
  double measured_from_ = 0;
  std::uint64_t sent_ = 0, open_ = 0;
};

inline void use_all_descriptors() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

// The machine, as every bench says it.
inline std::string machine_json() {
  std::string commit = "unknown";
  if (FILE* git = popen("git rev-parse --short HEAD 2>/dev/null", "r")) {
    std::array<char, 64> line{};
    if (std::fgets(line.data(), line.size(), git)) commit = std::string(line.data()).substr(0, 7);
    pclose(git);
  }
  return fmt::format(R"("cpus":{},"compiler":"{}","commit":"{}")", sysconf(_SC_NPROCESSORS_ONLN),
#ifdef __clang__
                     "clang " __clang_version__,
#else
                     "g++ " __VERSION__,
#endif
                     commit);
}

}  // namespace ampacity::server
