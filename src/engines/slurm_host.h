// What the Slurm engine needs beside slurmrestd: the folder where ranks leave word, and scontrol.
// The seam that a simulation replaces; the real ones: slurm_shared.h, slurm_scontrol.h.
// Threads: any; one copier at a time per rank; watch() has its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engines/slurm_wrapper.h"
#include "net/http_client.h"

namespace ampacity::engines {

class SlurmFolder {
 public:
  virtual ~SlurmFolder() = default;
  // False: there is none, and nothing below finds or does anything.
  virtual bool there() const = 0;
  // For how long a file that another machine has made may stay unseen here.
  virtual base::Duration news_delay() const = 0;

  virtual base::Try<void> open() = 0;
  virtual base::Try<void> make_home(std::uint32_t project) = 0;

  virtual std::string marker_path(const std::string& rank) const = 0;
  virtual std::string output_path(const std::string& rank) const = 0;
  virtual std::string home_path(std::uint32_t project) const = 0;

  virtual std::optional<SlurmMarker> marker(const std::string& rank) const = 0;
  // What is new of its output goes into its spool; at the end also a line without an end.
  virtual void copy_output(const std::string& rank, base::Instant now, bool at_end) = 0;
  virtual void forget_output(const std::string& rank) = 0;
  // Removes markers and output last written before then; bounded. Returns how many.
  virtual int expire(base::Instant before,
                     const std::function<bool(const std::string&)>& keep) const = 0;

  // Calls for the names of markers that were written, in batches, until told to stop. Returns false
  // at once where the file system cannot tell (NFS: others' writes are not heard of, either).
  virtual bool watch(const std::function<void(std::vector<std::string>)>& written,
                     const std::atomic<bool>& stopping) const = 0;
};

class SlurmControl {
 public:
  virtual ~SlurmControl() = default;
  virtual base::Try<std::string> topology() const = 0;
  // Makes it, or changes which nodes it holds. Jobs that run there stay (IGNORE_JOBS).
  virtual base::Try<void> reserve(const std::string& name, const std::string& user,
                                  const std::vector<std::string>& nodes) const = 0;
  virtual base::Try<void> drain(const std::string& node, const std::string& reason) const = 0;
  virtual base::Try<void> resume(const std::string& node) const = 0;
};

struct SlurmHost {
  std::unique_ptr<net::Transport> transport;
  std::unique_ptr<SlurmFolder> shared;
  std::unique_ptr<SlurmControl> control;
};

}  // namespace ampacity::engines
