#include "server/catalogue.h"

#include "core/price_book.h"

namespace ampacity::server {
namespace {

struct Row {
  const char* name;
  const char* description;
  std::int64_t memory_gib;
  std::uint32_t peers;
  std::int64_t vcpu_per_gpu, gib_per_gpu;  // of a usual node: what a request gets by default
  const char* usd_per_hour;  // July 2023; newer GPUs have no such price: reference §§3, 5
};

constexpr Row rows[] = {
    {"gb200", "NVIDIA GB200 NVL72 186 GB", 186, 72, 36, 240, "10.50"},
    {"b200", "NVIDIA B200 SXM 180 GB", 180, 8, 16, 256, "8.60"},
    {"h200", "NVIDIA H200 SXM 141 GB", 141, 8, 16, 256, "6.305"},
    {"h100", "NVIDIA H100 SXM5 80 GB", 80, 8, 16, 128, "4.78"},
    {"h100-pcie", "NVIDIA H100 PCIe 80 GB", 80, 1, 16, 128, "4.25"},
    {"l40s", "NVIDIA L40S 48 GB", 48, 1, 12, 64, "2.25"},
    {"l40", "NVIDIA L40 48 GB", 48, 1, 12, 64, "1.25"},
    {"a100-80", "NVIDIA A100 SXM4 80 GB", 80, 8, 15, 120, "2.21"},
    {"a100-40", "NVIDIA A100 SXM4 40 GB", 40, 8, 15, 120, "2.06"},
    {"a100-80-pcie", "NVIDIA A100 PCIe 80 GB", 80, 1, 15, 120, "2.21"},
    {"a100-40-pcie", "NVIDIA A100 PCIe 40 GB", 40, 1, 15, 120, "2.06"},
    {"a40", "NVIDIA A40 48 GB", 48, 1, 12, 64, "1.28"},
    {"a6000", "NVIDIA RTX A6000 48 GB", 48, 1, 12, 64, "1.28"},
    {"v100-16", "NVIDIA V100 SXM2 16 GB", 16, 8, 10, 48, "0.80"},
    {"a5000", "NVIDIA RTX A5000 24 GB", 24, 1, 10, 48, "0.77"},
    {"a4000", "NVIDIA RTX A4000 16 GB", 16, 1, 8, 32, "0.61"},
    {"rtx5000", "NVIDIA Quadro RTX 5000 16 GB", 16, 1, 8, 32, "0.57"},
    {"rtx4000", "NVIDIA Quadro RTX 4000 8 GB", 8, 1, 6, 24, "0.24"},
};

}  // namespace

std::optional<core::Sku> catalogue_sku(const std::string& name) {
  for (const Row& r : rows)
    if (r.name == name)
      return core::Sku{r.name,  r.description,         r.memory_gib * 1024,
                       r.peers, r.vcpu_per_gpu * 1000, r.gib_per_gpu * 1024};
  return std::nullopt;
}

std::string catalogue_names() {
  std::string all;
  for (const Row& r : rows) all += (all.empty() ? "" : ", ") + std::string(r.name);
  return all;
}

core::PriceBook default_prices() {
  std::vector<core::SkuPrice> gpus;
  for (const Row& r : rows) {
    const base::Ticks price = *base::parse_hourly_price(r.usd_per_hour);
    gpus.push_back({r.name, price, price / 2});
  }
  const base::Ticks vcpu = *base::parse_hourly_price("0.010");
  const base::Ticks gib = *base::parse_hourly_price("0.005");
  core::PriceBook book = core::plain_book("July 2023, a la carte", {}, gpus, vcpu, gib, vcpu, gib);
  core::add_terms(book, core::usual_terms);
  return book;
}

}  // namespace ampacity::server
