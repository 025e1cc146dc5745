// How the played cluster speaks: requests as engines/slurm_codec.cc writes them, answers as
// slurmrestd 22.05.8 gave them (tests/corpus/slurm_answers), with the fields that are read.
// Threads: fibres. 1. Nothing here decides what is: that is FakeSlurm's.
#pragma once

#include "net/http.h"

namespace ampacity::sim {

class FakeSlurm;

net::Response serve_slurm(FakeSlurm& slurm, const net::Request& request);
net::Response slurm_error(int number, const char* text);

}  // namespace ampacity::sim
