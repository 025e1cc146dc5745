// What exports call things: ids as the contract writes them, display names, regions, services. One
// table for the cost export and the usage CSV, made by whoever has the world before a stream
// begins. Threads: read only while a writer uses it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bill.h"
#include "core/model.h"

namespace ampacity::documents {

struct NamedOrg {
  std::string id;  // "org-06bx…"
  std::string name;
};
struct NamedProject {
  std::string id;  // "project-06bx…"
  std::string name;
  std::uint32_t org = 0;
};
struct NamedSku {
  std::string name;    // "h100"
  std::string series;  // "NVIDIA H100 SXM5"
  bool emulated = false;
};
struct NamedSite {
  std::string name;         // "las1"
  std::string region;       // "us-west"; empty: not told
  std::string region_name;  // "Las Vegas"; empty: the region's id serves
};

// What a meter is on the bill: of "gpu", "vcpu", "memory" and of every metered event.
struct NamedMeter {
  std::string meter;
  std::string title;  // "GPU Time"
  std::string service;
  std::string category;     // FOCUS ServiceCategory
  std::string subcategory;  // one of that category's
};
std::vector<NamedMeter> default_meters();

// Positions are the core's indices. Contracts by id ascending.
struct FocusNames {
  std::string provider = "Ampacity";  // also publisher and issuer of invoices
  std::string price_book;             // the public one's name
  std::vector<NamedOrg> orgs;
  std::vector<NamedProject> projects;
  std::vector<std::string> users;
  std::vector<NamedSku> skus;
  std::vector<NamedSite> sites;
  std::vector<core::Contract> contracts;
  std::vector<NamedMeter> meters = default_meters();
  // The name a customer gave a job; empty: none. Unset: none have one.
  std::function<std::string_view(const base::Id&)> job_name;

  const core::Contract* contract(const base::Id& id) const;
  // Of an unknown one: as good as its name tells (…token… is inference, …gb… storage).
  NamedMeter meter(std::string_view meter) const;
};

}  // namespace ampacity::documents
