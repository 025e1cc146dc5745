// The contract of sites: data centres, each with an engine, a region and a power price.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "core/words.h"

namespace ampacity::api {

// POST /v1/sites. No secret is in it: the engine's token lies in a file or in an environment
// variable of ampacityd, and here is where.
struct SiteRequest {
  std::string name;
  std::string engine;  // "slurm", "emulated"
  std::string url;     // "unix:/run/slurmrestd.socket", "https://…", "emulated:h100:8x4"
  std::optional<std::string> region;             // default: the site's name
  std::optional<std::string> power_usd_per_kwh;  // "0.07"
  std::optional<std::string> pue;                // "1.25"
  std::optional<std::string> token_file;         // a path on ampacityd's machine
  std::optional<std::string> token_env;          // the name of a variable
  std::vector<std::string> options;              // NAME=VALUE, of its kind of engine
};
BOOST_DESCRIBE_STRUCT(SiteRequest, (),
                      (name, engine, url, region, power_usd_per_kwh, pue, token_file, token_env,
                       options))

// PATCH /v1/sites/{site}: what is left out stays.
struct SiteChange {
  std::optional<std::string> region;
  std::optional<std::string> url;
  std::optional<std::string> power_usd_per_kwh;
  std::optional<std::string> pue;
  std::optional<std::string> token_file;
  std::optional<std::string> token_env;
  std::vector<std::string> options;  // empty: as they are
  std::optional<core::SiteState> state;
};
BOOST_DESCRIBE_STRUCT(SiteChange, (),
                      (region, url, power_usd_per_kwh, pue, token_file, token_env, options, state))

struct SiteView {
  std::string name;
  std::string region;
  std::string engine;
  core::SiteState state{};
  bool emulated = false;                       // nothing is really run there
  bool reachable = false;                      // now; `unknown_since` is what is decided by
  std::optional<base::Instant> unknown_since;  // it was last seen then: nothing new begins there
  bool clearing = false;                       // reached again: what was given up is removed first
  std::optional<std::string> next;             // what happens next, and when: a sentence
  std::optional<base::Instant> fenced_at;      // when what may move is given up there
  std::uint32_t nodes = 0;
  std::uint32_t gpus = 0;
  std::uint32_t gpus_free = 0;
  std::uint32_t jobs = 0;         // leased there
  std::uint32_t jobs_moving = 0;  // of them: that may move when it is lost
  std::optional<std::string> url;
  std::optional<std::string> token_file;
  std::optional<std::string> token_env;
  std::vector<std::string> options;
  std::string power_usd_per_kwh;
  std::string pue;
  std::vector<std::string> volumes;  // "PROJECT/NAME", the first hundred that live there
  std::vector<std::string> notes;
};
BOOST_DESCRIBE_STRUCT(SiteView, (),
                      (name, region, engine, state, emulated, reachable, unknown_since, clearing,
                       next, fenced_at, nodes, gpus, gpus_free, jobs, jobs_moving, url, token_file,
                       token_env, options, power_usd_per_kwh, pue, volumes, notes))
struct SiteList {
  std::vector<SiteView> items;
};
BOOST_DESCRIBE_STRUCT(SiteList, (), (items))

// Of an offer: where it is to be had.
struct OfferSite {
  std::string site;
  std::string region;
  bool reachable = true;  // as far as is decided by it
  std::uint32_t nodes = 0;
  std::uint32_t gpus_total = 0;
  std::uint32_t gpus_free = 0;
};
BOOST_DESCRIBE_STRUCT(OfferSite, (), (site, region, reachable, nodes, gpus_total, gpus_free))

}  // namespace ampacity::api
