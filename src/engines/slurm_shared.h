// The folder that we and every node see: markers that ranks leave, output that they write.
//   markers/<rank>   see slurm_wrapper.h; kept a while after their use: they are the gate
//   output/<rank>    standard output and error as written, copied into the log spool as it grows
//   home/<project>   where a project's processes begin, and what they may keep
// Threads: any; one copier at a time per rank. watch() has its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "base/time.h"
#include "engines/slurm_wrapper.h"

namespace ampacity::engines {

class SlurmShared {
 public:
  // An empty root: there is none, and nothing below finds or does anything.
  SlurmShared(std::filesystem::path root, std::filesystem::path spool,
              std::int64_t most_log_bytes = 64 << 20);
  explicit operator bool() const { return !root_.empty(); }
  // For how long a file that another machine has made may stay unseen here.
  base::Duration news_delay() const { return news_delay_; }

  // Makes what is missing, owned as the root is: jobs run as that user.
  base::Try<void> open();
  base::Try<void> make_home(std::uint32_t project);

  std::string marker_path(const std::string& rank) const;
  std::string output_path(const std::string& rank) const;
  std::string home_path(std::uint32_t project) const;

  std::optional<SlurmMarker> marker(const std::string& rank) const;
  // What is new of its output goes into its spool; at the end also a line without an end.
  void copy_output(const std::string& rank, base::Instant now, bool at_end);
  void forget_output(const std::string& rank);
  // Removes markers and output last written before then; bounded. Returns how many.
  int expire(base::Instant before, const std::function<bool(const std::string&)>& keep) const;

  // Calls for the names of markers that were written, in batches, until told to stop. Returns false
  // at once where the file system cannot tell (NFS: others' writes are not heard of, either).
  bool watch(const std::function<void(std::vector<std::string>)>& written,
             const std::atomic<bool>& stopping) const;

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
