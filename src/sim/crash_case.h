// What the tests of crash points and disk faults share. Not part of any program.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/log.h"
#include "sim/disk.h"
#include "sim/store_checks.h"
#include "sim/store_workload.h"

namespace ampacity::sim {

// A store that complains of its disk thousands of times is no news.
struct Quiet {
  Quiet() { base::set_log_level(base::Level::error); }
  ~Quiet() { base::set_log_level(base::Level::info); }
};

inline store::StoreAt store_on(const Disk& disk) {
  store::StoreAt options = disk.at();
  options.pages_before_checkpoint = 60;  // so that the log starts anew several times
  return options;
}

inline const StoreRun& the_run() {
  static const StoreRun run = standard_run(1, 40);
  return run;
}

// How long, for people: nothing depends on it.
class Seconds {
 public:
  double so_far() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

struct Found {
  std::size_t points = 0, crashes = 0, wrong = 0, points_of_loss = 0;
  std::vector<std::string> first;  // some of what is wrong

  void note(const std::string& where, const std::vector<std::string>& what) {
    if (what.empty()) return;
    ++wrong;
    if (first.size() < 10) first.push_back(where + ": " + what.front());
  }
  void expect(bool holds, const std::string& where, const std::string& what) {
    if (!holds) note(where, {what});
  }
  std::string said() const {
    std::string all = std::to_string(wrong) + " wrong";
    for (const std::string& s : first) all += "\n  " + s;
    return all;
  }
};

}  // namespace ampacity::sim
