#include "documents/focus_names.h"

#include <algorithm>

namespace ampacity::documents {
namespace {

constexpr std::string_view compute = "Ampacity Compute";

bool has(std::string_view meter, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return meter.find(w) != std::string_view::npos; });
}

NamedMeter guess(std::string_view meter) {
  NamedMeter m{std::string(meter), std::string(meter), "Ampacity Metered Services", "Other",
               "Other (Other)"};
  const auto as = [&](const char* service, const char* category, const char* subcategory) {
    m.service = service;
    m.category = category;
    m.subcategory = subcategory;
  };
  if (has(meter, {"token"}))
    as("Ampacity Inference", "AI and Machine Learning", "Generative AI");
  else if (has(meter, {"object"}))
    as("Ampacity Object Storage", "Storage", "Object Storage");
  else if (has(meter, {"file", "volume"}))
    as("Ampacity File Storage", "Storage", "File Storage");
  else if (has(meter, {"storage", "disk", "block"}))
    as("Ampacity Storage", "Storage", "Block Storage");
  else if (has(meter, {"ipv4", "public_ip", "egress", "network", "connect"}))
    as("Ampacity Network", "Networking", "Network Connectivity");
  return m;
}

}  // namespace

std::vector<NamedMeter> default_meters() {
  const auto of = [](const char* meter, const char* title) {
    return NamedMeter{meter, title, std::string(compute), "Compute", "Containers"};
  };
  return {of("gpu", "GPU Time"), of("vcpu", "vCPU Time"), of("memory", "Memory Time"),
          of("cpu_vcpu", "CPU-only vCPU Time"), of("cpu_memory", "CPU-only Memory Time")};
}

const core::Contract* FocusNames::contract(const base::Id& id) const {
  const auto at = std::lower_bound(
      contracts.begin(), contracts.end(), id,
      [](const core::Contract& c, const base::Id& wanted) { return c.id < wanted; });
  return at != contracts.end() && at->id == id ? &*at : nullptr;
}

NamedMeter FocusNames::meter(std::string_view name) const {
  for (const NamedMeter& m : meters)
    if (m.meter == name) return m;
  return guess(name);
}

}  // namespace ampacity::documents
