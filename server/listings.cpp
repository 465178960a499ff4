// SPDX-License-Identifier: Apache-2.0
#include "server/listings.h"

#include <pronghorn/base/uv/offload.h>

#include "server/accept.h"

#include <algorithm>
#include <coroutine>
#include <ctime>
#include <deque>
#include <exception>
#include <utility>

namespace pronghorn::server {
namespace {

bool is_settled(const FileIdentity& directory, std::chrono::nanoseconds since) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  auto ns_since = [&now](const timespec& then) {
    return (now.tv_sec - then.tv_sec) * 1'000'000'000LL + now.tv_nsec - then.tv_nsec;
  };
  return ns_since(directory.modified) >= since.count() &&
         ns_since(directory.changed) >= since.count();
}

}  // namespace

/// A page: while it is made, and after that.
struct Listings::Job {
  // What it is of.
  std::string relative, path;
  FileIdentity directory;
  Listing::Order order;
  bool is_json = false;
  // What comes of it.
  std::shared_ptr<const std::string> bytes;  // null: no directory
  bool is_cut = false;
  std::exception_ptr failure;
  bool is_done = false;
  bool is_kept = false;  // may be given to who asks later
  std::int64_t until_ms = 0;
  std::vector<std::coroutine_handle<>> waiting;

  bool is_same(const Job& other) const noexcept {
    return relative == other.relative && path == other.path && directory == other.directory &&
           order.key == other.order.key && order.descending == other.order.descending &&
           is_json == other.is_json;
  }
};

struct Listings::State {
  std::shared_ptr<const RootDirectory> root;
  Options options;
  std::deque<std::shared_ptr<Job>> jobs;   // in the order in which they were asked for
  std::deque<std::shared_ptr<Job>> queue;  // of these, not begun
  std::size_t running = 0;
  std::uint64_t reads = 0;

  /// Lets go of what is too old, and of the oldest pages while they are too many bytes.
  void tidy(std::int64_t now_ms) {
    std::erase_if(jobs, [now_ms](const auto& job) {
      return job->is_done && (!job->is_kept || now_ms >= job->until_ms);
    });
    std::size_t bytes = 0;
    for (auto at = jobs.rbegin(); at != jobs.rend(); ++at) {
      if ((*at)->is_done && (*at)->bytes) bytes += (*at)->bytes->size();
      if (bytes > options.kept_bytes) (*at)->is_kept = false;
    }
    std::erase_if(jobs, [](const auto& job) { return job->is_done && !job->is_kept; });
  }
};

/// Until the job is done. Who is destroyed meanwhile is not called.
class Listings::Wait {
 public:
  explicit Wait(std::shared_ptr<Job> job) noexcept : job_(std::move(job)) {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() { std::erase(job_->waiting, waiter_); }
  bool await_ready() const noexcept { return job_->is_done; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    job_->waiting.push_back(waiter);
  }
  void await_resume() const noexcept {}

 private:
  std::shared_ptr<Job> job_;
  std::coroutine_handle<> waiter_;
};

Listings::Listings(std::shared_ptr<const RootDirectory> root, Options options)
    : state_(std::make_shared<State>()) {
  state_->root = std::move(root);
  state_->options = std::move(options);
}

std::uint64_t Listings::reads() const noexcept { return state_->reads; }

std::optional<FileIdentity> Listings::find(const std::string& relative) const {
  auto opened = state_->root->open_file(relative.empty() ? "." : relative.c_str());
  if (!opened || !S_ISDIR(opened->info.st_mode)) return std::nullopt;
  return FileIdentity::of(opened->info);
}

Task<std::optional<Response>> Listings::answer(Loop& loop, const Request& request,
                                               std::string relative, std::string path,
                                               FileIdentity directory) {
  auto wanted = std::make_shared<Job>();
  wanted->relative = std::move(relative);
  wanted->path = std::move(path);
  wanted->directory = directory;
  wanted->order = Listing::order_of(request.query());
  wanted->is_json = choose_text_form(request.headers()) == TextForm::json;
  State& state = *state_;
  state.tidy(loop.now_ms());
  auto same =
      std::ranges::find_if(state.jobs, [&](const auto& job) { return job->is_same(*wanted); });
  const std::shared_ptr<Job> job = same != state.jobs.end() ? *same : wanted;
  if (job == wanted) {
    if (state.queue.size() >= state.options.most_waiting) throw OffloadQueueFull();
    state.jobs.push_back(job);
    state.queue.push_back(job);
    begin_next(loop, state_);
  }
  Wait wait(job);
  co_await wait;
  if (job->failure) std::rethrow_exception(job->failure);
  if (!job->bytes) co_return std::nullopt;
  co_return listing_response(job->bytes, job->is_json, job->is_cut);
}

void Listings::begin_next(Loop& loop, const std::shared_ptr<State>& state) {
  while (!state->queue.empty() && state->running < state->options.at_once) {
    auto job = std::move(state->queue.front());
    state->queue.pop_front();
    ++state->running;
    ++state->reads;
    start(loop, make(loop, state, std::move(job)));
  }
}

/// The thread has the job's names and the root, which nobody changes, and gives back a value.
Task<void> Listings::make(Loop& loop, std::shared_ptr<State> state, std::shared_ptr<Job> job) {
  job->until_ms = loop.now_ms() + state->options.valid.count();
  job->is_kept = is_settled(job->directory, state->options.settled);
  try {
    struct Made {
      std::shared_ptr<const std::string> bytes;
      bool is_cut = false;
    };
    auto read = [root = state->root, hidden = state->options.hidden, relative = job->relative,
                 path = job->path, order = job->order, is_json = job->is_json]() -> Made {
      auto listing = Listing::read(*root, relative, hidden);
      if (!listing) return {};
      listing->sort(order);
      return {std::make_shared<const std::string>(is_json ? listing->json()
                                                          : listing->html(path, order)),
              listing->is_cut};
    };
    const Made made = co_await offload(loop, std::move(read));
    job->bytes = made.bytes;
    job->is_cut = made.is_cut;
  } catch (...) {
    job->failure = std::current_exception();
  }
  job->is_done = true;
  job->is_kept = job->is_kept && job->bytes != nullptr;
  --state->running;
  state->tidy(loop.now_ms());
  begin_next(loop, state);
  while (!job->waiting.empty()) {  // each may be the end of others
    auto waiter = job->waiting.back();
    job->waiting.pop_back();
    waiter.resume();
  }
}

}  // namespace pronghorn::server
