#include "api/bind_job.h"

#include <algorithm>

#include "api/when.h"
#include "base/money.h"

namespace ampacity::api {
namespace {

constexpr std::size_t most_command_bytes = 64 << 10;
constexpr std::size_t most_env = 256, most_env_bytes = 64 << 10;
constexpr std::size_t most_volumes = 16;
constexpr std::int64_t most_cpu_milli = 1'024'000, most_memory_mib = 64LL << 20;

class JobBinder {
 public:
  explicit JobBinder(Instant now) : now_(now) {}

  BoundJob out;
  std::vector<base::Wrong> wrong;

  void say(std::string field, std::string message) {
    wrong.push_back({std::move(field), std::move(message)});
  }

  void name(const JobRequest& r) {
    core::Job& job = out.submit.job;
    job.name = r.name.value_or("");
    if (r.name && !is_name(*r.name))
      say("name", "must be a-z, 0-9 and '-', begin with a letter, at most 63 characters");
  }

  // A plain reference, never one of the engine's transports (`dir:`, `oci:`…), which read the host.
  static bool is_image(const std::string& text) {
    static constexpr std::string_view transports[] = {
        "docker", "docker-archive",     "docker-daemon", "oci", "oci-archive",
        "dir",    "containers-storage", "ostree",        "sif", "tarball"};
    const auto letter = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const auto plain = [&](char c) {
      return letter(c) || std::string_view("._/:@-").find(c) != std::string_view::npos;
    };
    if (text.empty() || text.size() > 255 || !letter(text[0])) return false;
    if (!std::all_of(text.begin(), text.end(), plain)) return false;
    if (text.find("//") != std::string::npos || text.find("..") != std::string::npos) return false;
    const std::string head = text.substr(0, text.find(':'));
    return head.size() == text.size() ||
           std::find(std::begin(transports), std::end(transports), head) == std::end(transports);
  }

  void image(const JobRequest& r) {
    if (!is_image(r.image))
      say("image",
          "must be an image reference such as localhost/ampacity-train or "
          "docker.io/library/debian:12, at most 255 characters, without a transport");
    out.submit.job.spec.image = r.image;
  }

  void command(const JobRequest& r) {
    std::size_t bytes = 0;
    for (const std::string& word : r.command) {
      bytes += word.size();
      if (word.find('\0') != std::string::npos) return say("command", "must not contain NUL");
    }
    if (bytes > most_command_bytes || r.command.size() > 4096)
      say("command", "must be at most 64 KiB in 4096 words");
    out.submit.job.spec.command = r.command;
  }

  void env(const JobRequest& r) {
    std::size_t bytes = 0;
    for (const auto& [key, value] : r.env) {
      bytes += key.size() + value.size();
      const auto letter = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
               (c >= '0' && c <= '9');
      };
      if (key.empty() || (key[0] >= '0' && key[0] <= '9') ||
          !std::all_of(key.begin(), key.end(), letter))
        say("env." + key, "must be a name of letters, digits and '_'");
      if (key.starts_with("AMPACITY_")) say("env." + key, "is Ampacity's own: use another name");
      if (value.find('\0') != std::string::npos) say("env." + key, "must not contain NUL");
      out.submit.job.spec.env_names.push_back(key);
      out.env.emplace_back(key, value);
    }
    if (r.env.size() > most_env || bytes > most_env_bytes)
      say("env", "must be at most 256 variables and 64 KiB");
  }

  void volumes(const JobRequest& r) {
    if (r.volumes.size() > most_volumes) say("volumes", "must be at most 16");
    for (std::size_t i = 0; i < r.volumes.size(); ++i) {
      const std::string field = "volumes[" + std::to_string(i) + "]";
      const std::string& text = r.volumes[i];
      const std::size_t colon = text.find(':');
      const std::string volume = text.substr(0, colon);
      const std::string path = colon == std::string::npos ? "" : text.substr(colon + 1);
      if (!is_name(volume) || path.size() < 2 || path[0] != '/' || path.size() > 255 ||
          path.find("..") != std::string::npos || path.find(':') != std::string::npos)
        say(field, "must be NAME:/path: a volume of the project, not a path of the host; got '" +
                       text.substr(0, 80) + "'");
      for (const auto& v : out.submit.job.spec.volumes)
        if (v.path == path) say(field, "mounts " + path + " twice");
      out.submit.job.spec.volumes.push_back({volume, path});
    }
  }

  void resources(const JobRequest& r) {
    if (!r.resources) return;
    if (r.resources->gpus) {
      auto gpus = core::parse_gpu_request(*r.resources->gpus);
      if (gpus)
        out.submit.gpus = std::move(*gpus);
      else
        say("resources.gpus", gpus.error() + "; got '" + r.resources->gpus->substr(0, 60) + "'");
    }
    if (r.resources->cpus) {
      const auto milli = core::parse_cpu_milli(*r.resources->cpus);
      if (!milli || *milli < 10 || *milli > most_cpu_milli)
        say("resources.cpus", "must be vCPUs such as 2 or 0.5, from 0.01 to 1024; got '" +
                                  r.resources->cpus->substr(0, 60) + "'");
      out.submit.cpu_milli = milli.value_or(0);
    }
    if (r.resources->memory) {
      const auto mib = core::parse_memory_mib(*r.resources->memory);
      if (!mib || *mib < 8 || *mib > most_memory_mib)
        say("resources.memory", "must be such as 4GiB or 512MiB, at least 8MiB; got '" +
                                    r.resources->memory->substr(0, 60) + "'");
      out.submit.memory_mib = mib.value_or(0);
    }
    part_of_gpu(*r.resources);
  }

