// The one way to parallel work: one OpenMP team, nothing else owns threads.
// A region's body must not throw; it reports by flag. Bodies of one region share nothing they
// write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace vernier {

/// Threads that a run may be asked for; a larger number is taken for a slip.
constexpr int kMostThreads = 4096;

/// Threads that this process may use: its affinity mask, lowered by a cgroup's CPU quota.
int AvailableThreads();

/// Runs body(begin, end) over disjoint pieces of [0, count) on `threads` threads. Pieces are
/// multiples of `grain` (the last may be shorter) and are dealt in order: the split depends on
/// count, grain and threads alone. Runs inline with one thread or one piece, and within another
/// region.
void ParallelFor(int threads, int64_t count, int64_t grain,
                 const std::function<void(int64_t begin, int64_t end)>& body);

/// Runs body(team) at the same time for each of `sizes`, the numbers of threads of teams; what a
/// body runs by ParallelFor is split over its team alone. Returns false, having run nothing, where
/// the system gives fewer threads than that.
bool ParallelTeams(std::span<const int> sizes, const std::function<void(int team)>& body);

/// Bytes that the threads of a team read soon: an equal part each, in order, front to back.
using UpcomingRead = std::span<const std::byte>;

/// On a thread that leads one of ParallelTeams' teams: from now on the team's threads fetch the
/// fronts of their parts of `read` into their caches while they wait for work or for each other.
/// `read` and its bytes stay as they are until ParallelTeams returns. Null: nothing is fetched.
void FetchWhileWaiting(const UpcomingRead* read);

/// Gives libraries that open OpenMP regions of their own on this thread the same team: `threads`,
/// or as many as OMP_THREAD_LIMIT allows, and never fewer than they are then told: a library that
/// shares its work out before it has its threads would leave some of it undone.
void SetTeamOfCaller(int threads);

/// Runs body(worker) once on each of `threads` workers at the same time. Not within another region.
void ParallelWorkers(int threads, const std::function<void(int worker)>& body);

}  // namespace vernier
