// The folder that we and every node see: markers that ranks leave, output that they write.
//   markers/<rank>   see slurm_wrapper.h; kept a while after their use: they are the gate
//   output/<rank>    standard output and error as written, copied into the log spool as it grows
//   home/<project>   where a project's processes begin, and what they may keep
// Threads: those of SlurmFolder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "base/time.h"
#include "engines/slurm_host.h"

namespace ampacity::engines {

class SlurmShared final : public SlurmFolder {
 public:
  // An empty root: there is none.
  SlurmShared(std::filesystem::path root, std::filesystem::path spool,
              std::int64_t most_log_bytes = 64 << 20);
  bool there() const override { return !root_.empty(); }
  base::Duration news_delay() const override { return news_delay_; }

  // Makes what is missing, owned as the root is: jobs run as that user.
  base::Try<void> open() override;
  base::Try<void> make_home(std::uint32_t project) override;

  std::string marker_path(const std::string& rank) const override;
  std::string output_path(const std::string& rank) const override;
  std::string home_path(std::uint32_t project) const override;

  std::optional<SlurmMarker> marker(const std::string& rank) const override;
  void copy_output(const std::string& rank, base::Instant now, bool at_end) override;
  void forget_output(const std::string& rank) override;
  int expire(base::Instant before,
             const std::function<bool(const std::string&)>& keep) const override;
  bool watch(const std::function<void(std::vector<std::string>)>& written,
             const std::atomic<bool>& stopping) const override;

 private:
  base::Try<void> make(const std::filesystem::path& folder) const;
  std::filesystem::path root_, spool_;
  std::int64_t most_log_bytes_;
  base::Duration news_delay_ = base::Duration::seconds(65);
  struct Copied {
    std::int64_t raw = 0;      // bytes of its output that are in the spool
    std::int64_t spooled = 0;  // bytes of the spool
  };
  base::Mutex mutex_;
  std::map<std::string, Copied> copied_;
};

}  // namespace ampacity::engines
