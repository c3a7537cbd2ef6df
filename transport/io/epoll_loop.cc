#include "weir/transport/io/epoll_loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "weir/transport/io/end_of_turn_list.h"
#include "weir/transport/io/mutex.h"
#include "weir/transport/io/run_callback.h"
#include "weir/transport/io/system_error.h"
#include "weir/transport/io/timer_heap.h"

namespace weir::transport {
namespace {

constexpr size_t kReadBufferBytes = 128 * 1024;
constexpr size_t kEventsPerTurn = 256;
// Posting so much takes no memory: what lets a coroutine go on that waits for another thread must not fail.
constexpr size_t kPostedRoom = 256;
constexpr size_t kPostedCapacityKept = 1024;
constexpr uint64_t kWakeupKey = ~uint64_t{0};

using std::chrono::nanoseconds;

// Descriptor and registration number in one: an event of an earlier registration of the same descriptor is recognised.
uint64_t EventKey(int fd, uint32_t generation) { return uint64_t{generation} << 32 | static_cast<uint32_t>(fd); }

}  // namespace

struct EpollLoop::Impl {
  struct Registration {
    DescriptorHandler* handler = nullptr;
    uint32_t generation = 0;
  };

  ~Impl();
  absl::Status Open();
  void Turn(nanoseconds timeout);
  nanoseconds SleepTime(nanoseconds timeout) const;
  int Wait(nanoseconds timeout);
  void Dispatch(const epoll_event& event);
  DescriptorHandler* HandlerOf(uint64_t key) const;
  void RunPosted();
  bool ArmWakeup();
  void Wake();

  int epoll_fd = -1;
  int wakeup_fd = -1;
  bool has_pwait2 = true;
  bool stopping = false;
  MonotonicTime now;
  std::optional<absl::Time> wall_now;       // of the same moment; nullopt until somebody asks
  std::vector<Registration> registrations;  // by descriptor
  std::array<epoll_event, kEventsPerTurn> ready;
  TimerHeap timers;
  EndOfTurnList end_of_turn;
  std::unique_ptr<char[]> read_buffer;
  std::vector<std::function<void()>> running;  // posted work of this turn

  Mutex mutex;
  std::vector<std::function<void()>> posted WEIR_GUARDED_BY(mutex);
  // True from before the loop sleeps until the first Post, which then writes to the eventfd: one write per sleep.
  bool wakeup_armed WEIR_GUARDED_BY(mutex) = true;
};

absl::Status EpollLoop::Impl::Open() {
  now = std::chrono::steady_clock::now();
  running.reserve(kPostedRoom);
  {
    MutexLock lock(mutex);
    posted.reserve(kPostedRoom);
  }
  epoll_fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd >= 0) wakeup_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  // Edge-triggered, so that nobody needs to read it: every write is an edge.
  epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = kWakeupKey}};
  if (wakeup_fd >= 0 && ::epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wakeup_fd, &event) == 0) return absl::OkStatus();
  return absl::ResourceExhaustedError("event loop: epoll or eventfd: " + SystemErrorText(errno) +
                                      "; raise the limit of open files (ulimit -n)");
}

EpollLoop::Impl::~Impl() {
  // Destroying work may post more: its destructors run as if nobody would ever run it.
  for (bool more = true; more;) {
    std::vector<std::function<void()>> dropped;
    {
      MutexLock lock(mutex);
      wakeup_armed = false;
      dropped.swap(posted);
    }
    more = !dropped.empty();
  }
  if (wakeup_fd >= 0) ::close(wakeup_fd);
  if (epoll_fd >= 0) ::close(epoll_fd);
}

void EpollLoop::Impl::Turn(nanoseconds timeout) {
  const int count = Wait(SleepTime(timeout));
  now = std::chrono::steady_clock::now();
  wall_now.reset();
  for (int i = 0; i < count; ++i) RunCallback([this, i] { Dispatch(ready[i]); });
  timers.RunDue(now);
  RunPosted();
  end_of_turn.RunAll();
}

// How long the next wait may last.
nanoseconds EpollLoop::Impl::SleepTime(nanoseconds timeout) const {
  if (!end_of_turn.empty()) return nanoseconds::zero();
  const std::optional<MonotonicTime> due = timers.NextDue();
  if (!due) return timeout;
  // The turn may have taken long: `now` is its beginning.
  const nanoseconds until_due = std::max<nanoseconds>(*due - std::chrono::steady_clock::now(), nanoseconds::zero());
  return timeout < nanoseconds::zero() ? until_due : std::min(timeout, until_due);
}

int EpollLoop::Impl::Wait(nanoseconds timeout) {
  if (timeout != nanoseconds::zero() && !ArmWakeup()) timeout = nanoseconds::zero();
  const bool forever = timeout < nanoseconds::zero();
  if (has_pwait2) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    timespec spec{.tv_sec = static_cast<time_t>(seconds.count()),
                  .tv_nsec = static_cast<long>((timeout - seconds).count())};
    const int count = ::epoll_pwait2(epoll_fd, ready.data(), kEventsPerTurn, forever ? nullptr : &spec, nullptr);
    if (count >= 0 || errno == EINTR) return std::max(count, 0);
    has_pwait2 = false;  // Linux before 5.11, or a sandbox that does not know it
  }
  int timeout_ms = -1;
  if (!forever) {
    // Rounded up: waking before the timer's time would only spin.
    constexpr auto kLongest = std::chrono::milliseconds(1 << 30);
    const auto ms = timeout > kLongest ? kLongest : std::chrono::ceil<std::chrono::milliseconds>(timeout);
    timeout_ms = static_cast<int>(ms.count());
  }
  return std::max(::epoll_wait(epoll_fd, ready.data(), kEventsPerTurn, timeout_ms), 0);
}

