#include "net/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "net/http_text.h"

namespace ampacity::net {
namespace {

constexpr std::size_t idle_lines_max = 16;
constexpr std::size_t response_header_bytes_max = 256 << 10;
constexpr int cancel_poll_ms = 50;
constexpr int poll_ms = 1000;

struct FreeMulti {
  void operator()(CURLM* m) const { curl_multi_cleanup(m); }
};
struct FreeEasy {
  void operator()(CURL* c) const { curl_easy_cleanup(c); }
};
struct FreeList {
  void operator()(curl_slist* l) const { curl_slist_free_all(l); }
};

// One keep-alive connection: curl keeps it in the multi handle.
struct Line {
  std::unique_ptr<CURLM, FreeMulti> multi{curl_multi_init()};
  std::unique_ptr<CURL, FreeEasy> easy{curl_easy_init()};
};

// What curl's callbacks write to during one call.
struct Exchange {
  const CallOptions& options;
  const std::function<bool(std::string_view)>* on_bytes = nullptr;
  const std::function<std::string()>* next = nullptr;
  Response response{0, {}, {}, {}};
  std::size_t header_bytes = 0;
  std::string piece;  // being uploaded
  std::size_t piece_sent = 0;
  bool too_large = false;
  bool ended_by_us = false;
};

std::size_t on_header(char* data, std::size_t, std::size_t n, void* user) {
  auto& x = *static_cast<Exchange*>(user);
  x.header_bytes += n;
  if (x.header_bytes > response_header_bytes_max) {
    x.too_large = true;
    return 0;
  }
  std::string_view line(data, n);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // also after a 100 Continue: begin again
    x.response = {0, {}, {}, {}};
    const auto space = line.find(' ');
    if (space != std::string_view::npos) {
      std::from_chars(line.data() + space + 1, line.data() + line.size(), x.response.status);
    }
    return n;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return n;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (same_name(name, "Content-Type")) {
    x.response.content_type = value;
  } else if (!same_name(name, "Content-Length")) {
    x.response.headers.push_back({std::string(name), std::string(value)});
  }
  return n;
}

std::size_t on_body(char* data, std::size_t, std::size_t n, void* user) {
  auto& x = *static_cast<Exchange*>(user);
  if (x.on_bytes != nullptr && x.response.status / 100 == 2) {
    if ((*x.on_bytes)({data, n})) return n;
    x.ended_by_us = true;
    return CURL_WRITEFUNC_ERROR;
  }
  if (x.response.body.size() + n > x.options.max_body_bytes) {
    x.too_large = true;
    return CURL_WRITEFUNC_ERROR;
  }
  x.response.body.append(data, n);
  return n;
}

std::size_t on_upload(char* into, std::size_t, std::size_t room, void* user) {
  auto& x = *static_cast<Exchange*>(user);
  if (x.piece_sent == x.piece.size()) {
    x.piece = (*x.next)();
    x.piece_sent = 0;
  }
  const std::size_t n = x.piece.copy(into, room, x.piece_sent);
  x.piece_sent += n;
  return n;
}

bool set_method(CURL* c, const Request& request, Exchange& x) {
  const bool upload = x.next != nullptr;
  if (!is_clean(request.method) || request.method.empty()) return false;
  if (upload) {
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, on_upload);
    curl_easy_setopt(c, CURLOPT_READDATA, &x);
  } else if (request.method == "HEAD") {
    curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
  } else if (request.method == "GET" && request.body.empty()) {
    curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
  } else if (request.method != "DELETE" || !request.body.empty()) {
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(c, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  return true;
}

// curl sends headers of its own unless they are named with an empty value.
std::unique_ptr<curl_slist, FreeList> header_list(const Request& request, bool& sound) {
  std::unique_ptr<curl_slist, FreeList> list;
  const auto append = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) {
      sound = false;
      return;
    }
    (void)list.release();
    list.reset(longer);
  };
  append("Expect:");
  if (request.header("Content-Type").empty()) append("Content-Type:");
  for (const Header& h : request.headers) {
    sound &= is_clean(h.name) && is_clean(h.value);
    append(h.value.empty() ? h.name + ";" : h.name + ": " + h.value);
  }
  return list;
}

// Without a pin, the chain and the name are verified; with one, the key alone.
void set_trust(CURL* c, const Peer& peer) {
  const bool tls = peer.base_url.starts_with("https://");
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http");
  if (!tls) return;
  const Trust& t = peer.trust;
  curl_easy_setopt(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, t.pin.empty() ? 1L : 0L);
  curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, t.pin.empty() ? 2L : 0L);
  if (!t.pin.empty()) curl_easy_setopt(c, CURLOPT_PINNEDPUBLICKEY, t.pin.c_str());
  if (!t.ca_file.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, t.ca_file.c_str());
  if (t.certificate_file.empty()) return;
  curl_easy_setopt(c, CURLOPT_SSLCERT, t.certificate_file.c_str());
  curl_easy_setopt(c, CURLOPT_SSLKEY, t.key_file.c_str());
}

