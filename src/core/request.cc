#include "core/request.h"

#include <charconv>

namespace ampacity::core {
namespace {

constexpr std::string_view form =
    "must read like h100:8, h100:8x4 (4 nodes of 8), a100-80|h100:8 or any>=40GB:2";

constexpr std::int64_t most_memory_mib = 1'000'000'000;

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

bool is_sku_name(std::string_view name) {
  if (name.empty() || name.size() > 32) return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  return true;
}

bool split_alternatives(std::string_view names, GpuRequest& out) {
  while (true) {
    const std::size_t bar = names.find('|');
    const std::string_view name = names.substr(0, bar);
    if (!is_sku_name(name) || out.skus.size() == 16) return false;
    out.skus.emplace_back(name);
    if (bar == std::string_view::npos) return true;
    names.remove_prefix(bar + 1);
  }
}

}  // namespace

std::expected<GpuRequest, std::string> parse_gpu_request(std::string_view text) {
  GpuRequest out;
  const std::size_t colon = text.rfind(':');
  const std::string_view names = text.substr(0, colon);
  if (names.starts_with("any")) {
    if (names.size() > 3) {
      const auto memory =
          names.starts_with("any>=") ? parse_memory_mib(names.substr(5)) : std::nullopt;
      if (!memory) return std::unexpected(std::string(form));
      out.least_memory_mib = *memory;
    }
  } else if (!split_alternatives(names, out)) {
    return std::unexpected(std::string(form));
  }
  if (colon == std::string_view::npos) return out;
  const std::string_view counts = text.substr(colon + 1);
  const std::size_t x = counts.find('x');
  const auto gpus = whole(counts.substr(0, x));
  const auto nodes =
      x == std::string_view::npos ? std::optional<std::int64_t>(1) : whole(counts.substr(x + 1));
  if (!gpus || !nodes) return std::unexpected(std::string(form));
  if (*gpus < 1 || *gpus > 64)
    return std::unexpected("GPUs per node must be 1 to 64, got " + std::to_string(*gpus));
  if (*nodes < 1 || *nodes > 4096)
    return std::unexpected("nodes must be 1 to 4096, got " + std::to_string(*nodes));
  out.gpus_per_node = static_cast<std::uint32_t>(*gpus);
  out.nodes = static_cast<std::uint32_t>(*nodes);
  return out;
}

std::string format_gpu_request(const GpuRequest& r) {
  std::string out;
  for (const std::string& s : r.skus) out += (out.empty() ? "" : "|") + s;
  if (r.skus.empty())
    out = r.least_memory_mib ? "any>=" + std::to_string(r.least_memory_mib) + "MiB" : "any";
  out += ":" + std::to_string(r.gpus_per_node);
  if (r.nodes > 1) out += "x" + std::to_string(r.nodes);
  return out;
}

std::optional<std::int64_t> parse_cpu_milli(std::string_view text) {
  const std::size_t point = text.find('.');
  const auto units = whole(text.substr(0, point));
  if (!units || *units < 0 || *units > 100'000 || text.starts_with('-')) return std::nullopt;
  std::int64_t milli = *units * 1000;
  if (point != std::string_view::npos) {
    const std::string_view decimals = text.substr(point + 1);
    if (decimals.empty() || decimals.size() > 3) return std::nullopt;
    std::int64_t scale = 100;
    for (const char c : decimals) {
      if (c < '0' || c > '9') return std::nullopt;
      milli += (c - '0') * scale;
      scale /= 10;
    }
  }
  return milli > 0 ? std::optional(milli) : std::nullopt;
}

std::optional<std::int64_t> parse_memory_mib(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  const auto n = whole(text.substr(0, digits));
  const std::string_view unit = text.substr(digits);
  std::int64_t mib = 0;
  if (unit == "MiB" || unit == "Mi" || unit == "M" || unit == "MB")
    mib = 1;
  else if (unit == "GiB" || unit == "Gi" || unit == "G" || unit == "GB" || unit.empty())
    mib = 1024;
  else if (unit == "TiB" || unit == "Ti" || unit == "T" || unit == "TB")
    mib = 1024 * 1024;
  if (!n || *n <= 0 || mib == 0 || *n > most_memory_mib / mib) return std::nullopt;
  return *n * mib;
}

}  // namespace ampacity::core