void EpollLoop::Impl::Dispatch(const epoll_event& event) {
  const uint64_t key = event.data.u64;
  if (key == kWakeupKey) return;
  // Each callback may unregister this descriptor or any other, close it, and register its number again: look again.
  if (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    if (DescriptorHandler* handler = HandlerOf(key)) handler->OnHangUp();
  }
  if (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    if (DescriptorHandler* handler = HandlerOf(key)) handler->OnReadable();
  }
  if (event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
    if (DescriptorHandler* handler = HandlerOf(key)) handler->OnWritable();
  }
}

DescriptorHandler* EpollLoop::Impl::HandlerOf(uint64_t key) const {
  const Registration& registration = registrations[static_cast<uint32_t>(key)];
  return registration.generation == key >> 32 ? registration.handler : nullptr;
}

void EpollLoop::Impl::RunPosted() {
  {
    MutexLock lock(mutex);
    wakeup_armed = false;
    running.swap(posted);
  }
  for (std::function<void()>& work : running) RunCallback(std::exchange(work, nullptr));
  running.clear();
  if (running.capacity() > kPostedCapacityKept) [[unlikely]]
    RunCallback([this] {
      std::vector<std::function<void()>> smaller;
      smaller.reserve(kPostedRoom);
      running.swap(smaller);
    });
}

// Asks the next Post to wake the loop; false if something has been posted already.
bool EpollLoop::Impl::ArmWakeup() {
  MutexLock lock(mutex);
  if (!posted.empty()) return false;
  wakeup_armed = true;
  return true;
}

void EpollLoop::Impl::Wake() {
  const uint64_t one = 1;
  while (::write(wakeup_fd, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

absl::StatusOr<std::unique_ptr<EpollLoop>> EpollLoop::Create() {
  auto impl = std::make_unique<Impl>();
  if (absl::Status opened = impl->Open(); !opened.ok()) return opened;
  return std::unique_ptr<EpollLoop>(new EpollLoop(std::move(impl)));
}

EpollLoop::EpollLoop() : impl_(std::make_unique<Impl>()) {
  const absl::Status opened = impl_->Open();
  if (opened.ok()) return;
  fprintf(stderr, "weir: %s\n", std::string(opened.message()).c_str());
  abort();
}

EpollLoop::EpollLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

EpollLoop::~EpollLoop() = default;

void EpollLoop::Run() {
  Scope scope(this);
  while (!impl_->stopping) impl_->Turn(nanoseconds(-1));
  impl_->stopping = false;
}

void EpollLoop::RunOnce(nanoseconds timeout) {
  Scope scope(this);
  impl_->Turn(timeout);
  // Until the next RunOnce only wakeup_fd can tell that there is something to do.
  if (!impl_->end_of_turn.empty() || !impl_->ArmWakeup()) impl_->Wake();
}

void EpollLoop::Stop() {
  Post([this] { impl_->stopping = true; });
}

int EpollLoop::wakeup_fd() const { return impl_->epoll_fd; }

void EpollLoop::Post(std::function<void()> work) {
  // Until the end: the work may be what the loop's owner waits for to destroy it, which takes this mutex too.
  MutexLock lock(impl_->mutex);
  impl_->posted.push_back(std::move(work));
  // From inside a turn there is nobody to wake: the queue is looked at before the next sleep.
  if (!IsCurrent() && std::exchange(impl_->wakeup_armed, false)) impl_->Wake();
}

MonotonicTime EpollLoop::Now() const { return impl_->now; }

absl::Time EpollLoop::WallNow() const {
  if (!impl_->wall_now.has_value()) {
    impl_->wall_now = absl::Now() - absl::FromChrono(std::chrono::steady_clock::now() - impl_->now);
  }
  return *impl_->wall_now;
}

absl::Status EpollLoop::Watch(int fd, DescriptorHandler* handler) {
  if (static_cast<size_t>(fd) >= impl_->registrations.size()) impl_->registrations.resize(fd + 1);
  Impl::Registration& registration = impl_->registrations[fd];
  ++registration.generation;
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                    .data = {.u64 = EventKey(fd, registration.generation)}};
  if (::epoll_ctl(impl_->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
    return absl::ErrnoToStatus(errno, "event loop: watch descriptor " + std::to_string(fd));
  }
  registration.handler = handler;
  return absl::OkStatus();
}

void EpollLoop::Unwatch(int fd) {
  if (fd < 0 || static_cast<size_t>(fd) >= impl_->registrations.size()) return;
  Impl::Registration& registration = impl_->registrations[fd];
  if (registration.handler == nullptr) return;
  registration.handler = nullptr;
  ::epoll_ctl(impl_->epoll_fd, EPOLL_CTL_DEL, fd, nullptr);
}

void EpollLoop::AtEndOfTurn(EndOfTurn* work) { impl_->end_of_turn.Add(work); }

std::span<char> EpollLoop::ReadBuffer() {
  if (!impl_->read_buffer) impl_->read_buffer.reset(new char[kReadBufferBytes]);
  return {impl_->read_buffer.get(), kReadBufferBytes};
}

void EpollLoop::ScheduleTimer(Timer* timer, MonotonicTime due) { impl_->timers.Set(timer, due); }

void EpollLoop::CancelTimer(Timer* timer) { impl_->timers.Cancel(timer); }

}  // namespace weir::transport
