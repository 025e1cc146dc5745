// Who we are to slurmrestd: nobody to say (a unix socket), a token that others made, or one minted
// here from the cluster's key (JWT, HS256). Never logged.
// Threads: any.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/threads.h"
#include "base/time.h"
#include "net/http.h"

namespace ampacity::engines {

// What Slurm's auth/jwt takes: sun, iat, exp.
std::string mint_slurm_token(std::string_view key, std::string_view user, base::Instant now,
                             base::Duration life);

class SlurmToken {
 public:
  struct From {
    std::filesystem::path file;
    std::string env;  // the name of a variable
    std::filesystem::path key_file;
    std::string user;
  };
  explicit SlurmToken(From from) : from_(std::move(from)) {}
  // The headers of a request made now; a file is read again at most every few seconds.
  base::Try<std::vector<net::Header>> headers(base::Instant now);

 private:
  base::Try<std::string> obtain(base::Instant now) const;
  From from_;
  base::Mutex mutex_;
  std::string token_;
  base::Instant good_until_;
};

}  // namespace ampacity::engines
