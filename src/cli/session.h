// One invocation's door to the server: who we are, calls with bounded retries, and what each kind
// of "no" means for the exit code. Threads: one caller; `terminal.interrupted` abandons a call from
// any.
//
// 1. Every POST carries an Idempotency-Key and is repeated with the same one when the connection
//    fails, on the next server if there are several; GET is repeated too; DELETE never.
// 2. Unknown fields in answers are let be: the server may be newer.
// 3. The key is never printed.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/contract.h"
#include "base/json.h"
#include "cli/servers.h"
#include "cli/table.h"
#include "cli/terminal.h"

namespace ampacity::cli {

// Exit codes beside 0 and a job's own.
inline constexpr int exit_failed = 1;
inline constexpr int exit_refused = 2;      // the request or the command line is wrong
inline constexpr int exit_unreachable = 3;  // no answer, or the server cannot answer now
inline constexpr int exit_not_allowed = 4;  // signed out, or the key may not
inline constexpr int exit_interrupted = 130;

struct Failure {
  int exit_code = exit_failed;
  std::string text;  // for a person; may have several lines
};
template <typename T>
using Answer = std::expected<T, Failure>;

inline std::unexpected<Failure> fail(int exit_code, std::string text) {
  return std::unexpected(Failure{exit_code, std::move(text)});
}

struct Config {
  std::vector<std::string> urls;  // of one cloud's servers
  std::string key;
  std::map<std::string, std::string> pins;  // of servers' public keys, by URL
  net::Trust trust;                         // of those without a pin; the client's certificate
  std::string path;                         // of the file, for messages and `login`

  net::Peer peer(const std::string& url) const;
};

inline constexpr std::string_view default_url = "http://127.0.0.1:7878";

// The file, then AMPACITY_URL (one or several, by commas), AMPACITY_KEY, AMPACITY_PIN and
// AMPACITY_CA_FILE over it. A missing file is no error; a broken one is.
Answer<Config> load_config(const Terminal& terminal);
// Mode 0600, whole or not at all.
Answer<void> save_config(const Config& config);

// What a person reads for a problem document (or for a body that is none).
Failure failure_of(int status, std::string_view body);
Failure failure_of(const base::Refusal& refusal);

struct Session {
  Terminal& terminal;
  Config config;
  bool json = false;                                      // print the API's body, not tables
  base::Duration patience = base::Duration::seconds(30);  // for one answer; zero: no end of it
  Servers servers;

  Session(Terminal& t, Config c, bool print_json);

  // A body of status 2xx.
  Answer<std::string> call(const std::string& method, const std::string& target,
                           std::string body = {});
  template <typename T>
  Answer<T> get(const std::string& target) {
    return read<T>(call("GET", target));
  }
  template <typename T, typename B>
  Answer<T> post(const std::string& target, const B& body) {
    return read<T>(call("POST", target, base::to_json(body)));
  }
  // What GET answers, to be shown. nullopt: nothing is left to do but to return `done`, for --json
  // printed it, or the failure was reported.
  template <typename T>
  std::optional<T> fetch(const std::string& target, int& done) {
    const auto body = call("GET", target);
    if (!body) done = report(body.error());
    if (!body || print_json(*body)) return std::nullopt;
    auto value = parse<T>(*body);
    if (value) return std::move(*value);
    done = report(value.error());
    return std::nullopt;
  }
  // The same of a request that changes something.
  template <typename T>
  std::optional<T> send(const char* method, const std::string& target, std::string body,
                        int& done) {
    const auto answer = call(method, target, std::move(body));
    if (!answer) done = report(answer.error());
    if (!answer || print_json(*answer)) return std::nullopt;
    auto value = parse<T>(*answer);
    if (value) return std::move(*value);
    done = report(value.error());
    return std::nullopt;
  }
  // Why there was no answer, and what to do about it.
  Failure unreachable(const base::Fault& fault);
  // A stream's bytes; ends with the stream. Faults are `connection_lost`.
  struct StreamEnd {
    bool connection_lost = false;
    std::string why;
  };
  Answer<StreamEnd> stream(const std::string& target, const std::string& last_event_id,
                           const std::function<bool(std::string_view)>& on_bytes);

  // With --json: prints the body. Else: false.
  bool print_json(const std::string& body);
  int report(const Failure& failure);  // prints, returns its exit code
  void notice(std::string_view text, Tone tone = Tone::dim);

  net::Request request(std::string method, std::string target) const;

  template <typename T>
  static Answer<T> parse(std::string_view body) {
    T out{};
    auto value = base::parse_json(body);
    base::JsonReader reader;
    reader.allow_unknown = true;
    if (value) reader.read(*value, out, "");
    if (value && reader.wrong.empty()) return out;
    return fail(exit_unreachable, "the server's answer is not what this program understands: " +
                                      (value ? reader.wrong[0].field + " " + reader.wrong[0].message
                                             : value.error().message) +
                                      "\n  hint: compare `ampacity version` with the server's");
  }
  template <typename T>
  static Answer<T> read(Answer<std::string> body) {
    if (!body) return std::unexpected(std::move(body.error()));
    return parse<T>(*body);
  }
};

// A path segment or a query value.
std::string escaped(std::string_view text);
// "/v1/usage" + {{"by","day"},{"from",""}} -> "/v1/usage?by=day"; empty values are left out.
std::string with_query(std::string path,
                       const std::vector<std::pair<std::string, std::string>>& query);

// A list, as wide as the terminal; `if_empty` is said where it has no rows.
void print_table(Session& session, const Table& table, std::string_view if_empty = {});

}  // namespace ampacity::cli
