#include "net/http_loop.h"

#include <fmt/core.h>
#include <time.h>

#include <array>
#include <boost/asio/detail/concurrency_hint.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <ctime>
#include <utility>

namespace ampacity::net {

std::int64_t steady_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

// UNSAFE_IO: sockets belong to one thread, so the reactor needs no lock for them; posting stays
// safe.
Loop::Loop(ServerOptions o, Handler h, RefusalBody r)
    : io(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      options(std::move(o)),
      tls(options.tls),
      handler(std::move(h)),
      refusal(std::move(r)) {
  refresh_date();
}

bool Loop::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return false;
  inbox_.push_back(std::move(task));
  if (inbox_.size() == 1) boost::asio::post(io, [this] { drain(); });
  return true;
}

void Loop::drain() {
  {
    const std::lock_guard lock(mutex_);
    std::swap(inbox_, running_);
  }
  for (Task& task : running_) {
    task();
    task = nullptr;
  }
  running_.clear();
}

void Loop::close_inbox() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  drain();
}

void Loop::add(std::shared_ptr<Session> session) {
  session->slot = sessions_.size();
  sessions_.push_back(std::move(session));
  count_ = sessions_.size();
}

void Loop::remove(Session& session) {
  const std::size_t slot = session.slot;
  if (slot >= sessions_.size() || sessions_[slot].get() != &session) return;
  const std::shared_ptr<Session> last_owner = std::move(sessions_[slot]);
  if (slot + 1 != sessions_.size()) {
    sessions_[slot] = std::move(sessions_.back());
    sessions_[slot]->slot = slot;
  }
  sessions_.pop_back();
  count_ = sessions_.size();
}

void Loop::refresh_date() {
  static constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm t{};
  gmtime_r(&now, &t);
  date_ = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days[t.tm_wday], t.tm_mday,
                      months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

}  // namespace ampacity::net
