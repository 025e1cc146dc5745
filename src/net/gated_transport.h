// A transport that sends nothing once it may not: a server whose lease may be over asks no engine
// for anything. Threads: as the transport inside.
#pragma once

#include <functional>
#include <memory>

#include "net/http_client.h"

namespace ampacity::net {

// Empty: always.
using MayAct = std::function<bool()>;

class GatedTransport final : public Transport {
 public:
  GatedTransport(std::unique_ptr<Transport> inner, MayAct may_act)
      : inner_(std::move(inner)), may_act_(std::move(may_act)) {}

  base::Try<Response> call(const Request& request, const CallOptions& options) override {
    return may_act_() ? inner_->call(request, options) : refused();
  }
  base::Try<Response> stream(const Request& request,
                             const std::function<bool(std::string_view)>& on_bytes,
                             const CallOptions& options) override {
    return may_act_() ? inner_->stream(request, on_bytes, options) : refused();
  }
  base::Try<Response> upload(const Request& request, const std::function<std::string()>& next,
                             const CallOptions& options) override {
    return may_act_() ? inner_->upload(request, next, options) : refused();
  }

 private:
  static base::Try<Response> refused() {
    return base::fault("not sent: this server may no longer be the leader");
  }
  const std::unique_ptr<Transport> inner_;
  const MayAct may_act_;
};

// As it is where nothing gates it.
inline std::unique_ptr<Transport> gated(std::unique_ptr<Transport> inner, MayAct may_act) {
  if (!may_act) return inner;
  return std::make_unique<GatedTransport>(std::move(inner), std::move(may_act));
}

}  // namespace ampacity::net