  // A slice counts, and costs, as the eighths of the card it takes.
  void part_of_gpu(const Resources& r) {
    if (!r.gpu_share && !r.mig) return;
    const bool one =
        out.submit.gpus && out.submit.gpus->gpus_per_node == 1 && out.submit.gpus->nodes == 1;
    const std::string field = r.gpu_share ? "resources.gpu_share" : "resources.mig";
    if (!one && (out.submit.gpus || !r.gpus))
      say(field, "is a part of one GPU: ask for one, such as h100:1");
    if (r.gpu_share && r.mig)
      say("resources.mig", "is a part of a GPU as gpu_share is: give one of the two");
    if (r.gpu_share) {
      const auto milli = parse_milli(*r.gpu_share, 1);
      if (!milli || *milli < 10 || *milli > 990)
        say("resources.gpu_share",
            "must be a part of a GPU from 0.01 to 0.99; got '" + r.gpu_share->substr(0, 40) + "'");
      out.submit.gpu_milli = static_cast<std::uint32_t>(milli.value_or(1000));
    } else {
      const auto eighths = parse_mig(*r.mig);
      if (!eighths)
        say("resources.mig",
            "must be a MIG profile such as 1g.10gb or 3g.40gb, or memory eighths 1/8, 2/8, 4/8, "
            "8/8; got '" +
                r.mig->substr(0, 40) + "'");
      out.submit.mig = eighths.value_or(0);
      if (eighths) out.submit.gpu_milli = *eighths * 125;
    }
  }

  void placement(const JobRequest& r) {
    if (!r.placement) return;
    const Placement& p = *r.placement;
    if (p.sites.size() > 64) say("placement.sites", "must be at most 64");
    for (std::size_t i = 0; i < p.sites.size(); ++i)
      if (p.sites[i].empty() || p.sites[i].size() > 63)
        say("placement.sites[" + std::to_string(i) + "]", "must be the name of a site or region");
    if (std::find(p.sites.begin(), p.sites.end(), "any") == p.sites.end())
      out.submit.places = p.sites;
    out.submit.together = p.together.value_or(core::Together::any);
    if (p.apart && !is_name(*p.apart))
      say("placement.apart",
          "must be a label of a-z, 0-9 and '-', begin with a letter, at most 63 characters");
    out.submit.apart = p.apart.value_or("");
  }

  void when(const JobRequest& r) {
    core::Job& job = out.submit.job;
    if (r.start_by) {
      const auto t = parse_when(*r.start_by, now_);
      if (!t)
        say("start_by", std::string(when_form) + "; got '" + r.start_by->substr(0, 40) + "'");
      else if (*t <= now_)
        say("start_by", "has passed already: it is " + base::format_instant(now_));
      else
        job.start_by = *t;
    }
    if (r.if_site_lost) job.if_site_lost = *r.if_site_lost;
    if (r.expected) {
      const auto d = base::parse_duration(*r.expected);
      if (!d || d->us < 1'000'000 || d->whole_seconds() > 365 * 86'400)
        say("expected", "must be a duration such as 90s, 10m or 2h30m, from 1s to 365d");
      else
        job.expected_run_s = d->whole_seconds();
    }
    if (r.max_price) {
      const auto price = base::parse_hourly_price(*r.max_price);
      if (!price || *price == 0)
        say("max_price", "must be USD per GPU-hour such as 3.50, at most four decimals; got '" +
                             r.max_price->substr(0, 40) + "'");
      else if (!out.submit.gpus && !(r.resources && r.resources->gpus))
        say("max_price", "is a price of GPUs: ask for some, or leave it out");
      out.submit.most_price = price.value_or(0);
    }
  }

  void reservation(const JobRequest& r) {
    if (!r.reservation) return;
    out.reservation = *r.reservation;
    if (!is_name(out.reservation))
      say("reservation", "must be a reservation's id or name; see `ampacity reservations`");
    if (!r.job_class) out.submit.job.job_class = core::JobClass::reserved;
  }

  void limits(const JobRequest& r) {
    core::Job& job = out.submit.job;
    if (r.time) {
      const auto limit = base::parse_duration(*r.time);
      if (!limit || limit->us < 1'000'000 || limit->whole_seconds() > 365 * 86'400)
        say("time", "must be a duration such as 90s, 10m or 2h30m, from 1s to 365d");
      else
        job.time_limit_s = limit->whole_seconds();
    }
    if (r.grace) {
      const auto grace = base::parse_duration(*r.grace);
      if (!grace || grace->whole_seconds() > 300)
        say("grace", "must be a duration from 0s to 5m");
      else
        job.grace_s = grace->whole_seconds();
    }
    job.retries_left = r.retries.value_or(0);
    if (job.retries_left < 0 || job.retries_left > 10) say("retries", "must be 0 to 10");
    job.job_class = r.job_class.value_or(core::JobClass::on_demand);
    job.spec.read_only_root = r.read_only_root.value_or(false);
  }

 private:
  const Instant now_;
};

}  // namespace

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > 63 || text[0] < 'a' || text[0] > 'z') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

base::Result<BoundJob> bind_job(const JobRequest& request, Instant now) {
  JobBinder b(now);
  b.name(request);
  b.image(request);
  b.command(request);
  b.env(request);
  b.volumes(request);
  b.resources(request);
  b.limits(request);
  b.placement(request);
  b.when(request);
  b.reservation(request);
  if (!b.wrong.empty()) return std::unexpected(base::refusal_of(std::move(b.wrong)));
  return std::move(b.out);
}

}  // namespace ampacity::api
