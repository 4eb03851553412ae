// Figures of the machine: CPU, memory, volumes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace oc::node {

struct VolumeFigures {
  std::string path;
  std::uint64_t total_bytes = 0;
  std::uint64_t used_bytes = 0;
};

struct HostFigures {
  std::vector<double> cpu_percent;  // per core, since the sample before
  double load_1 = 0, load_5 = 0, load_15 = 0;
  std::uint64_t memory_total = 0, memory_used = 0, memory_free = 0, memory_cache = 0;
  std::vector<VolumeFigures> volumes;
  std::uint64_t process_resident = 0;
  std::uint64_t process_descriptors = 0;
};

// Takes samples. Blocks (a network file system may hang): call sample() on one worker thread.
class HostSampler {
 public:
  HostSampler();
  HostFigures sample();

 private:
  struct CoreTimes {
    std::uint64_t busy = 0;
    std::uint64_t all = 0;
  };
  static std::vector<CoreTimes> read_core_times();
  std::vector<CoreTimes> last_;
};

}  // namespace oc::node
