// What must not be in facts: environment values, sealed per org beside them, and the pepper of
// keys. All keys are derived from one 32-byte secret in the state directory (mode 0600), so a copy
// of the database alone opens nothing.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "core/model.h"

namespace ampacity::server {

using Env = std::vector<std::pair<std::string, std::string>>;

// Mode 0600, whole or not at all.
base::Try<void> write_private(const std::filesystem::path& path, const std::string& bytes);

class Secrets {
 public:
  // Reads it, or makes it. All servers of a cloud have the same.
  static base::Try<Secrets> open_file(const std::filesystem::path& path);
  explicit Secrets(std::string secret) : secret_(std::move(secret)) {}  // 32 bytes
  std::string pepper() const;
  std::string sign_in_key() const;                  // 32 bytes: of what a browser keeps on its way
  std::string webhook_key(base::Id webhook) const;  // 32 bytes: signs what it is told
  std::string seal(core::OrgIx org, const Env& env) const;
  base::Try<Env> unseal(core::OrgIx org, const std::string& box) const;

 private:
  std::string key_for(const std::string& purpose) const;
  std::string secret_;
};

}  // namespace ampacity::server
