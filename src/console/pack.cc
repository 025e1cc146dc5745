#include "console/pack.h"

#include <cstdint>
#include <vector>

#include "base/json.h"

namespace ampacity::console {
namespace {

struct PackedFile {
  std::string path;
  std::string type;
  std::string etag;
  bool immutable = false;
  std::uint64_t plain_at = 0, plain_bytes = 0;  // after the index's newline
  std::uint64_t gzip_at = 0, gzip_bytes = 0;
};
BOOST_DESCRIBE_STRUCT(PackedFile, (),
                      (path, type, etag, immutable, plain_at, plain_bytes, gzip_at, gzip_bytes))

struct PackIndex {
  std::vector<PackedFile> files;
};
BOOST_DESCRIBE_STRUCT(PackIndex, (), (files))

}  // namespace

base::Try<Files> read_pack(std::string_view bytes) {
  Files files;
  if (bytes.empty()) return files;
  const std::size_t newline = bytes.find('\n');
  if (newline == std::string_view::npos) return base::fault("a console pack without an index");
  auto index = base::from_json<PackIndex>(std::string(bytes.substr(0, newline)));
  if (!index) return base::fault("a console pack's index: " + index.error().message);
  const std::string_view all = bytes.substr(newline + 1);
  const auto part = [&](std::uint64_t at, std::uint64_t count) {
    return at <= all.size() && count <= all.size() - at ? all.substr(at, count)
                                                        : std::string_view{};
  };
  for (PackedFile& f : index->files) {
    File file{std::move(f.type), "\"" + f.etag + "\"", f.immutable, part(f.plain_at, f.plain_bytes),
              part(f.gzip_at, f.gzip_bytes)};
    if (file.plain.size() != f.plain_bytes || file.gzipped.size() != f.gzip_bytes)
      return base::fault("a console pack that was cut: " + f.path);
    files.emplace(std::move(f.path), std::move(file));
  }
  return files;
}

}  // namespace ampacity::console
