// Whether each site can be reached, as the loop tells the world: by what the engines last listed.
// Thread rule: the loop's thread. 1. Only what changes the world is said. 2. Who did not look
// itself for a while (stopped, a stepped clock) begins anew: its own absence is nobody's fault.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/commands.h"
#include "core/world.h"
#include "engines/engine.h"

namespace ampacity::server {

class SiteWatch {
 public:
  // When the servers before this one last saw all that runs at a site: the store's mark.
  explicit SiteWatch(std::map<std::string, base::Instant> marks = {}) : marks_(std::move(marks)) {}

  // What is to be said now; looks once a second.
  std::vector<core::SeeSite> look(const core::World& world, engines::Engine& engine,
                                  base::Instant now);

  base::Instant mark(const std::string& site) const;
  // Marks of now, to be kept: what was seen in this life, else what the store had.
  std::string marks_text(const core::World& world, engines::Engine& engine, base::Instant now);
  static std::map<std::string, base::Instant> parse_marks(const std::string& text);

 private:
  struct Contact {
    base::Instant heard;  // the latest complete list, or the beginning of our watch
    base::Instant since;  // of what the world believes: a list must be younger to change it
    bool believed_known = true, believed_clearing = false;
  };
  std::map<std::string, base::Instant> marks_;
  std::map<std::string, Contact> contacts_;
  base::Instant last_look_;
};

}  // namespace ampacity::server
