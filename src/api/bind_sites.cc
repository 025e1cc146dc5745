#include "api/bind_sites.h"

#include <algorithm>

#include "api/bind_job.h"
#include "base/money.h"

namespace ampacity::api {
namespace {

using SiteWrongs = std::vector<base::Wrong>;

constexpr base::Ticks dearest_kwh = 100 * base::ticks_per_usd;
constexpr std::size_t most_options = 32, longest_text = 1'024;

// "1.25" -> 1250, three decimals at most; nullopt: not such a thing.
std::optional<std::int64_t> parse_milli(const std::string& text) {
  const std::size_t dot = text.find('.');
  const std::string whole = text.substr(0, dot);
  std::string part = dot == std::string::npos ? "" : text.substr(dot + 1);
  const auto digits = [](const std::string& s) {
    return std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || whole.size() > 3 || part.size() > 3 || !digits(whole + part) ||
      (dot != std::string::npos && part.empty()))
    return std::nullopt;
  part.resize(3, '0');
  return std::stoll(whole) * 1000 + std::stoll(part);
}

void check_text(const char* field, const std::string& text, SiteWrongs& wrong) {
  const bool plain = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (text.size() > longest_text || !plain)
    wrong.push_back({field, "must be text of at most 1024 characters"});
}

void check_region(const std::string& region, SiteWrongs& wrong) {
  if (!is_name(region))
    wrong.push_back(
        {"region", "must be a-z, 0-9 and '-', begin with a letter, at most 63 characters"});
}

std::optional<base::Ticks> power_of(const std::optional<std::string>& text, SiteWrongs& wrong) {
  if (!text) return std::nullopt;
  const auto ticks = base::parse_usd(*text);
  if (!ticks || *ticks < 0 || *ticks > dearest_kwh)
    wrong.push_back({"power_usd_per_kwh", "must be USD for a kWh, such as 0.07, at most 100"});
  return ticks;
}

std::optional<std::int64_t> pue_of(const std::optional<std::string>& text, SiteWrongs& wrong) {
  if (!text) return std::nullopt;
  const auto milli = parse_milli(*text);
  if (!milli || *milli < 1000 || *milli > 10'000)
    wrong.push_back({"pue", "must be 1 to 10 with at most three decimals, such as 1.25"});
  return milli;
}

// "file:PATH" or "env:NAME"; nullopt: neither was said.
std::optional<std::string> credential_of(const std::optional<std::string>& file,
                                         const std::optional<std::string>& env, SiteWrongs& wrong) {
  if (file && env)
    wrong.push_back({"token_env", "says the same as token_file: give one of the two"});
  if (file && !file->empty()) {
    check_text("token_file", *file, wrong);
    if (!file->starts_with('/'))
      wrong.push_back({"token_file", "must be an absolute path on ampacityd's machine"});
    return "file:" + *file;
  }
  if (env && !env->empty()) {
    const bool is_variable = std::all_of(env->begin(), env->end(), [](char c) {
      return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
    if (!is_variable || env->size() > 128)
      wrong.push_back({"token_env", "must be the name of an environment variable of ampacityd"});
    return "env:" + *env;
  }
  if (file || env) return "";  // none from now on
  return std::nullopt;
}

void check_options(const std::vector<std::string>& options, SiteWrongs& wrong) {
  if (options.size() > most_options) wrong.push_back({"options", "must be at most 32"});
  for (const std::string& o : options) {
    check_text("options", o, wrong);
    if (const auto equals = o.find('='); equals == 0 || equals == std::string::npos)
      wrong.push_back({"options", "must each read NAME=VALUE; got '" + o.substr(0, 40) + "'"});
  }
}

}  // namespace

base::Result<core::AddSite> bind_site(const SiteRequest& r) {
  core::AddSite c;
  core::Site& s = c.site;
  SiteWrongs wrong;
  if (!is_name(r.name))
    wrong.push_back(
        {"name", "must be a-z, 0-9 and '-', begin with a letter, at most 63 characters"});
  if (r.name == "any") wrong.push_back({"name", "any is what a job says that names no site"});
  s.name = r.name;
  s.engine = r.engine;
  s.region = r.region.value_or(r.name);
  check_region(s.region, wrong);
  if (r.url.empty()) wrong.push_back({"url", "is required"});
  check_text("url", r.url, wrong);
  if (r.url.find('@') != std::string::npos)
    wrong.push_back(
        {"url", "must hold no user or password: secrets go into token_file or token_env"});
  s.url = r.url;
  s.power_ticks_per_kwh = power_of(r.power_usd_per_kwh, wrong).value_or(0);
  s.pue_milli = pue_of(r.pue, wrong).value_or(1000);
  s.credential = credential_of(r.token_file, r.token_env, wrong).value_or("");
  s.options = r.options;
  check_options(r.options, wrong);
  if (wrong.empty()) return c;
  return std::unexpected(base::refusal_of(std::move(wrong)));
}

base::Result<core::SetSite> bind_site_change(const std::string& name, const SiteChange& r) {
  core::SetSite c;
  SiteWrongs wrong;
  c.name = name;
  c.region = r.region;
  if (r.region) check_region(*r.region, wrong);
  c.url = r.url;
  if (r.url) {
    check_text("url", *r.url, wrong);
    if (r.url->empty() || r.url->find('@') != std::string::npos)
      wrong.push_back({"url", "must be where the engine answers, without user or password"});
  }
  c.power_ticks_per_kwh = power_of(r.power_usd_per_kwh, wrong);
  c.pue_milli = pue_of(r.pue, wrong);
  c.credential = credential_of(r.token_file, r.token_env, wrong);
  if (!r.options.empty()) c.options = r.options;
  check_options(r.options, wrong);
  c.state = r.state;
  if (wrong.empty()) return c;
  return std::unexpected(base::refusal_of(std::move(wrong)));
}

}  // namespace ampacity::api
