// A JobRequest checked field by field and turned into the core's words. Every wrong field is named.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/contract.h"
#include "core/commands.h"

namespace ampacity::api {

struct BoundJob {
  core::SubmitJob submit;  // without id, project and user
  std::vector<std::pair<std::string, std::string>> env;
  std::string reservation;  // as written; its id needs the world
};

base::Result<BoundJob> bind_job(const JobRequest& request, Instant now);

// Names of jobs, orgs, projects, users, volumes: a-z, 0-9, '-', at most 63, starting with a letter.
bool is_name(std::string_view text);

}  // namespace ampacity::api
