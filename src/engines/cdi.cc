#include "engines/cdi.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engines/fields.h"

namespace ampacity::engines {
namespace {

constexpr std::string_view kKind = "nvidia.com/gpu";
constexpr std::uintmax_t kLargestSpecification = 8 << 20;

std::string_view trim(std::string_view text) {
  std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::string_view unquote(std::string_view text) {
  text = trim(text);
  bool quoted = text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0];
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// nvidia-ctk's YAML: `kind:` at the top; under `devices:` one `name:` each, anywhere in its item.
std::vector<std::string> scan_yaml(std::string_view text) {
  std::vector<std::string> names;
  bool of_kind = false;
  bool in_devices = false;
  while (!text.empty()) {
    std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    bool top = !line.empty() && line[0] != ' ' && line[0] != '-' && line[0] != '#';
    if (top) in_devices = line.starts_with("devices:");
    if (top && line.starts_with("kind:")) of_kind = unquote(line.substr(5)) == kKind;
    std::string_view word = trim(line);
    if (word.starts_with("- ")) word = trim(word.substr(2));
    if (in_devices && word.starts_with("name:")) names.emplace_back(unquote(word.substr(5)));
  }
  if (!of_kind) names.clear();
  return names;
}

}  // namespace

std::vector<std::string> cdi_devices(std::string_view text, bool is_json) {
  if (!is_json) return scan_yaml(text);
  std::vector<std::string> names;
  auto value = fields::parse(text, "CDI");
  if (!value || fields::text(*value, "kind") != kKind) return names;
  for (const auto& device : fields::list(fields::at(*value, "devices"))) {
    names.push_back(fields::text(device, "name"));
  }
  return names;
}

std::vector<std::string> cdi_gpu_names(const std::vector<std::string>& directories) {
  std::vector<std::string> out;
  for (const auto& directory : directories) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
      auto extension = entry.path().extension();
      bool is_json = extension == ".json";
      if (!is_json && extension != ".yaml" && extension != ".yml") continue;
      if (entry.file_size(error) > kLargestSpecification || error) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      std::ostringstream text;
      text << in.rdbuf();
      for (const auto& name : cdi_devices(text.str(), is_json)) {
        if (!name.empty()) out.push_back(std::string(kKind) + "=" + name);
      }
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace ampacity::engines
