// How many small keep-alive POSTs the server answers per second, over loopback, closed loop.
//   http_server_bench [--seconds 3] [--connections 512] [--mode inline|batch] [--tls]
// inline: the handler answers at once. batch: another thread answers whole batches by send_all, as
// the server's group commit does. Prints one JSON line; cpu figures are CPU seconds per wall
// second. --tls: by turns plain and over TLS, and what greetings cost; the client pays for its own
// half of the sealing on the same machine.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
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
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/time.h"
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

struct FreeTls {
  void operator()(SSL* s) const { SSL_free(s); }
  void operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
};

struct Client {
  int fd = -1;
  double sent_s = 0;
  std::unique_ptr<SSL, FreeTls> tls;

  bool send_whole(const std::string& bytes) const {
    if (tls) return SSL_write(tls.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
    return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  // -1: nothing whole yet.
  ssize_t receive(std::array<char, 4096>& into) const {
    if (!tls) return recv(fd, into.data(), into.size(), 0);
    const int n = SSL_read(tls.get(), into.data(), static_cast<int>(into.size()));
    return n <= 0 && SSL_get_error(tls.get(), n) == SSL_ERROR_WANT_READ ? -1 : n;
  }
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

bool is_answer(const std::array<char, 4096>& bytes, ssize_t n) {
  return n >= 12 && std::memcmp(bytes.data() + 9, "201", 3) == 0 && bytes[n - 1] == '}';
}

// Blocking, the greeting included.
int tcp_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

bool connect_to(Client& client, std::uint16_t port, SSL_CTX* tls) {
  client.fd = tcp_to(port);
  if (client.fd < 0) return false;
  if (tls != nullptr) {
    client.tls.reset(SSL_new(tls));
    SSL_set_fd(client.tls.get(), client.fd);
    if (SSL_connect(client.tls.get()) != 1) return false;
  }
  fcntl(client.fd, F_SETFL, O_NONBLOCK);
  return true;
}

// The answers are small enough to come in one piece; the bench stops if one does not.
struct Result {
  std::vector<float> latencies_ms;
  double seconds = 0;
  double client_cpu_s = 0;
  bool sound = true;
};

Result drive(std::uint16_t port, std::size_t connections, double seconds, SSL_CTX* tls = nullptr) {
  const std::string request = request_text();
  Result result;
  std::vector<Client> clients(connections);
  const int ep = epoll_create1(0);
  for (std::size_t i = 0; i < connections; ++i) {
    if (!connect_to(clients[i], port, tls)) return {{}, 1, 0, false};
    epoll_event event{EPOLLIN, {.u64 = i}};
    epoll_ctl(ep, EPOLL_CTL_ADD, clients[i].fd, &event);
  }
  const auto fire = [&](Client& c) {
    c.sent_s = now_s();
    result.sound &= c.send_whole(request);
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
      const ssize_t got = c.receive(answer);
      if (got < 0 && c.tls) continue;  // a session ticket
      if (!is_answer(answer, got)) {
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

Response answer_to(const Request& request) {
  Response response;
  response.status = request.body == body ? 201 : 422;
  response.body = R"({"id":"job-06bx0000000000000000000000","state":"queued"})";
  response.headers.push_back({"Location", "/v1/jobs/job-06bx0000000000000000000000"});
  return response;
}

Response refusal(int status, std::string_view) { return {status, "text/plain", "", {}}; }

int give_up(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  return 1;
}

int measure(const std::string& mode, std::size_t connections, double seconds) {
  HttpServer* address = nullptr;
  Batcher batcher(address);
  const bool batch = mode == "batch";
  HttpServer server(
      {},
      [&](Request request, Reply reply) {
        Response response = answer_to(request);
        if (batch) return batcher.take(std::move(reply), std::move(response));
        reply.send(std::move(response));
      },
      refusal);
  address = &server;
  if (auto started = server.start(); !started) return give_up(started.error().message);
  Result result = drive(server.port(), connections, seconds);
  const double server_cpu_s = io_thread_cpu_s(server);
  server.stop();
  if (!result.sound) return give_up("an answer was wrong, split or missing");
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

using Identity = std::shared_ptr<const ampacity::net::TlsIdentity>;

Identity made_identity() {
  using namespace ampacity;
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("tls-bench-{}", getpid());
  std::filesystem::create_directories(folder);
  const net::TlsFiles files{folder / "cert.pem", folder / "key.pem", {}};
  const auto key = net::make_private_key();
  const auto certificate = net::make_certificate(*key, {"127.0.0.1"}, base::SystemClock().now(),
                                                 base::Duration::seconds(86'400));
  std::ofstream(files.key) << *key;
  std::ofstream(files.certificate) << *certificate;
  auto identity = net::TlsIdentity::load(files);
  std::filesystem::remove_all(folder);
  return identity ? *identity : nullptr;
}

// One after the other: what a greeting costs both sides, without resumption.
double greetings_per_s(std::uint16_t port, double seconds, SSL_CTX* tls) {
  const double begun_s = now_s();
  int n = 0;
  for (; now_s() < begun_s + seconds; ++n) {
    Client client;
    if (!connect_to(client, port, tls)) return 0;
    close(client.fd);
  }
  return n / (now_s() - begun_s);
}

int compare(std::size_t connections, double seconds) {
  constexpr int turns = 3;
  const auto echo = [](Request request, Reply reply) { reply.send(answer_to(request)); };
  ampacity::net::ServerOptions secure;
  secure.tls = made_identity();
  HttpServer plain_server({}, echo, refusal), tls_server(secure, echo, refusal);
  if (!plain_server.start() || !tls_server.start() || !secure.tls) return give_up("no server");
  const std::unique_ptr<SSL_CTX, FreeTls> context(SSL_CTX_new(TLS_client_method()));
  Result plain, tls;
  const auto add = [](Result& to, Result r) {
    to.latencies_ms.insert(to.latencies_ms.end(), r.latencies_ms.begin(), r.latencies_ms.end());
    to.seconds += r.seconds;
    to.sound &= r.sound;
  };
  for (int turn = 0; turn < turns; ++turn) {
    add(plain, drive(plain_server.port(), connections, seconds / turns));
    add(tls, drive(tls_server.port(), connections, seconds / turns, context.get()));
  }
  const double greetings = greetings_per_s(tls_server.port(), 1, context.get());
  if (!plain.sound || !tls.sound) return give_up("an answer was wrong, split or missing");
  const auto rate = [](const Result& r) {
    return static_cast<double>(r.latencies_ms.size()) / r.seconds;
  };
  const auto p99 = [](Result& r) {
    std::sort(r.latencies_ms.begin(), r.latencies_ms.end());
    return quantile(r.latencies_ms, 0.99);
  };
  fmt::print(
      "{{\"connections\":{},\"requests_per_s\":{:.0f},\"tls_requests_per_s\":{:.0f},"
      "\"tls_ratio\":{:.3f},\"p99_ms\":{:.2f},\"tls_p99_ms\":{:.2f},\"greetings_per_s\":{:.0f},"
      "\"cpus\":{}}}\n",
      connections, rate(plain), rate(tls), rate(tls) / rate(plain), p99(plain), p99(tls), greetings,
      std::thread::hardware_concurrency());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 3;
  std::size_t connections = 512;
  std::string mode = "inline";
  bool tls = false;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--tls") tls = true, --i;
    if (flag == "--tls" || i + 1 == argc) continue;
    if (flag == "--seconds") seconds = std::atof(argv[i + 1]);
    if (flag == "--connections") connections = static_cast<std::size_t>(std::atoi(argv[i + 1]));
    if (flag == "--mode") mode = argv[i + 1];
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  return tls ? compare(connections, seconds) : measure(mode, connections, seconds);
}
