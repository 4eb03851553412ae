#include <statgrab.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "node/host_metrics.hpp"

namespace oc::node {
namespace {

// Volumes shown at most: a machine with containers may mount hundreds.
constexpr std::size_t kMaxVolumes = 32;

// Resident size from /proc/self/statm, in pages, second field.
std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t open_descriptors() {
  std::error_code error;
  const std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return 0;
  return static_cast<std::uint64_t>(std::distance(begin(entries), end(entries)));
}

void read_volumes(HostFigures& out) {
  std::size_t count = 0;
  const sg_fs_stats* volumes = sg_get_fs_stats(&count);
  for (std::size_t i = 0; volumes != nullptr && i < count && out.volumes.size() < kMaxVolumes;
       ++i) {
    const sg_fs_stats& volume = volumes[i];
    if (volume.size == 0 || (volume.device_type & (sg_fs_regular | sg_fs_remote)) == 0) continue;
    out.volumes.push_back({volume.mnt_point, volume.size, volume.used});
  }
}

}  // namespace

HostSampler::HostSampler() {
  sg_init(1);
  last_ = read_core_times();
}

// libstatgrab knows the machine as a whole only, so the cores come from /proc/stat (proc(5)).
std::vector<HostSampler::CoreTimes> HostSampler::read_core_times() {
  std::vector<CoreTimes> cores;
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("cpu") || line.size() < 4 || line[3] == ' ') continue;
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    CoreTimes core;
    std::uint64_t value = 0;
    // user nice system idle iowait irq softirq steal; the guest times are part of user.
    for (int i = 0; i < 8 && fields >> value; ++i) {
      core.all += value;
      if (i != 3 && i != 4) core.busy += value;
    }
    cores.push_back(core);
  }
  return cores;
}

HostFigures HostSampler::sample() {
  HostFigures out;
  const auto now = read_core_times();
  for (std::size_t i = 0; i < now.size(); ++i) {
    const CoreTimes before = i < last_.size() ? last_[i] : CoreTimes{};
    const std::uint64_t all = now[i].all - std::min(now[i].all, before.all);
    const std::uint64_t busy = now[i].busy - std::min(now[i].busy, before.busy);
    out.cpu_percent.push_back(
        all == 0 ? 0 : 100.0 * static_cast<double>(busy) / static_cast<double>(all));
  }
  last_ = now;
  if (const sg_load_stats* load = sg_get_load_stats(nullptr)) {
    out.load_1 = load->min1;
    out.load_5 = load->min5;
    out.load_15 = load->min15;
  }
  if (const sg_mem_stats* memory = sg_get_mem_stats(nullptr)) {
    out.memory_total = memory->total;
    out.memory_used = memory->used;
    out.memory_free = memory->free;
    out.memory_cache = memory->cache;
  }
  read_volumes(out);
  out.process_resident = resident_bytes();
  out.process_descriptors = open_descriptors();
  return out;
}

}  // namespace oc::node
