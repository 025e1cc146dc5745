/* A libnvidia-ml of our own, for tests: three GPUs, the second in MIG mode, the third unknown. */
#include <stdint.h>
#include <stdio.h>

static const char* const names[] = {"NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB",
                                    "NVIDIA Something New"};
static const unsigned long long mib[] = {81559, 81920, 1000};

struct memory {
  unsigned long long total, free, used;
};

static unsigned index_of(void* device) { return (unsigned)(uintptr_t)device - 1; }

int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
const char* nvmlErrorString(int error) { return error == 0 ? "success" : "failure"; }
int nvmlDeviceGetCount_v2(unsigned* count) {
  *count = 4; /* the last one has fallen off the bus */
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void** device) {
  if (index >= 3) return 15;
  *device = (void*)(uintptr_t)(index + 1);
  return 0;
}
int nvmlDeviceGetName(void* device, char* name, unsigned size) {
  snprintf(name, size, "%s", names[index_of(device)]);
  return 0;
}
int nvmlDeviceGetUUID(void* device, char* uuid, unsigned size) {
  snprintf(uuid, size, "GPU-stub-%u", index_of(device));
  return 0;
}
int nvmlDeviceGetMemoryInfo(void* device, struct memory* memory) {
  memory->total = mib[index_of(device)] << 20;
  memory->free = memory->total;
  memory->used = 0;
  return 0;
}
int nvmlDeviceGetMigMode(void* device, unsigned* current, unsigned* pending) {
  *current = *pending = index_of(device) == 1;
  return index_of(device) == 2 ? 3 : 0; /* not supported by the third */
}
