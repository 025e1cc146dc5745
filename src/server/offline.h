// The verbs of ampacityd that need no server, and run while none does.
#pragma once

#include "server/parts.h"

namespace ampacity::server {

int offline(Parts& p);

}  // namespace ampacity::server
