// What a line is called on an invoice.
#include <fmt/core.h>

#include <algorithm>

#include "billing/invoice.h"

namespace ampacity::billing {

using core::LineKind;

namespace {

std::string sku_title(const Names& names, core::SkuIx sku) {
  if (sku < names.sku_titles.size() && !names.sku_titles[sku].empty()) return names.sku_titles[sku];
  return sku < names.skus.size() ? names.skus[sku] : std::string();
}

std::string_view class_words(core::JobClass c) {
  switch (c) {
    case core::JobClass::reserved:
      return "reserved";
    case core::JobClass::spot:
      return "spot";
    case core::JobClass::house:
      return "house";
    case core::JobClass::on_demand:
      break;
  }
  return "on demand";
}

const MeterWords* words_for(const Inputs& in, const std::string& meter) {
  const auto at = std::ranges::find(in.meters, meter, &MeterWords::meter);
  return at == in.meters.end() ? nullptr : &*at;
}

std::string what(const Setting& setting, const LineKey& key) {
  const std::string title = sku_title(setting.in.names, key.sku);
  switch (key.meter) {
    case meter_gpu:
      return title.empty() ? "GPU" : title;
    case meter_vcpu:
    case meter_cpu_vcpu:
      return title.empty() ? "vCPU" : "vCPU, " + title;
    case meter_memory:
    case meter_cpu_memory:
      return title.empty() ? "Memory" : "Memory, " + title;
    default:
      break;
  }
  const std::string& meter = setting.meters.name(key.meter);
  const MeterWords* words = words_for(setting.in, meter);
  const std::string name = words && !words->title.empty() ? words->title : meter;
  return title.empty() ? name : name + ", " + title;
}

std::string contract_name(const Setting& setting, Id id) {
  for (const core::Contract* c : setting.contracts)
    if (c->id == id) return c->name.empty() ? base::format_id("ctr", id) : c->name;
  return base::format_id("ctr", id);
}

}  // namespace

std::string unit_of(const Setting& setting, MeterIx meter) {
  switch (meter) {
    case meter_gpu:
      return "GPU-Hours";
    case meter_vcpu:
    case meter_cpu_vcpu:
      return "vCPU-Hours";
    case meter_memory:
    case meter_cpu_memory:
      return "GiB-Hours";
    case meter_none:
      return "";
    default:
      break;
  }
  const MeterWords* words = words_for(setting.in, setting.meters.name(meter));
  return words && !words->unit.empty() ? words->unit : "Units";
}

std::string description_of(const Setting& setting, const LineKey& key) {
  const std::string thing = what(setting, key);
  switch (key.kind) {
    case LineKind::usage: {
      if (!key.contract.is_nil() && key.price == 0 && key.meter == meter_gpu && key.version == 0)
        return fmt::format("{}, {} \"{}\"", thing,
                           key.project == core::nobody ? "not used of" : "covered by",
                           contract_name(setting, key.contract));
      std::string text = thing + ", " + std::string(class_words(key.job_class));
      if (key.site < setting.in.names.sites.size()) text += ", " + setting.in.names.sites[key.site];
      return text;
    }
    case LineKind::metered:
      return thing;
    case LineKind::minimum:
      return "Monthly minimum, " + thing;
    case LineKind::commitment:
      return fmt::format("{}, committed by \"{}\"", thing, contract_name(setting, key.contract));
    case LineKind::shortfall:
      return fmt::format("Shortfall of \"{}\"", contract_name(setting, key.contract));
    case LineKind::sla_credit:
      return fmt::format("Credit for lost uptime, \"{}\"", contract_name(setting, key.contract));
    case LineKind::prepaid:
    case LineKind::manual:
      break;
  }
  return thing;
}

}  // namespace ampacity::billing
