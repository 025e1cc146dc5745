// What ranks need around them: images, networks of gangs, volumes and their size.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "base/chaos.h"
#include "base/log.h"
#include "engines/container_engine.h"

namespace ampacity::engines {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPullBound_s = 900;
constexpr std::size_t kUploadBlock = 1 << 20;
constexpr std::string_view kLocal = "localhost/ampacity-";
constexpr int kMeterEvery = 5;  // looks
constexpr auto kMeterBound = std::chrono::seconds(2);
constexpr int kMeterFiles = 500'000;
constexpr base::Duration kRemovalBound = base::Duration::seconds(20);

// What lies in a directory, as the disk counts it; bounded in time and files, so it may be less.
std::int64_t disk_use(const fs::path& root) {
  auto end = std::chrono::steady_clock::now() + kMeterBound;
  std::int64_t bytes = 0;
  int files = 0;
  std::error_code error;
  fs::recursive_directory_iterator it(root, fs::directory_options::skip_permission_denied, error);
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (it->is_symlink(ignored)) continue;
    if (it->is_regular_file(ignored)) {
      auto size = it->file_size(ignored);
      if (!ignored) bytes += static_cast<std::int64_t>(size);
    }
    if (++files > kMeterFiles) break;
    if (files % 1024 == 0 && std::chrono::steady_clock::now() > end) break;
  }
  return bytes;
}

// "localhost/ampacity-tiny:latest" -> "tiny"; empty if it is not of that kind.
std::string local_name(std::string_view image) {
  if (!image.starts_with(kLocal)) return {};
  image.remove_prefix(kLocal.size());
  std::string_view name = image.substr(0, image.find(':'));
  bool fine = !name.empty() && name.find_first_of("/.") == std::string_view::npos;
  return fine ? std::string(name) : std::string();
}

}  // namespace

base::Try<void> ContainerEngine::obtain_image(const std::string& image) {
  auto there = call(dialect_->image_exists(image), 20);
  if (!there) return std::unexpected(there.error());
  if (there->status < 300) return {};
  if (image.starts_with("localhost/")) {
    std::string name = local_name(image);
    fs::path archive = options_.image_archives / (name + ".tar");
    std::ifstream file(archive, std::ios::binary);
    if (name.empty() || options_.image_archives.empty() || !file) {
      return base::fault(
          name.empty()
              ? fmt::format("no image '{}' here (names are localhost/ampacity-NAME)", image)
              : fmt::format("no image '{}' here, and no archive {}.tar to make it of", image, name),
          false);
    }
    std::string block;
    auto next = [&] {
      block.resize(kUploadBlock);
      file.read(block.data(), static_cast<std::streamsize>(block.size()));
      block.resize(static_cast<std::size_t>(file.gcount()));
      return block;
    };
    net::CallOptions options;
    options.timeout = base::Duration::seconds(kPullBound_s);
    options.cancel = &stopping_;
    auto answer = client_->upload(dialect_->import_image(image), next, options);
    if (!answer) return std::unexpected(answer.error());
    if (answer->status >= 300) return base::fault(dialect_->message(answer->body), true);
    return {};
  }
  auto answer = call(dialect_->pull(image), kPullBound_s);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status >= 300) return base::fault(dialect_->message(answer->body), false);
  if (auto error = dialect_->pull_error(answer->body)) return base::fault(*error, false);
  return {};
}

base::Try<void> ContainerEngine::ensure_volumes(const core::RankWork& work) {
  for (const auto& mount : work.volumes) {
    std::string name = volume_name(options_.cloud, work.project, mount.volume);
    base::Guard lock(things_mutex_);
    if (known_volumes_.contains(name)) continue;
    auto answer = call(dialect_->create_volume(options_.cloud, work.project, mount.volume), 20);
    if (!answer) return std::unexpected(answer.error());
    Verdict verdict = dialect_->judge(answer->status, answer->body);
    if (verdict != Verdict::ok && verdict != Verdict::exists) {
      return base::fault(dialect_->message(answer->body), true, answer->status);
    }
    known_volumes_.insert(name);
  }
  return {};
}

base::Try<void> ContainerEngine::ensure_network(const core::RankWork& work, std::string& subnet) {
  if (work.network.empty()) return {};
  std::string name = network_name(options_.cloud, work.network);
  base::Guard lock(things_mutex_);
  if (!known_networks_.contains(name)) {
    auto answer = call(dialect_->create_network(name, options_.cloud, allows_.dns), 20);
    if (!answer) return std::unexpected(answer.error());
    Verdict verdict = dialect_->judge(answer->status, answer->body);
    if (verdict != Verdict::ok && verdict != Verdict::exists) {
      return base::fault(dialect_->message(answer->body), true, answer->status);
    }
    known_networks_[name];
  }
  if (allows_.dns) return {};
  std::string& known = known_networks_[name];
  if (known.empty()) {
    auto answer = call(dialect_->list_networks(options_.cloud), 20);
    if (!answer) return std::unexpected(answer.error());
    auto listed = dialect_->parse_networks(answer->body);
    if (!listed) return std::unexpected(listed.error());
    for (const auto& network : *listed) {
      if (network.name == name) known = network.subnet;
    }
  }
  subnet = known;
  return {};
}

void ContainerEngine::drop_network_if_unused(const std::string& network) {
  std::string name = network_name(options_.cloud, network);
  base::Guard things(things_mutex_);
  {
    base::Guard lock(mutex_);
    for (const auto& [_, rank] : ranks_) {
      if (rank.work.network == network) return;
    }
  }
  auto answer = call(dialect_->remove_network(name), 20);
  bool gone = answer && (answer->status < 300 || answer->status == 404);
  if (gone) {
    known_networks_.erase(name);
  } else {
    base::Guard lock(mutex_);
    sweep_networks_ = true;
  }
}

