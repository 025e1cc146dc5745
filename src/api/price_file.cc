#include "api/price_file.h"

#include "api/yaml_tree.h"

namespace ampacity::api {
namespace {

constexpr base::Ticks dearest = 10'000 * 10'000;  // per unit and second: 10,000 USD an hour

struct GpuPrice {
  std::string on_demand;
  std::optional<std::string> spot;  // default: half
};
BOOST_DESCRIBE_STRUCT(GpuPrice, (), (on_demand, spot))
struct HostPrice {
  std::string vcpu;
  std::string gib;
};
BOOST_DESCRIBE_STRUCT(HostPrice, (), (vcpu, gib))
struct PriceFile {
  std::string name;
  std::optional<base::Instant> effective_from;
  std::map<std::string, GpuPrice> gpus;
  HostPrice beside_gpu;
  HostPrice cpu_only;
};
BOOST_DESCRIBE_STRUCT(PriceFile, (), (name, effective_from, gpus, beside_gpu, cpu_only))

}  // namespace

base::Result<core::PriceBook> parse_price_file(std::string_view yaml) {
  auto tree = parse_yaml(yaml, {max_price_file_bytes});
  if (!tree) return std::unexpected(std::move(tree.error()));
  base::JsonReader reader;
  reader.numbers_as_text = true;
  PriceFile file;
  reader.read(tree->root, file, "");

  core::PriceBook book;
  const auto price = [&](const std::string& field, const std::string& text) {
    const auto p = base::parse_hourly_price(text);
    if (!p || *p > dearest)
      reader.wrong.push_back({field,
                              "must be USD per hour with at most four decimals, such as "
                              "4.78, at most 10000; got '" +
                                  text + "'"});
    return p.value_or(0);
  };
  if (reader.wrong.empty()) {
    book.name = file.name;
    if (file.effective_from) book.effective_from = *file.effective_from;
    for (const auto& [sku, p] : file.gpus) {
      const auto on_demand = price("gpus." + sku + ".on_demand", p.on_demand);
      book.gpus.push_back(
          {sku, on_demand, p.spot ? price("gpus." + sku + ".spot", *p.spot) : on_demand / 2});
    }
    book.vcpu = price("beside_gpu.vcpu", file.beside_gpu.vcpu);
    book.gib = price("beside_gpu.gib", file.beside_gpu.gib);
    book.cpu_vcpu = price("cpu_only.vcpu", file.cpu_only.vcpu);
    book.cpu_gib = price("cpu_only.gib", file.cpu_only.gib);
  }
  for (auto& w : reader.wrong)
    if (const auto line = tree->lines.find(w.field); line != tree->lines.end())
      w.message += " (line " + std::to_string(line->second) + ")";
  if (!reader.wrong.empty()) return std::unexpected(base::refusal_of(std::move(reader.wrong)));
  return book;
}

}  // namespace ampacity::api
