// The servers of one cloud: where they are, whom we believe there, and which one answers now.
// Threads: one caller. 1. Who answered last is asked first. 2. A server is left for the next when
// it cannot be reached or says that it cannot serve (502, 503); with one server, it is asked again.
// 3. What may not be done twice is sent once, to a server that has just answered.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_client.h"

namespace ampacity::cli {

// "https://a:7878,https://b:7878" as a list, without slashes at the ends.
std::vector<std::string> split_urls(std::string_view text);

// A sentence, if it is none of ours.
std::string wrong_url(std::string_view url);

class Servers {
 public:
  explicit Servers(std::vector<net::Peer> peers);

  std::size_t size() const { return peers_.size(); }
  const net::Peer& peer() const { return peers_[now_]; }
  const std::string& url() const { return peer().base_url; }
  net::HttpClient& client();
  void next() { now_ = (now_ + 1) % peers_.size(); }
  // Each in turn, until one says that it is well: for what may not be repeated.
  void find_living(const net::CallOptions& options);

 private:
  std::vector<net::Peer> peers_;  // at least one
  std::vector<std::unique_ptr<net::HttpClient>> clients_;
  std::size_t now_ = 0;
};

// The server is there, but may be another: it says why and how to go on. Empty: that was not it.
std::string distrust(const net::Peer& peer, const base::Fault& fault);

}  // namespace ampacity::cli