// Networks of this cloud that no rank needs: left over from a life before.
void ContainerEngine::sweep_networks() {
  auto answer = call(dialect_->list_networks(options_.cloud), 20);
  if (!answer || answer->status != 200) return;
  auto listed = dialect_->parse_networks(answer->body);
  if (!listed) return;
  std::string prefix = network_name(options_.cloud, "");
  for (const auto& network : *listed) {
    if (!network.name.starts_with(prefix)) continue;
    base::Guard things(things_mutex_);
    bool used = false;
    {
      base::Guard lock(mutex_);
      for (const auto& [_, rank] : ranks_) {
        used = used || network_name(options_.cloud, rank.work.network) == network.name;
      }
    }
    if (used) continue;
    if (call(dialect_->remove_network(network.name), 20)) known_networks_.erase(network.name);
  }
}

ContainerEngine::Held ContainerEngine::held(const std::string& volume) const {
  Held found = Held::no;
  for (const auto& [_, rank] : ranks_) {
    bool mounts = std::any_of(
        rank.work.volumes.begin(), rank.work.volumes.end(), [&](const core::VolumeMount& mount) {
          return volume_name(options_.cloud, rank.work.project, mount.volume) == volume;
        });
    if (!mounts) continue;
    if (!rank.memory.done) return Held::by_live;
    found = Held::by_ended;
  }
  return found;
}

base::Try<std::vector<VolumeSeen>> ContainerEngine::volumes(std::optional<std::uint32_t> project) {
  auto answer = call(dialect_->list_volumes(options_.cloud), 20);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) {
    return base::fault(dialect_->message(answer->body), true, answer->status);
  }
  auto listed = dialect_->parse_volumes(answer->body);
  if (!listed) return std::unexpected(listed.error());
  std::set<std::string> used;
  {
    base::Guard lock(mutex_);
    for (const auto& [_, rank] : ranks_) {
      for (const auto& mount : rank.work.volumes) {
        used.insert(volume_name(options_.cloud, rank.work.project, mount.volume));
      }
    }
  }
  std::vector<VolumeSeen> out;
  for (const auto& volume : *listed) {
    if (volume.name.empty()) continue;  // not made by us
    if (project && volume.project != *project) continue;
    out.push_back({volume.project, volume.name, disk_use(volume.mountpoint),
                   used.contains(volume.engine_name)});
  }
  return out;
}

base::Try<void> ContainerEngine::remove_volume(std::uint32_t project, const std::string& name) {
  std::string engine_name = volume_name(options_.cloud, project, name);
  {
    // A job's end is known before its container is removed, which holds the volume until then.
    base::Lock lock(mutex_);
    removed_.wait_for(lock, kRemovalBound,
                      [&] { return stopping_ || held(engine_name) != Held::by_ended; });
  }
  // Who starts to want it from here on waits for things_mutex_, and then makes it anew.
  base::Guard things(things_mutex_);
  {
    base::Guard lock(mutex_);
    switch (held(engine_name)) {
      case Held::no:
        break;
      case Held::by_live:
        return base::fault(fmt::format("a live job uses volume {}; stop it first", name), false,
                           409);
      case Held::by_ended:
        return base::fault(
            fmt::format("the container of a job that had volume {} is still being removed", name),
            true, 409);
    }
  }
  auto answer = call(dialect_->remove_volume(engine_name), 60);
  if (!answer) return std::unexpected(answer.error());
  if (answer->status < 300) {
    known_volumes_.erase(engine_name);
    return {};
  }
  std::string said = dialect_->message(answer->body);
  int status = said.find("being used") != std::string::npos ? 409 : answer->status;
  return base::fault(said, status >= 500, status);
}

void ContainerEngine::meter() {
  base::Lock lock(mutex_);
  int round = 0;
  while (!stopped_.wait_for(lock, options_.look_period, [this] { return stopping_.load(); })) {
    if (!host_->owns_service()) {
      lock.unlock();
      copy_logs();
      lock.lock();
    }
    if (++round % kMeterEvery != 0) continue;
    bool any = std::any_of(ranks_.begin(), ranks_.end(),
                           [](const auto& r) { return !r.second.work.volumes.empty(); });
    if (!any || options_.volume_limit_bytes <= 0) continue;
    lock.unlock();
    meter_once();
    lock.lock();
  }
}

void ContainerEngine::meter_once() {
  auto seen = volumes({});
  if (!seen || !reports_.volume_over_limit) return;
  std::vector<std::pair<core::RankWork, std::string>> over;
  for (const auto& volume : *seen) {
    if (!volume.in_use || volume.used_bytes <= options_.volume_limit_bytes) continue;
    base::Guard lock(mutex_);
    for (const auto& [_, rank] : ranks_) {
      bool mounts =
          std::any_of(rank.work.volumes.begin(), rank.work.volumes.end(),
                      [&](const core::VolumeMount& mount) { return mount.volume == volume.name; });
      if (!mounts || rank.work.project != volume.project || rank.memory.final) continue;
      over.emplace_back(rank.work,
                        fmt::format("volume {} holds {} MiB; its limit is {} MiB", volume.name,
                                    volume.used_bytes >> 20, options_.volume_limit_bytes >> 20));
    }
  }
  for (auto& [work, why] : over) reports_.volume_over_limit(work, std::move(why));
}

}  // namespace ampacity::engines
