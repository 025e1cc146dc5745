// Completion scripts for bash, zsh and fish, from the verbs and flags as they are.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ampacity::cli {

struct VerbWords {
  std::string path;                // "", "run", "fleet nodes"
  std::string what;                // its one-line description
  std::vector<std::string> flags;  // "--image", "-f"
};

// Nothing for an unknown shell.
std::optional<std::string> completion_script(std::string_view shell,
                                             const std::vector<VerbWords>& verbs);

}  // namespace ampacity::cli
