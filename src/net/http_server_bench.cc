// How many small keep-alive POSTs the server answers per second, over loopback, closed loop.
//   http_server_bench [--seconds 3] [--connections 512] [--mode inline|batch]
// inline: the handler answers at once. batch: another thread answers whole batches by send_all, as
// the server's group commit does. Prints one JSON line; cpu figures are CPU seconds per wall
// second.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/http_server.h"

namespace {

using ampacity::net::HttpServer;
using ampacity::net::Reply;
using ampacity::net::Request;
using ampacity::net::Response;

double now_s() {
  const auto t = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(t).count();
}

double thread_cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// Answers in batches from a thread of its own.
class Batcher {
 public:
  explicit Batcher(HttpServer*& server) : server_(server), thread_([this] { run(); }) {}
  ~Batcher() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  void take(Reply reply, Response response) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(std::move(reply), std::move(response));
    if (waiting_.size() == 1) wake_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!done_) {
      wake_.wait(lock, [this] { return done_ || !waiting_.empty(); });
      auto batch = std::exchange(waiting_, {});
      lock.unlock();
      server_->send_all(std::move(batch));
      lock.lock();
    }
  }

  HttpServer*& server_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::pair<Reply, Response>> waiting_;
  bool done_ = false;
  std::thread thread_;
};

struct Client {
  int fd = -1;
  double sent_s = 0;
};

const std::string body =
    R"({"name":"train","image":"digits","gpus":"h100:1","command":["python3","train.py"]})";

std::string request_text() {
  return fmt::format(
      "POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"
      "Authorization: Bearer amp_0123456789abcdefghijklmnopqrstuv\r\n"
      "Content-Type: application/json\r\nIdempotency-Key: 0123456789abcdef\r\n"
      "Content-Length: {}\r\n\r\n{}",
      body.size(), body);
}

int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

// The answers are small enough to come in one piece; the bench stops if one does not.
struct Result {
  std::vector<float> latencies_ms;
  double seconds = 0;
  double client_cpu_s = 0;
  bool sound = true;
};

Result drive(std::uint16_t port, std::size_t connections, double seconds) {
  const std::string request = request_text();
  Result result;
  std::vector<Client> clients(connections);
  const int ep = epoll_create1(0);
  for (std::size_t i = 0; i < connections; ++i) {
    clients[i].fd = connect_to(port);
    if (clients[i].fd < 0) return {{}, 1, 0, false};
    epoll_event event{EPOLLIN, {.u64 = i}};
    epoll_ctl(ep, EPOLL_CTL_ADD, clients[i].fd, &event);
  }
  const auto fire = [&](Client& c) {
    c.sent_s = now_s();
    result.sound &= send(c.fd, request.data(), request.size(), MSG_NOSIGNAL) ==
                    static_cast<ssize_t>(request.size());
  };
  const double begun_s = now_s();
  const double cpu_s = thread_cpu_s();
  for (Client& c : clients) fire(c);
  std::array<epoll_event, 256> events;
  std::array<char, 4096> answer;
  double now = begun_s;
  while (now < begun_s + seconds && result.sound) {
    const int n = epoll_wait(ep, events.data(), events.size(), 1000);
    for (int i = 0; i < n; ++i) {
      Client& c = clients[events[i].data.u64];
      const ssize_t got = recv(c.fd, answer.data(), answer.size(), 0);
      if (got < 12 || std::memcmp(answer.data() + 9, "201", 3) != 0 || answer[got - 1] != '}') {
        result.sound = false;
        break;
      }
      result.latencies_ms.push_back(static_cast<float>((now_s() - c.sent_s) * 1e3));
      fire(c);
    }
    now = now_s();
  }
  result.seconds = now - begun_s;
  result.client_cpu_s = thread_cpu_s() - cpu_s;
  for (Client& c : clients) close(c.fd);
  close(ep);
  return result;
}

float quantile(std::vector<float>& sorted, double q) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

double io_thread_cpu_s(HttpServer& server) {
  std::mutex m;
  std::condition_variable done;
  double cpu_s = -1;
  server.post([&] {
    const std::lock_guard lock(m);
    cpu_s = thread_cpu_s();
    done.notify_one();
  });
  std::unique_lock lock(m);
  done.wait(lock, [&] { return cpu_s >= 0; });
  return cpu_s;
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 3;
  std::size_t connections = 512;
  std::string mode = "inline";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--seconds") seconds = std::atof(argv[i + 1]);
    if (flag == "--connections") connections = static_cast<std::size_t>(std::atoi(argv[i + 1]));
    if (flag == "--mode") mode = argv[i + 1];
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  HttpServer* address = nullptr;
  Batcher batcher(address);
  const bool batch = mode == "batch";
  HttpServer server(
      {},
      [&](Request request, Reply reply) {
        Response response;
        response.status = request.body == body ? 201 : 422;
        response.body = R"({"id":"job-06bx0000000000000000000000","state":"queued"})";
        response.headers.push_back({"Location", "/v1/jobs/job-06bx0000000000000000000000"});
        if (batch) return batcher.take(std::move(reply), std::move(response));
        reply.send(std::move(response));
      },
      [](int status, std::string_view) {
        return Response{status, "text/plain", "", {}};
      });
  address = &server;
  if (auto started = server.start(); !started) {
    fmt::print(stderr, "{}\n", started.error().message);
    return 1;
  }
  Result result = drive(server.port(), connections, seconds);
  const double server_cpu_s = io_thread_cpu_s(server);
  server.stop();
  if (!result.sound) {
    fmt::print(stderr, "an answer was wrong, split or missing\n");
    return 1;
  }
  std::sort(result.latencies_ms.begin(), result.latencies_ms.end());
  fmt::print(
      "{{\"mode\":\"{}\",\"connections\":{},\"requests_per_s\":{:.0f},\"p50_ms\":{:.2f},"
      "\"p99_ms\":{:.2f},\"server_cpu\":{:.2f},\"client_cpu\":{:.2f},"
      "\"server_us_per_request\":{:.2f},\"cpus\":{}}}\n",
      mode, connections, static_cast<double>(result.latencies_ms.size()) / result.seconds,
      quantile(result.latencies_ms, 0.5), quantile(result.latencies_ms, 0.99),
      server_cpu_s / result.seconds, result.client_cpu_s / result.seconds,
      server_cpu_s * 1e6 / static_cast<double>(result.latencies_ms.size()),
      std::thread::hardware_concurrency());
  return 0;
}
