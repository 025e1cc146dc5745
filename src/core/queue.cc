#include "core/queue.h"

#include <tuple>

namespace ampacity::core {

bool less(const Demand& a, const Demand& b) {
  const auto key = [](const Demand& d) {
    return std::tie(d.nodes, d.gpus_per_node, d.gpu_milli, d.mig, d.cpu_milli, d.memory_mib, d.skus,
                    d.sites, d.together, d.apart, d.most_price, d.reservation);
  };
  return key(a) < key(b);
}

Shape shape_of(const Job& job) {
  Shape shape{job.job_class, job.project, job.time_limit_s, job.demand, {}};
  for (const VolumeMount& m : job.spec.volumes) shape.volumes.push_back(m.volume);
  return shape;
}

bool operator<(const Shape& a, const Shape& b) {
  const auto key = [](const Shape& s) {
    return std::tie(s.job_class, s.project, s.time_limit_s, s.volumes);
  };
  return key(a) != key(b) ? key(a) < key(b) : less(a.demand, b.demand);
}

bool operator<(const GroupKey& a, const GroupKey& b) {
  if (a.shape < b.shape) return true;
  if (b.shape < a.shape) return false;
  return std::tie(a.band, a.stem) < std::tie(b.band, b.stem);
}

}  // namespace ampacity::core
