#include "engines/nvml.h"

#include <dlfcn.h>
#include <fmt/core.h>

namespace ampacity::engines {
namespace {

// As in nvml.h, version 2 of the interface.
using Device = struct NvmlDevice*;
struct Memory {
  unsigned long long total, free, used;
};
using Init = int (*)();
using Shutdown = int (*)();
using ErrorString = const char* (*)(int);
using GetCount = int (*)(unsigned*);
using GetHandle = int (*)(unsigned, Device*);
using GetText = int (*)(Device, char*, unsigned);
using GetMemory = int (*)(Device, Memory*);
using GetMig = int (*)(Device, unsigned*, unsigned*);

constexpr unsigned kTextSize = 96;
constexpr unsigned kMostGpus = 1024;

class Library {
 public:
  explicit Library(const std::string& name)
      : handle_(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {}
  ~Library() {
    if (handle_ != nullptr) dlclose(handle_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  explicit operator bool() const { return handle_ != nullptr; }
  template <typename F>
  F get(const char* name) const {
    return reinterpret_cast<F>(dlsym(handle_, name));
  }

 private:
  void* handle_;
};

std::string text_of(GetText get, Device device) {
  char text[kTextSize] = {};
  return get(device, text, kTextSize) == 0 ? std::string(text) : std::string();
}

base::Try<std::vector<NvmlGpu>> ask(const Library& library) {
  auto count = library.get<GetCount>("nvmlDeviceGetCount_v2");
  auto handle = library.get<GetHandle>("nvmlDeviceGetHandleByIndex_v2");
  auto name = library.get<GetText>("nvmlDeviceGetName");
  auto uuid = library.get<GetText>("nvmlDeviceGetUUID");
  auto memory = library.get<GetMemory>("nvmlDeviceGetMemoryInfo");
  auto mig = library.get<GetMig>("nvmlDeviceGetMigMode");
  if (!count || !handle || !name || !uuid || !memory) {
    return base::fault("the NVIDIA library lacks functions we need", false);
  }
  unsigned n = 0;
  if (int error = count(&n); error != 0) {
    return base::fault(fmt::format("NVML cannot count GPUs: error {}", error));
  }
  std::vector<NvmlGpu> gpus;
  for (unsigned i = 0; i < n && i < kMostGpus; i++) {
    Device device = nullptr;
    if (handle(i, &device) != 0) continue;  // lost or not ours to see
    NvmlGpu gpu;
    gpu.name = text_of(name, device);
    gpu.uuid = text_of(uuid, device);
    Memory bytes{};
    if (memory(device, &bytes) == 0) gpu.memory_mib = static_cast<std::int64_t>(bytes.total >> 20);
    unsigned current = 0, pending = 0;
    gpu.mig_enabled = mig != nullptr && mig(device, &current, &pending) == 0 && current == 1;
    if (!gpu.uuid.empty()) gpus.push_back(std::move(gpu));
  }
  return gpus;
}

}  // namespace

base::Try<std::vector<NvmlGpu>> nvml_gpus(const std::string& name) {
  Library library(name);
  if (!library) return base::fault("no NVIDIA driver here (" + name + " is not there)", false);
  auto init = library.get<Init>("nvmlInit_v2");
  auto shutdown = library.get<Shutdown>("nvmlShutdown");
  auto error_string = library.get<ErrorString>("nvmlErrorString");
  if (!init || !shutdown) return base::fault(name + " is not NVML", false);
  if (int error = init(); error != 0) {
    const char* said = error_string != nullptr ? error_string(error) : "unknown error";
    return base::fault(fmt::format("NVML does not start: {} ({})", said, error));
  }
  auto gpus = ask(library);
  shutdown();
  return gpus;
}

}  // namespace ampacity::engines
