#include "net/http_reply.h"

#include <utility>

namespace ampacity::net {
namespace {

// Everything but closed() is posted: order across threads is the inbox's order.
class ChunkedStream final : public Stream {
 public:
  ChunkedStream(std::shared_ptr<Loop> loop, std::weak_ptr<Connection> connection,
                std::uint64_t serial, std::shared_ptr<Outlet> outlet)
      : loop_(std::move(loop)),
        connection_(std::move(connection)),
        serial_(serial),
        outlet_(std::move(outlet)) {}

  ~ChunkedStream() override {
    outlet_->disarm();
    loop_->post([connection = connection_, serial = serial_] {
      if (const auto c = connection.lock()) c->end_stream(serial);
    });
  }

  bool write(std::string bytes) override {
    if (bytes.empty()) return !outlet_->closed();  // an empty chunk would end the body
    switch (outlet_->take(bytes.size())) {
      case Outlet::Taken::closed:
        return false;
      case Outlet::Taken::overflow:
        loop_->post([connection = connection_] {
          if (const auto c = connection.lock()) c->shut();
        });
        return false;
      case Outlet::Taken::yes:
        break;
    }
    return loop_->post([connection = connection_, serial = serial_, bytes = std::move(bytes)] {
      if (const auto c = connection.lock()) c->write_stream(serial, bytes);
    });
  }

  bool closed() const override { return outlet_->closed() || loop_->stopped(); }

  std::size_t backlog_bytes() const override { return outlet_->backlog_bytes(); }

  void abort() override {
    loop_->post([connection = connection_] {
      if (const auto c = connection.lock()) c->shut();
    });
  }

  void on_close(std::function<void()> callback) override {
    if (!outlet_->set_on_close(std::move(callback))) return;
    if (!loop_->post([outlet = outlet_] { outlet->fire(); })) outlet_->disarm();
  }

 private:
  const std::shared_ptr<Loop> loop_;
  const std::weak_ptr<Connection> connection_;
  const std::uint64_t serial_;
  const std::shared_ptr<Outlet> outlet_;
};

}  // namespace

void ConnectionReply::send(Response response) {
  if (loop_->on_thread()) {
    if (const auto c = connection_.lock()) c->answer(serial_, std::move(response));
    return;
  }
  loop_->post(
      [connection = connection_, serial = serial_, response = std::move(response)]() mutable {
        if (const auto c = connection.lock()) c->answer(serial, std::move(response));
      });
}

void ConnectionReply::refuse(int status, std::string_view reason) {
  loop_->post([loop = loop_.get(), connection = connection_, serial = serial_, status,
               reason = std::string(reason)] {
    const auto c = connection.lock();
    if (!c) return;
    Response response = loop->refusal(status, reason);
    response.status = status;
    c->answer(serial, std::move(response));
  });
}

std::shared_ptr<Stream> ConnectionReply::stream(Response head) {
  auto outlet = std::make_shared<Outlet>(loop_->options.max_stream_backlog_bytes);
  outlet->take(head.body.size());
  auto stream = std::make_shared<ChunkedStream>(loop_, connection_, serial_, outlet);
  const bool posted = loop_->post(
      [connection = connection_, serial = serial_, head = std::move(head), outlet]() mutable {
        const auto c = connection.lock();
        if (!c) return outlet->close();
        c->begin_stream(serial, std::move(head), std::move(outlet));
      });
  if (!posted) outlet->close();
  return stream;
}

std::shared_ptr<WebSocket> ConnectionReply::websocket() {
  if (wants_websocket_) return accept_websocket(loop_, connection_, serial_);
  refuse(400, "this needs a WebSocket: send Upgrade: websocket");
  return nullptr;
}

namespace {

class CallbackReply final : public Reply::Impl {
 public:
  explicit CallbackReply(std::function<void(Response)> answer) : answer_(std::move(answer)) {}
  void send(Response response) override { answer_(std::move(response)); }
  void refuse(int status, std::string_view reason) override {
    answer_({status, "text/plain", std::string(reason), {}});
  }
  std::shared_ptr<Stream> stream(Response head) override {
    return std::make_shared<Whole>(answer_, std::move(head));
  }
  std::shared_ptr<WebSocket> websocket() override {
    refuse(400, "no WebSocket without a connection");
    return nullptr;
  }
  bool wants_websocket() const override { return false; }

 private:
  class Whole final : public Stream {
   public:
    Whole(std::function<void(Response)> answer, Response head)
        : answer_(std::move(answer)), head_(std::move(head)) {}
    ~Whole() override { answer_(std::move(head_)); }
    bool write(std::string bytes) override {
      head_.body += bytes;
      return true;
    }
    bool closed() const override { return false; }
    std::size_t backlog_bytes() const override { return 0; }
    void abort() override { head_ = {500, "text/plain", "cut off", {}}; }
    void on_close(std::function<void()>) override {}

   private:
    const std::function<void(Response)> answer_;
    Response head_;
  };
  const std::function<void(Response)> answer_;
};

}  // namespace

Reply::Reply(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reply::Reply(std::function<void(Response)> answer)
    : impl_(std::make_shared<CallbackReply>(std::move(answer))) {}
Reply::Reply(Reply&&) noexcept = default;

Reply& Reply::operator=(Reply&& other) noexcept {
  if (this == &other) return *this;
  const Reply unanswered(std::move(impl_));
  impl_ = std::move(other.impl_);
  finish_ = std::move(other.finish_);
  return *this;
}

Reply::~Reply() {
  if (impl_) impl_->refuse(500, "the request was dropped without an answer");
}

void Reply::send(Response response) {
  const auto impl = std::exchange(impl_, nullptr);
  if (!impl) return;
  if (finish_) finish_(response);
  impl->send(std::move(response));
}

std::shared_ptr<Stream> Reply::stream(Response head) {
  const auto impl = std::exchange(impl_, nullptr);
  return impl ? impl->stream(std::move(head)) : nullptr;
}

bool Reply::wants_websocket() const { return impl_ && impl_->wants_websocket(); }

std::shared_ptr<WebSocket> Reply::websocket() {
  const auto impl = std::exchange(impl_, nullptr);
  return impl ? impl->websocket() : nullptr;
}

}  // namespace ampacity::net
