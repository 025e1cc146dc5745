#include "server/forward.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/problem.h"
#include "net/duplex.h"
#include "net/http_text.h"
#include "server/cookies.h"

namespace ampacity::server {
namespace {

constexpr std::size_t most_lines = 16;  // to servers that led once

// What goes with a request; everything else is between two neighbours.
constexpr std::array passed_on = {"Authorization",   "Content-Type", "Idempotency-Key",
                                  "Last-Event-ID",   "Accept",       sequence_header,
                                  "Content-Encoding"};
constexpr std::array passed_back = {"Idempotency-Replayed",
                                    "Retry-After",
                                    "WWW-Authenticate",
                                    "Content-Disposition",
                                    sequence_header,
                                    "Cache-Control",
                                    "Location",
                                    "Set-Cookie",
                                    "Content-Security-Policy",
                                    "X-Content-Type-Options",
                                    "Referrer-Policy"};

net::Response no(std::string why) {
  return api::problem_response({base::Code::unavailable, std::move(why), {}, {}, {}});
}

net::Request onward(const net::Request& from) {
  net::Request to{from.method, from.target, {{hops_header, "1"}}, from.body};
  for (const char* name : passed_on)
    if (const auto value = from.header(name); !value.empty())
      to.headers.push_back({name, std::string(value)});
  if (std::string cookies = own_cookies(from); !cookies.empty())
    to.headers.push_back({"Cookie", std::move(cookies)});
  return to;
}

net::Response back(net::Response from) {
  net::Response to{from.status, from.content_type, std::move(from.body), {}};
  for (net::Header& h : from.headers)
    for (const char* name : passed_back)
      if (net::same_name(h.name, name)) to.headers.push_back({name, std::move(h.value)});
  return to;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

net::Response outcome_unknown(const net::Request& request, const base::Fault& fault) {
  const bool write = request.method != "GET";
  return no("the leader did not answer (" + fault.message + ")" +
            (write ? ": it is not known whether this was done; send it again with the same "
                     "Idempotency-Key"
                   : ": try again in a second"));
}

// No retry will help, and nothing was sent: as a rule, TLS found another than it was told to trust.
net::Response unsent(const base::Fault& fault) {
  return no("the request could not be sent to the leader (" + fault.message +
            "): nothing was done. Over TLS all servers of a cloud show one key, or --peer-ca-file "
            "names who vouches for theirs");
}

}  // namespace

Forwarder::Forwarder(ForwardOptions options, const Leadership& leadership, Folded folded)
    : options_(std::move(options)),
      leadership_(leadership),
      folded_(std::move(folded)),
      calls_(options_.calls_at_once, options_.calls_waiting),
      streams_(options_.streams_at_once, options_.streams_at_once) {}

void Forwarder::leader_changed() {
  const base::Guard lock(mutex_);
  *cancel_ = true;
  if (!stopping_) cancel_ = std::make_shared<std::atomic<bool>>(false);
}

Forwarder::Cancel Forwarder::cancel() {
  const base::Guard lock(mutex_);
  return cancel_;
}

net::CallOptions Forwarder::limits(const Cancel& cancel) const {
  net::CallOptions o;
  o.timeout = options_.timeout;
  o.connect_timeout = options_.connect_timeout;
  o.cancel = cancel.get();
  return o;
}

void Forwarder::stop() {
  {
    const base::Guard lock(mutex_);
    stopping_ = true;
  }
  leader_changed();
  calls_.stop();
  streams_.stop();
}

net::Transport& Forwarder::line_to(const std::string& url) {
  const base::Guard lock(mutex_);
  auto& line = lines_[url];
  if (!line)
    line = options_.connect ? options_.connect(url)
                            : std::make_unique<net::HttpClient>(net::Peer{url, "", options_.trust});
  return *line;
}

void Forwarder::post(Workers& workers, net::Request request, net::Reply reply, Task task) {
  const Cancel replaced = cancel();  // before the leader is looked up: what comes after is seen
  const auto leader = leadership_.leader();
  if (!request.header(hops_header).empty())
    return reply.send(
        no("this server follows and the request was sent on once already: leaders "
           "are changing; try again in a second"));
  if (leadership_.own_epoch())
    return reply.send(no("this server is taking over as the leader; try again in a second"));
  if (leader.url.empty()) return reply.send(no("no server leads now; try again in a second"));
  {
    const base::Guard lock(mutex_);
    if (lines_.size() >= most_lines && !lines_.contains(leader.url))
      return reply.send(no("too many leaders were seen; ask the leader itself: " + leader.url));
  }
  const auto shared = std::make_shared<net::Reply>(std::move(reply));
  const bool posted = workers.post([task = std::move(task), request = std::move(request), shared,
                                    url = leader.url, replaced]() mutable {
    if (*replaced) return shared->send(no("the leader changed; try again in a second"));
    task(std::move(request), std::move(*shared), url);
  });
  if (!posted) shared->send(no("too many requests wait for the leader; try again in a second"));
}

void Forwarder::call(net::Request request, net::Reply reply) {
  post(calls_, std::move(request), std::move(reply),
       [this](net::Request q, net::Reply r, const std::string& url) {
         const Cancel cancelled = cancel();
         auto answer = line_to(url).call(onward(q), limits(cancelled));
         if (!answer && !answer.error().retryable && answer.error().status == 0 && !*cancelled)
           return r.send(unsent(answer.error()));
         if (!answer) return r.send(outcome_unknown(q, answer.error()));
         const bool changed = q.method != "GET" || !answer->header("Set-Cookie").empty();
         if (const auto shown = number(answer->header(sequence_header)); shown && changed)
           (void)folded_(shown, options_.fold_wait);
         r.send(back(std::move(*answer)));
       });
}

void Forwarder::stream(net::Request request, net::Reply reply) {
  post(streams_, std::move(request), std::move(reply),
       [this](net::Request q, net::Reply r, const std::string& url) {
         const Cancel cancelled = cancel();
         net::CallOptions endless = limits(cancelled);
         endless.timeout = base::Duration{0};
         std::shared_ptr<net::Stream> out;
         const auto on_bytes = [&](std::string_view bytes) {
           if (!out)
             out = r.stream({200, "text/event-stream", "", {{"Cache-Control", "no-store"}}});
           while (out->backlog_bytes() > (1 << 20) && !out->closed() && !*cancelled)
             base::sleep_for(base::Duration::millis(10));
           return out->write(std::string(bytes)) && !*cancelled;
         };
         auto answer = line_to(url).stream(onward(q), on_bytes, endless);
         if (out && !answer) out->abort();  // the client resumes, here or elsewhere
         if (out) return;
         r.send(answer ? back(std::move(*answer)) : outcome_unknown(q, answer.error()));
       });
}

void Forwarder::terminal(net::Request request, net::Reply reply) {
  if (!reply.wants_websocket())
    return reply.send(
        api::problem_response({base::Code::invalid, "exec speaks over a WebSocket", {}, {}, {}}));
  post(streams_, std::move(request), std::move(reply),
       [this](net::Request q, net::Reply r, const std::string& url) {
         const auto socket = std::make_shared<std::shared_ptr<net::WebSocket>>();
         const auto early = std::make_shared<base::Mutex>();
         net::DuplexEvents events;
         events.on_bytes = [socket, early](std::string bytes, bool text) {
           const base::Guard lock(*early);
           if (*socket) (*socket)->send(std::move(bytes), text);
         };
         events.on_close = [socket, early](std::string) {
           const base::Guard lock(*early);
           if (*socket) (*socket)->close("ended");
         };
         base::Lock lock(*early);
         auto there =
             net::connect_websocket({url, "", options_.trust}, onward(q), std::move(events));
         if (!there) return r.send(no("the leader opens no terminal: " + there.error().message));
         *socket = r.websocket();
         if (!*socket) return;
         using Line = std::shared_ptr<net::Duplex>;
         const auto line = std::make_shared<Line>(std::move(*there));
         const auto peer = *socket;
         lock.unlock();
         peer->on_message([line](std::string bytes, bool text) {
           if (const Line l = *line)
             text ? l->write_text(std::move(bytes)) : l->write(std::move(bytes));
         });
         const auto gone = std::make_shared<base::Handover<bool>>();
         peer->on_close([gone] { gone->put(true); });
         (void)gone->take();
         *line = nullptr;
         const base::Guard again(*early);
         *socket = nullptr;
       });
}

}  // namespace ampacity::server
