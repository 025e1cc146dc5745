#include "cli/session.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>

#include "base/crypto.h"
#include "base/money.h"
#include "cli/display.h"

namespace ampacity::cli {
namespace {

// What is stored; the names are the file's.
struct ConfigFile {
  std::optional<std::string> url;  // one or several, by commas
  std::optional<std::string> key;
  std::optional<std::map<std::string, std::string>> pins;
  std::optional<std::string> ca_file;
  std::optional<std::string> client_cert;
  std::optional<std::string> client_key;
};
BOOST_DESCRIBE_STRUCT(ConfigFile, (), (url, key, pins, ca_file, client_cert, client_key))

constexpr int post_attempts = 5;
constexpr int other_attempts = 3;
constexpr int rounds_of_several = 10;  // about 15 s: a standby takes over in less

// Of each server.
int attempts_of(const std::string& method, std::size_t servers) {
  if (method == "DELETE") return 1;
  return servers > 1 ? rounds_of_several : method == "POST" ? post_attempts : other_attempts;
}

base::Duration backoff(int attempt) {
  return base::Duration::millis(std::min<std::int64_t>(100LL << attempt, 3'000));
}

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::string joined(const std::vector<std::string>& urls) {
  std::string all;
  for (const std::string& url : urls) all += (all.empty() ? "" : ",") + url;
  return all;
}

std::vector<net::Peer> peers_of(const Config& config) {
  std::vector<net::Peer> peers;
  for (const std::string& url : config.urls) peers.push_back(config.peer(url));
  return peers;
}

std::string config_path(const Terminal& terminal) {
  if (auto path = terminal.env("AMPACITY_CONFIG"); !path.empty()) return path;
  if (auto xdg = terminal.env("XDG_CONFIG_HOME"); !xdg.empty())
    return xdg + "/ampacity/config.json";
  return terminal.env("HOME") + "/.config/ampacity/config.json";
}

int exit_code_of(int status, base::Code code = base::Code::invalid) {
  if (code == base::Code::over_quota || code == base::Code::over_budget)
    return exit_refused;  // 403, but no matter of the key
  if (status == 401 || status == 403) return exit_not_allowed;
  if (status >= 500 && status != 507) return exit_unreachable;
  return exit_refused;
}

std::string hint_of(base::Code code) {
  switch (code) {
    case base::Code::unauthenticated:
      return "sign in with `ampacity login`";
    case base::Code::forbidden:
      return "`ampacity whoami` shows what this key may do";
    case base::Code::never_fits:
      return "`ampacity offers` shows what there is";
    case base::Code::insufficient_credit:
      return "`ampacity` shows the wallet; the cloud's operator adds credit";
    case base::Code::over_quota:
    case base::Code::over_budget:
      return "`ampacity quotas show` shows the limits and what is used";
    case base::Code::unavailable:
      return "try again in a moment";
    default:
      return {};
  }
}

std::string amount_of(const base::Missing& m, std::int64_t value) {
  if (m.what.ends_with("_ticks")) return base::format_usd(value);
  if (m.what.starts_with("cpu_milli")) return vcpus(value) + " vCPU";
  if (m.what.starts_with("memory_mib")) return memory(value);
  return std::to_string(value);
}

// "memory_mib_per_node" to "memory per node": the unit stands with the amount.
std::string words_of(std::string what) {
  for (const std::string_view unit : {"_ticks", "_milli", "_mib"})
    if (const auto at = what.find(unit); at != std::string::npos) what.erase(at, unit.size());
  std::replace(what.begin(), what.end(), '_', ' ');
  return what;
}

std::string hint_of(base::Code code, const std::vector<base::Wrong>& wrong) {
  for (const auto& w : wrong)
    if (w.field == "project" && w.message.find("required") != std::string::npos)
      return "--project NAME; `ampacity projects ls` lists them";
  return hint_of(code);
}

std::string describe(const std::string& detail, const std::vector<base::Wrong>& wrong,
                     const std::vector<base::Missing>& missing,
                     const std::optional<base::Instant>& earliest, base::Code code) {
  std::string text = detail;
  if (const auto at = text.find("; see `wrong`"); at != std::string::npos) text.erase(at);
  // One wrong field is already the whole sentence.
  for (const auto& w : wrong)
    if (wrong.size() > 1 || detail.find(w.message) == std::string::npos)
      text += fmt::format("\n  {}: {}", w.field, w.message);
  for (const auto& m : missing) {
    if (code == base::Code::over_quota || code == base::Code::over_budget)
      break;  // the sentence has them, in hours and money
    text += fmt::format("\n  {}: {} wanted, {} available", words_of(m.what), amount_of(m, m.wanted),
                        amount_of(m, m.available));
  }
  if (earliest && detail.find(base::format_instant(*earliest)) == std::string::npos)
    text += "\n  earliest: " + base::format_instant(*earliest);
  if (const auto hint = hint_of(code, wrong); !hint.empty()) text += "\n  hint: " + hint;
  return text;
}

void write_pretty(std::string& out, const boost::json::value& v, std::size_t indent) {
  const std::string inner(indent + 2, ' '), outer(indent, ' ');
  const auto open = [&](bool first) { out += first ? "\n" + inner : ",\n" + inner; };
  if (v.is_object() && !v.get_object().empty()) {
    out += '{';
    bool first = true;
    for (const auto& [key, item] : v.get_object()) {
      open(std::exchange(first, false));
      base::write_json_string(out, key);
      out += ": ";
      write_pretty(out, item, indent + 2);
    }
    out += "\n" + outer + "}";
  } else if (v.is_array() && !v.get_array().empty()) {
    out += '[';
    bool first = true;
    for (const auto& item : v.get_array()) {
      open(std::exchange(first, false));
      write_pretty(out, item, indent + 2);
    }
    out += "\n" + outer + "]";
  } else {
    out += boost::json::serialize(v);
  }
}

}  // namespace

Answer<Config> load_config(const Terminal& terminal) {
  Config config{{std::string(default_url)}, {}, {}, {}, config_path(terminal)};
  std::ifstream in(config.path);
  if (in) {
    std::ostringstream text;
    text << in.rdbuf();
    const auto file = base::from_json<ConfigFile>(text.str());
    if (!file)
      return fail(exit_refused,
                  fmt::format("{}: {}\n  hint: mend it, or sign in anew with `ampacity "
                              "login`",
                              config.path, file.error().message));
    if (auto urls = split_urls(file->url.value_or("")); !urls.empty()) config.urls = urls;
    config.key = file->key.value_or("");
    config.pins = file->pins.value_or(config.pins);
    config.trust = {{},
                    file->ca_file.value_or(""),
                    file->client_cert.value_or(""),
                    file->client_key.value_or("")};
  }
  if (auto urls = split_urls(terminal.env("AMPACITY_URL")); !urls.empty()) config.urls = urls;
  if (auto key = terminal.env("AMPACITY_KEY"); !key.empty()) config.key = key;
  if (auto ca = terminal.env("AMPACITY_CA_FILE"); !ca.empty()) config.trust.ca_file = ca;
  if (auto pin = terminal.env("AMPACITY_PIN"); !pin.empty()) {
    if (!net::is_pin(pin))
      return fail(exit_refused, "AMPACITY_PIN: must be sha256// and 44 characters of base64");
    for (const std::string& url : config.urls) config.pins[url] = pin;
  }
  return config;
}

net::Peer Config::peer(const std::string& url) const {
  net::Trust t = trust;
  const auto pinned = pins.find(url);
  if (pinned != pins.end()) t.pin = pinned->second;
  return {url, {}, url.starts_with("https://") ? t : net::Trust{}};
}

Answer<void> save_config(const Config& config) {
  const auto failed = [&](int error) {
    return fail(exit_failed, fmt::format("cannot write {}: {}", config.path, std::strerror(error)));
  };
  std::error_code ec;
  const auto folder = std::filesystem::path(config.path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ec);
  const std::string temporary = config.path + "." + base::random_base62(8);
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return failed(errno);
  std::string text;
  ConfigFile file{joined(config.urls),
                  config.key,
                  {},
                  unless_empty(config.trust.ca_file),
                  unless_empty(config.trust.certificate_file),
                  unless_empty(config.trust.key_file)};
  if (!config.pins.empty()) file.pins = config.pins;
  write_pretty(text, *base::parse_json(base::to_sparse_json(file)), 0);
  text += "\n";
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  int error = errno;
  if (close(fd) != 0 || !written || rename(temporary.c_str(), config.path.c_str()) != 0) {
    if (written) error = errno;
    unlink(temporary.c_str());
    return failed(error);
  }
  return {};
}

Failure failure_of(int status, std::string_view body) {
  const auto problem = Session::parse<api::Problem>(body);
  if (!problem) {
    std::string start = printable(body.substr(0, 200));
    return {exit_code_of(status),
            fmt::format("the server answered {}{}", status, start.empty() ? "" : ": " + start)};
  }
  const std::string& detail = problem->detail.empty() ? problem->title : problem->detail;
  return {exit_code_of(status, problem->code),
          describe(detail, problem->wrong, problem->missing, problem->earliest, problem->code)};
}

Failure failure_of(const base::Refusal& r) {
  return {exit_refused, describe(r.message, r.wrong, r.missing, r.earliest, r.code)};
}

Session::Session(Terminal& t, Config c, bool print_json)
    : terminal(t), config(std::move(c)), json(print_json), servers(peers_of(config)) {}

net::Request Session::request(std::string method, std::string target) const {
  net::Request r{std::move(method), std::move(target), {{"Accept", "application/json"}}, {}};
  if (!config.key.empty()) r.headers.push_back({"Authorization", "Bearer " + config.key});
  return r;
}

Failure Session::unreachable(const base::Fault& fault) {
  if (terminal.interrupted) return {exit_interrupted, "interrupted"};
  if (std::string why = distrust(servers.peer(), fault); !why.empty())
    return {exit_not_allowed, std::move(why)};
  const std::string& url = servers.url();
  std::string why = fault.message;  // "GET /x at URL: why"
  if (const auto at = why.find(url + ": "); at != std::string::npos)
    why.erase(0, at + url.size() + 2);
  return {exit_unreachable,
          fmt::format("cannot reach {}{}: {}\n  hint: is ampacityd running there? another "
                      "server: `ampacity login --url URL` or AMPACITY_URL",
                      url, servers.size() > 1 ? ", nor the others" : "", why)};
}

Answer<std::string> Session::call(const std::string& method, const std::string& target,
                                  std::string body) {
  net::Request r = request(method, target);
  r.body = std::move(body);
  if (!r.body.empty()) r.headers.push_back({"Content-Type", "application/json"});
  if (method == "POST") r.headers.push_back({"Idempotency-Key", base::random_base62(22)});
  net::CallOptions options;
  options.timeout = patience;
  options.cancel = &terminal.interrupted;
  const int rounds = attempts_of(method, servers.size());
  const int per_round = method == "DELETE" ? 1 : static_cast<int>(servers.size());
  if (method == "DELETE") servers.find_living(options);
  for (int attempt = 1;; ++attempt) {
    const auto response = servers.client().call(r, options);
    const bool last = attempt >= rounds * per_round;
    if (response && response->status / 100 == 2) return response->body;
    const bool elsewhere =
        response && (response->status == 503 || (response->status == 502 && servers.size() > 1));
    if (response && (!elsewhere || last))
      return std::unexpected(failure_of(response->status, response->body));
    if (!response && (last || !response.error().retryable || terminal.interrupted))
      return std::unexpected(unreachable(response.error()));
    servers.next();
    if (attempt % per_round == 0 && !terminal.pause(backoff(attempt / per_round - 1)))
      return fail(exit_interrupted, "interrupted");
  }
}

Answer<Session::StreamEnd> Session::stream(const std::string& target,
                                           const std::string& last_event_id,
                                           const std::function<bool(std::string_view)>& on_bytes) {
  net::Request r = request("GET", target);
  r.headers[0] = {"Accept", "text/event-stream"};
  if (!last_event_id.empty()) r.headers.push_back({"Last-Event-ID", last_event_id});
  net::CallOptions options;
  options.timeout = {};
  options.cancel = &terminal.interrupted;
  const auto response = servers.client().stream(r, on_bytes, options);
  if (!response && !response.error().retryable && !terminal.interrupted)
    if (std::string why = distrust(servers.peer(), response.error()); !why.empty())
      return fail(exit_not_allowed, std::move(why));
  if (!response || response->status == 502 || response->status == 503) {
    servers.next();  // whoever asks again asks there
    return StreamEnd{true, response ? failure_of(response->status, response->body).text
                                    : response.error().message};
  }
  if (response->status / 100 != 2)
    return std::unexpected(failure_of(response->status, response->body));
  return StreamEnd{};
}

bool Session::print_json(const std::string& body) {
  if (!json) return false;
  const auto value = terminal.out_is_tty ? base::parse_json(body) : base::parse_json("");
  std::string text = body;
  if (value) {
    text.clear();
    write_pretty(text, *value, 0);
  }
  terminal.out << text << (text.ends_with('\n') ? "" : "\n") << std::flush;
  return true;
}

int Session::report(const Failure& failure) {
  std::istringstream lines(failure.text);
  std::string line;
  for (bool first = true; std::getline(lines, line); first = false) {
    if (first) terminal.err << paint("error:", Tone::bad, terminal.colour_err) << " ";
    terminal.err << printable(line) << "\n";
  }
  terminal.err << std::flush;
  return failure.exit_code;
}

void Session::notice(std::string_view text, Tone tone) {
  terminal.err << paint(printable(text), tone, terminal.colour_err) << "\n" << std::flush;
}

std::string escaped(std::string_view text) { return net::percent_encode(text); }

std::string with_query(std::string path,
                       const std::vector<std::pair<std::string, std::string>>& query) {
  char mark = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    path += mark + escaped(name) + "=" + escaped(value);
    mark = '&';
  }
  return path;
}

void print_table(Session& session, const Table& table, std::string_view if_empty) {
  auto& t = session.terminal;
  if (table.rows.empty() && !if_empty.empty()) return session.notice(if_empty);
  t.out << render(table, t.width, t.colour_out) << std::flush;
}

}  // namespace ampacity::cli
