#include "weir/rpc/client/client_interception.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/rpc/client/channel_core.h"
#include "weir/rpc/client/client_call.h"
#include "weir/rpc/client/client_stream.h"
#include "weir/rpc/wire/envelope.h"

namespace weir {

// Makes the call, and waits until it is over.
class ClientInterception::CallEnd {
 public:
  explicit CallEnd(ClientInterception& interception) : interception_(interception) {}
  CallEnd(const CallEnd&) = delete;
  CallEnd& operator=(const CallEnd&) = delete;
  ~CallEnd() { interception_.waiter_ = Resumption(); }

  bool await_ready() const { return interception_.over_; }
  void await_suspend(std::coroutine_handle<> waiter) { interception_.waiter_ = Resumption(waiter); }
  absl::Status await_resume() const { return interception_.status_; }

 private:
  ClientInterception& interception_;
};

// The stream of a call that an interceptor has answered: one message, when it is wanted, and the end.
class ClientInterception::Replied final : public ClientStream {
 public:
  explicit Replied(transport::SharedBytes framed) : framed_(std::move(framed)) {}

  void Bind(StreamObserver& observer) override { observer_ = &observer; }
  void SetTrailing(Metadata trailing) { trailing_ = std::move(trailing); }
  void WantMessage() override {
    if (observer_ == nullptr || std::exchange(given_, true)) return;
    ReceivedMessage message;
    message.bytes = framed_.bytes.substr(wire::kEnvelopeHeaderBytes);
    observer_->OnMessage(message);
    if (observer_ != nullptr) std::exchange(observer_, nullptr)->OnEnd(absl::OkStatus(), std::move(trailing_));
  }
  void Cancel(const absl::Status&) override { observer_ = nullptr; }

  // What the application still sends goes nowhere.
  void ExpectMessage() override {}
  void WantNoMessage() override {}
  char* Reserve(size_t) override { return nullptr; }
  bool SendMessage(transport::SharedBytes) override { return true; }
  void HalfClose() override {}

 private:
  const transport::SharedBytes framed_;
  Metadata trailing_;
  StreamObserver* observer_ = nullptr;
  bool given_ = false;
};

namespace {

Interceptors Joined(const Interceptors& channels, const std::shared_ptr<const Interceptors>& calls) {
  if (calls == nullptr) return {};
  Interceptors all = channels;
  all.insert(all.end(), calls->begin(), calls->end());
  return all;
}

}  // namespace

ClientInterception::ClientInterception(ClientCall& call, const Interceptors& channels,
                                       const std::shared_ptr<const Interceptors>& calls, const OutgoingMessage* request)
    : InterceptorChain(CallSide::kClient, call.method(), calls == nullptr ? channels : all_),
      call_(call),
      all_(Joined(channels, calls)) {
  if (request != nullptr) request_ = OwnedMessage(*request);
}

ClientInterception::~ClientInterception() = default;

// ---- what interceptors see ------------------------------------------------------------------------------------------

std::string_view ClientInterception::target() const { return call_.channel_->target(); }

absl::Time ClientInterception::deadline() const {
  const std::optional<absl::Duration> left = call_.TimeLeft();
  return left.has_value() ? call_.event_loop_.WallNow() + *left : absl::InfiniteFuture();
}

void ClientInterception::SetTimeout(absl::Duration timeout) {
  if (!call_.ended()) call_.SetTimeout(timeout);
}

Metadata& ClientInterception::request_metadata() { return call_.metadata_; }
Metadata& ClientInterception::initial_metadata() { return call_.initial_; }
Metadata& ClientInterception::trailing_metadata() { return call_.trailing_; }

absl::Status ClientInterception::Reply(const OutgoingMessage& reply) {
  if (absl::Status may = MayReply(); !may.ok()) return may;
  if (started_ || replied_ != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(method().path), ": Reply: ", started_ ? "next was called" : "there is a reply already",
                     "; reply without calling next"));
  }
  absl::StatusOr<transport::SharedBytes> framed = EncodeReceived(reply);
  if (!framed.ok()) return framed.status();
  replied_ = std::make_unique<Replied>(*std::move(framed));
  return absl::OkStatus();
}

// ---- the call itself ------------------------------------------------------------------------------------------------

void ClientInterception::Start() {
  keep_ = call_.shared_from_this();
  call_.channel_->OnInterceptorsStarted();
  chain_ = Run();
  chain_.Start(this);
}

Task<absl::Status> ClientInterception::RunCall() {
  started_ = true;
  if (call_.ended()) co_return call_.end_status();
  if (!request_.empty()) {
    if (call_.framed_request_.ok()) call_.framed_request_ = call_.ShowAndEncode(request_.outgoing(), WriteOptions());
    request_ = OwnedMessage();
  }
  call_.AskForPlace();
  absl::Status status = co_await CallEnd(*this);
  co_return status;
}

bool ClientInterception::OnCallOver(const absl::Status& status) {
  if (keep_ == nullptr) return false;
  if (!std::exchange(over_, true)) status_ = status;
  const auto keep = keep_;
  if (waiter_) std::exchange(waiter_, Resumption()).Resume();
  return true;
}

void ClientInterception::OnTaskDone() noexcept {
  absl::Status status = TakeStatus(chain_, "an interceptor");
  chain_ = {};
  const std::shared_ptr<ClientCall> call = std::move(keep_);
  const std::shared_ptr<ChannelCore> channel = call_.channel_;
  if (status.ok() && replied_ != nullptr && !call_.ended()) {
    replied_->SetTrailing(std::move(call_.trailing_));
    replied_->Bind(call_);
    channel->OnReplied(call_);
    call_.OnInitialMetadata(std::move(call_.initial_));
    if (!call_.ended()) call_.Attach(replied_.get());
  } else {
    call_.OnInterceptorsReturned(std::move(status));
  }
  channel->OnInterceptorsReturned();
}

}  // namespace weir
