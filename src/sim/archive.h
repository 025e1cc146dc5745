// The files of a folder or of a tar archive (tar reads those): the traces are published packed.
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace ampacity::sim {

// File name (its last part) -> text, of those whose name ends in ".csv"; at most 1 GiB in all.
// `only`: of those, the one of this name; empty: all.
base::Try<std::map<std::string, std::string>> read_csv_files(const std::string& from,
                                                             const std::string& only = {});

// $AMPACITY_DATA or ../shared/data, and `file` in it; the error says what was looked for.
base::Try<std::string> data_path(const std::string& file);

}  // namespace ampacity::sim