void set_limits(CURL* c, const CallOptions& options) {
  // Rounded up: 0 would mean none (timeout) or curl's own 300 s (connect_timeout).
  const auto ms = [](base::Duration d) { return static_cast<long>((d.us + 999) / 1000); };
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, ms(options.timeout));
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, std::max(1L, ms(options.connect_timeout)));
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(c, CURLOPT_PROXY, "");  // whatever the environment says
  curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(c, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L);
}

// The one socket that may be opened, where an address is pinned.
curl_socket_t open_pinned(void* user, curlsocktype, curl_sockaddr* to) {
  const auto& address = static_cast<const CallOptions*>(user)->only_address;
  char text[INET6_ADDRSTRLEN] = "";
  sockaddr_storage where{};
  std::memcpy(&where, &to->addr, std::min<std::size_t>(to->addrlen, sizeof where));
  if (to->family == AF_INET)
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(&where)->sin_addr, text, sizeof text);
  else if (to->family == AF_INET6)
    inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(&where)->sin6_addr, text, sizeof text);
  if (address != text) return CURL_SOCKET_BAD;
  return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

std::unique_ptr<curl_slist, FreeList> pin(CURL* c, const CallOptions& options) {
  std::unique_ptr<curl_slist, FreeList> list;
  if (options.only_address.empty()) return list;
  const bool v6 = options.only_address.find(':') != std::string::npos;
  const std::string address = v6 ? "[" + options.only_address + "]" : options.only_address;
  list.reset(curl_slist_append(nullptr, ("::" + address + ":").c_str()));
  curl_easy_setopt(c, CURLOPT_CONNECT_TO, list.get());
  curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_pinned);
  curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, const_cast<CallOptions*>(&options));
  curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
  return list;
}

// Runs the transfer; CURLE_ABORTED_BY_CALLBACK when cancelled.
CURLcode perform(Line& line, const std::atomic<bool>* cancel) {
  if (curl_multi_add_handle(line.multi.get(), line.easy.get()) != CURLM_OK) {
    return CURLE_FAILED_INIT;
  }
  CURLcode code = CURLE_ABORTED_BY_CALLBACK;
  int running = 1;
  while (cancel == nullptr || !*cancel) {
    if (curl_multi_perform(line.multi.get(), &running) != CURLM_OK) {
      code = CURLE_FAILED_INIT;
      break;
    }
    if (running == 0) {
      int left = 0;
      const CURLMsg* message = curl_multi_info_read(line.multi.get(), &left);
      code = message != nullptr ? message->data.result : CURLE_FAILED_INIT;
      break;
    }
    curl_multi_poll(line.multi.get(), nullptr, 0, cancel != nullptr ? cancel_poll_ms : poll_ms,
                    nullptr);
  }
  curl_multi_remove_handle(line.multi.get(), line.easy.get());
  return code;
}

}  // namespace

