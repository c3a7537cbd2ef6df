#include "weir/rpc/client/call_credentials/blocking_credentials.h"

#include <coroutine>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "weir/rpc/core/resumption.h"
#include "weir/transport/io/mutex.h"
#include "weir/transport/io/worker_pool.h"

namespace weir {
namespace {

using Result = absl::StatusOr<Metadata>;

Result Call(const BlockingMetadataFunction& function, const CredentialsRequest& request) {
#if defined(__cpp_exceptions)
  try {
    return function(request);
  } catch (const std::exception& error) {
    return absl::UnknownError(std::string("call credentials threw: ") + error.what());
  } catch (...) {
    return absl::UnknownError("call credentials threw something that is not a std::exception");
  }
#else
  return function(request);
#endif
}

// One call of the function. Known to the coroutine that waits, to the worker, and to what the worker posts. The mutex
// makes the worker's Post and the end of the waiting exclude each other: an executor is posted to only while a
// coroutine waits there.
class Question {
 public:
  explicit Question(const CredentialsRequest& request) : request_(request) {}

  void WaitedForBy(std::coroutine_handle<> waiter) {
    transport::MutexLock lock(mutex_);
    waiter_ = Resumption(waiter);
  }
  void Forget() {
    transport::MutexLock lock(mutex_);
    waiter_ = Resumption();
  }
  Result TakeResult() {
    transport::MutexLock lock(mutex_);
    return *std::move(result_);
  }

  // On the worker.
  void Answer(const BlockingMetadataFunction& function, const std::shared_ptr<Question>& self) {
    if (!IsWanted()) return;
    Result result = Call(function, request_);
    transport::MutexLock lock(mutex_);
    if (!waiter_) return;
    result_ = std::move(result);
    waiter_.home()->Post([self] { self->Resume(); });
  }

 private:
  bool IsWanted() {
    transport::MutexLock lock(mutex_);
    return static_cast<bool>(waiter_);
  }
  void Resume() {
    Resumption waiter;
    {
      transport::MutexLock lock(mutex_);
      waiter = std::exchange(waiter_, Resumption());
    }
    if (waiter) waiter.Resume();
  }

  const CredentialsRequest request_;  // a copy: the worker may still read it when the call is over
  transport::Mutex mutex_;
  Resumption waiter_ WEIR_GUARDED_BY(mutex_);  // none: not any more
  std::optional<Result> result_ WEIR_GUARDED_BY(mutex_);
};

class Blocking final : public CallCredentials {
 public:
  Blocking(BlockingMetadataFunction function, size_t threads)
      : function_(std::move(function)), workers_(threads, "weir-token") {}

  Task<Result> GetMetadata(const CredentialsRequest& request) override {
    auto question = std::make_shared<Question>(request);
    Answered answered(*this, question);
    co_await answered;
    co_return question->TakeResult();
  }

 private:
  class Answered {
   public:
    Answered(Blocking& credentials, std::shared_ptr<Question> question)
        : credentials_(credentials), question_(std::move(question)) {}
    Answered(const Answered&) = delete;
    Answered& operator=(const Answered&) = delete;
    ~Answered() { question_->Forget(); }

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
      question_->WaitedForBy(caller);
      credentials_.workers_.Post(
          [&function = credentials_.function_, question = question_] { question->Answer(function, question); });
    }
    void await_resume() const {}

   private:
    Blocking& credentials_;
    const std::shared_ptr<Question> question_;
  };

  const BlockingMetadataFunction function_;
  transport::WorkerPool workers_;  // the last member: its threads end before what they use
};

}  // namespace

std::shared_ptr<CallCredentials> BlockingCredentials(BlockingMetadataFunction function, size_t threads) {
  return std::make_shared<Blocking>(std::move(function), threads);
}

}  // namespace weir
