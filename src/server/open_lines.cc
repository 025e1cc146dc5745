#include "server/open_lines.h"

#include <algorithm>

namespace ampacity::server {

void OpenLines::add(const Caller& caller, const std::shared_ptr<net::Stream>& stream) {
  keep({caller.key, caller.session, stream, [line = std::weak_ptr(stream)] {
          if (const auto s = line.lock()) s->abort();
        }});
}

void OpenLines::add(const Caller& caller, const std::shared_ptr<net::WebSocket>& terminal) {
  keep({caller.key, caller.session, terminal, [line = std::weak_ptr(terminal)] {
          if (const auto t = line.lock()) t->close("signed out");
        }});
}

void OpenLines::keep(Line line) {
  const base::Guard lock(mutex_);
  if (lines_.size() >= sweep_at_) {
    std::erase_if(lines_, [](const Line& l) { return l.alive.expired(); });
    sweep_at_ = 2 * lines_.size() + 256;
  }
  lines_.push_back(std::move(line));
}

void OpenLines::learn(const std::vector<core::Fact>& facts) {
  std::vector<std::function<void()>> over;
  for (const core::Fact& f : facts) {
    const auto* revoked = std::get_if<core::KeyRevoked>(&f.body);
    const auto* closed = std::get_if<core::SessionClosed>(&f.body);
    if (!revoked && !closed) continue;
    const base::Guard lock(mutex_);
    std::erase_if(lines_, [&](Line& l) {
      const bool ends = revoked ? l.key == revoked->key : l.session == closed->hash;
      if (ends) over.push_back(std::move(l.end));
      return ends;
    });
  }
  for (const auto& end : over) end();
}

}  // namespace ampacity::server