class HttpClient::Impl {
 public:
  explicit Impl(Peer peer) : peer_(std::move(peer)) {
    static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)once;
  }

  base::Try<Response> run(const Request& request, Exchange& x);

 private:
  // Lines are lent, so that as many stay open as there were calls at once.
  std::unique_ptr<Line> borrow() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<Line>();
    auto line = std::move(idle_.back());
    idle_.pop_back();
    return line;
  }
  void give_back(std::unique_ptr<Line> line) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < idle_lines_max) idle_.push_back(std::move(line));
  }
  base::Try<Response> outcome(CURLcode code, const Request& request, Exchange& x,
                              const char* why) const;

  const Peer peer_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Line>> idle_;  // by mutex_
};

base::Try<Response> HttpClient::Impl::run(const Request& request, Exchange& x) {
  auto line = borrow();
  if (!line->multi || !line->easy) return base::fault("out of memory for a connection");
  CURL* c = line->easy.get();
  curl_easy_reset(c);
  bool sound = is_clean(request.target) && request.target.starts_with('/');
  const auto headers = header_list(request, sound);
  if (!sound || !set_method(c, request, x)) {
    give_back(std::move(line));
    return base::fault("the request's method, target or a header is not valid HTTP", false);
  }
  const std::string url = peer_.base_url + request.target;
  char why[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  if (!peer_.unix_socket.empty()) {
    curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, peer_.unix_socket.c_str());
  }
  set_limits(c, x.options);
  set_trust(c, peer_);
  const auto pinned = pin(c, x.options);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, &x);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &x);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
  const CURLcode code = perform(*line, x.options.cancel);
  curl_easy_setopt(c, CURLOPT_ERRORBUFFER, nullptr);
  auto result = outcome(code, request, x, why);
  give_back(std::move(line));
  return result;
}

base::Try<Response> HttpClient::Impl::outcome(CURLcode code, const Request& request, Exchange& x,
                                              const char* why) const {
  const int status = x.response.status;
  if (code == CURLE_OK || x.ended_by_us) return std::move(x.response);
  const std::string what =
      fmt::format("{} {} at {}", request.method, request.target.substr(0, request.target.find('?')),
                  peer_.unix_socket.empty() ? peer_.base_url : peer_.unix_socket);
  if (x.too_large) {
    return base::fault(
        fmt::format("{}: the answer is over {} bytes", what, x.options.max_body_bytes), false,
        status);
  }
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    return base::fault(what + ": cancelled", false, status);
  }
  const char* reason = why[0] != '\0' ? why : curl_easy_strerror(code);
  const bool retryable = code != CURLE_URL_MALFORMAT && code != CURLE_UNSUPPORTED_PROTOCOL &&
                         code != CURLE_PEER_FAILED_VERIFICATION &&
                         code != CURLE_SSL_PINNEDPUBKEYNOTMATCH && code != CURLE_SSL_CERTPROBLEM &&
                         code != CURLE_SSL_CACERT_BADFILE;
  return base::fault(fmt::format("{}: {}", what, reason), retryable, status);
}

HttpClient::HttpClient(Peer peer) : impl_(std::make_unique<Impl>(std::move(peer))) {}
HttpClient::~HttpClient() = default;

base::Try<Response> HttpClient::call(const Request& request, const CallOptions& options) {
  Exchange x{options};
  return impl_->run(request, x);
}

base::Try<Response> HttpClient::stream(const Request& request,
                                       const std::function<bool(std::string_view)>& on_bytes,
                                       const CallOptions& options) {
  Exchange x{options, &on_bytes};
  return impl_->run(request, x);
}

base::Try<Response> HttpClient::upload(const Request& request,
                                       const std::function<std::string()>& next,
                                       const CallOptions& options) {
  Exchange x{options, nullptr, &next};
  return impl_->run(request, x);
}

std::unique_ptr<Transport> dial(const Peer& peer) { return std::make_unique<HttpClient>(peer); }

}  // namespace ampacity::net
