// ampacityd as a server: opens the state, joins the parts, serves until told to stop.
#pragma once

#include "server/parts.h"

namespace ampacity::server {

int serve(Parts& p);

}  // namespace ampacity::server
