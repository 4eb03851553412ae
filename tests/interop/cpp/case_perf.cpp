#include "cases.hpp"
#include "p2p/protocols/perf/perf.hpp"

namespace oc::interop {
namespace {

// The time of one run, from the stream's opening to its end.
awaitable<Verdict<double>> seconds_of(Dialer& dialer, p2p::ConnectionPtr connection,
                                      std::uint64_t upload, std::uint64_t download) {
  if (upload == 0 && download == 0) co_return 0.0;
  auto measured = co_await p2p::measure_perf(connection, dialer.clock(), upload, download);
  CO_TRY(const p2p::PerfTimes times, explain("perf", measured));
  co_return std::chrono::duration<double>(times.upload + times.download).count();
}

}  // namespace

CaseResult perf_case(Dialer& dialer) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await dialer.connect());
  const std::size_t upload = dialer.count("upload");
  const std::size_t download = dialer.count("download");
  CO_TRY(const double up, co_await seconds_of(dialer, connection, upload, 0));
  CO_TRY(const double down, co_await seconds_of(dialer, connection, 0, download));
  Json out;
  out["upload_bytes"] = upload;
  out["upload_seconds"] = up;
  out["download_bytes"] = download;
  out["download_seconds"] = down;
  co_return out;
}

}  // namespace oc::interop
