// The built console: every file of it, in one pack that is linked into the program.
// `./dev console` makes build/console/console.pack (console/pack.mjs); a program that was linked
// without one has an empty pack, and serve.h then says how to build it.
// A pack: one line of JSON, the index; after its newline the bytes that the index points into.
// Threads: read only.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ampacity::console {

struct File {
  std::string content_type;
  std::string etag;          // with its quotes
  bool immutable = false;    // its name carries its hash: another content has another name
  std::string_view plain;    // into the pack
  std::string_view gzipped;  // empty: not worth it
};

using Files = std::map<std::string, File, std::less<>>;  // by path: "assets/index-3f2a.js"

// The views point into `bytes`, which must stay.
base::Try<Files> read_pack(std::string_view bytes);

std::string_view linked_pack();

}  // namespace ampacity::console
