// A copy of a store taken while it is written to, and the proof that a copy is what it was.
// Threads: the caller's. 1. The copy is of one instant: everything committed before it, nothing
// after; the writer is not held up. It is a file of SQLite's, whatever the store is kept in. 2. A
// copy is believed only if its bytes, its hash chain, the world its facts fold to and its read
// models are those that were noted when it was made.
#pragma once

#include <boost/describe.hpp>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "store/database.h"

namespace ampacity::store {

// What was noted of a copy when it was made.
struct CopyNote {
  int format = 1;
  base::Instant made_at;
  int schema = 0;              // the last migration applied
  std::uint64_t sequence = 0;  // the last fact in it
  std::string chain;           // of the journal there
  std::string world;           // the digest of what the facts fold to
  std::string read_models;     // the digest of all their rows
  std::uint64_t bytes = 0;     // of the file
  std::string sha256;
};
BOOST_DESCRIBE_STRUCT(CopyNote, (),
                      (format, made_at, schema, sequence, chain, world, read_models, bytes, sha256))

// `to` must not be there; it is made with mode 0600 and synced.
base::Try<CopyNote> back_up_store(const StoreAt& from, const std::filesystem::path& to,
                                  base::Instant now);

// Compares bytes with the note, without changing anything. What is no whole copy is refused.
base::Try<void> check_bytes(const std::filesystem::path& copy, const CopyNote& note);

// Opens the copy as this program's store, folds every fact from the first, makes the read models
// anew, and compares. A copy by an older release is upgraded; its chain is proven, its world made
// anew (`same_release` false).
struct Proof {
  std::uint64_t facts = 0;
  std::string world;
  std::string read_models;
  bool same_release = true;
};
base::Try<Proof> prove_copy(const std::filesystem::path& copy, const CopyNote& note);

// The last migration a store has, whoever made it; 0: none. Changes nothing.
base::Try<int> schema_of(const StoreAt& options);

}  // namespace ampacity::store
