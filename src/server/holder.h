// Whose a lease is: one life of one process. And whether that is over for certain, so that nobody
// need wait until it runs out. Threads: any.
// 1. Certain is what this kernel says of a process that it knew: nothing is of another machine's,
// nor of one in another namespace of process numbers. A process that is frozen is not over.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "store/lease.h"

namespace ampacity::server {

// `life` is this one's alone: a process may begin anew under its number (server/life.h).
std::string holder_of_lease(std::string_view life, pid_t process);

// `own`: the holder that asks.
bool is_over(std::string_view holder, std::string_view own);

// A table whose row may be taken at once when its holder is over.
std::unique_ptr<store::LeaseTable> of_the_living(std::unique_ptr<store::LeaseTable> table,
                                                 std::string own);

}  // namespace ampacity::server
