// One server connection's TLS, without a socket: sealed bytes in, plain bytes out, and back.
// Threads: the I/O thread only.
// 1. All of what open() is given is taken; what it makes is at most as long. 2. What must be sent
// (the greeting, an alert) is put before what seal() seals. 3. After `last` nothing is sealed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/http_input.h"
#include "net/tls.h"

struct ssl_st;

namespace ampacity::net {

class TlsPipe {
 public:
  struct Free {
    void operator()(ssl_st* s) const;
  };
  using Handle = std::unique_ptr<ssl_st, Free>;

  explicit TlsPipe(const TlsIdentity& identity);

  enum class Met { ok, ended, broken, not_tls };
  Met open(std::string_view sealed, InputBuffer& plain);
  // In place. False: the connection is no more.
  bool seal(std::string& bytes, bool last);

  bool established() const;  // the greeting is over
  bool owes() const;         // there is something to send, even if nothing was sealed
  // For a stream of another library that goes on with the session; empty if input is left here.
  Handle release();

 private:
  Met drain(InputBuffer& plain);

  Handle ssl_;
  bool began_ = false;
  bool last_sealed_ = false;
};

}  // namespace ampacity::net
