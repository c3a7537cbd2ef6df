// StreamSecurity by TLS: the context in use, and its replacement when its files change.
#include <stdio.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "weir/transport/io/mutex.h"
#include "weir/transport/io/tls.h"
#include "weir/transport/io/tls_context.h"
#include "weir/transport/io/tls_files.h"
#include "weir/transport/io/tls_stream.h"

namespace weir::transport {
namespace {

// Between two looks at the files, and between two lines about refused handshakes.
constexpr std::chrono::seconds kPause(1);

void PrintToStandardError(std::string_view line) {
  const std::string whole = absl::StrCat("weir: ", std::string(line), "\n");  // one write: lines do not mix
  fwrite(whole.data(), 1, whole.size(), stderr);
}

// One line a second at most; the next one tells how many there were.
class RefusalLog {
 public:
  explicit RefusalLog(TlsLog log) : log_(std::move(log)) {}

  void Report(MonotonicTime now, const absl::Status& refusal) {
    size_t silent = 0;
    {
      MutexLock lock(mutex_);
      if (now < next_) {
        ++silent_;
        return;
      }
      next_ = now + kPause;
      silent = std::exchange(silent_, 0);
    }
    std::string line(refusal.message());
    if (silent > 0) absl::StrAppend(&line, " (and ", silent, " more since the last such line)");
    log_(line);
  }

 private:
  const TlsLog log_;
  Mutex mutex_;
  MonotonicTime next_ WEIR_GUARDED_BY(mutex_){};
  size_t silent_ WEIR_GUARDED_BY(mutex_) = 0;
};

class TlsSecurity final : public StreamSecurity {
 public:
  TlsSecurity(TlsConfig config, absl::Duration handshake_timeout, TlsLog log)
      : config_(std::move(config)), log_(log ? std::move(log) : PrintToStandardError) {
    stream_options_.handshake_timeout = absl::ToChronoNanoseconds(handshake_timeout);
    for (const TlsPem* pem : {&config_.key_pair.certificate_chain, &config_.key_pair.private_key, &config_.roots,
                              &config_.revocation_lists}) {
      files_.Add(pem->path());  // before they are read: what changes meanwhile is seen
    }
    absl::StatusOr<std::shared_ptr<TlsContext>> made = TlsContext::Make(config_);
    status_ = made.status();
    if (made.ok()) current_ = *std::move(made);
  }

  const absl::Status& status() const override { return status_; }

  std::unique_ptr<ByteStream> Secure(EventLoop& loop, std::unique_ptr<ByteStream> plain,
                                     std::string_view host) override {
    TlsStreamOptions options = stream_options_;
    if (config_.role == TlsRole::kServer) {  // a client's calls tell of it
      options.on_refused = [log = refusals_, &loop](const absl::Status& why) { log->Report(loop.Now(), why); };
    }
    return std::make_unique<TlsStream>(loop, std::move(plain), Current(loop.Now()), host, std::move(options));
  }

 private:
  std::shared_ptr<TlsContext> Current(MonotonicTime now) {
    MutexLock lock(mutex_);
    if (now < next_look_) return current_;
    next_look_ = now + kPause;
    if (!files_.HaveChanged()) return current_;
    absl::StatusOr<std::shared_ptr<TlsContext>> made = TlsContext::Make(config_);
    if (made.ok()) {
      current_ = *std::move(made);
    } else {  // told once: the files have to change again before they are read again
      log_(absl::StrCat(std::string(made.status().message()),
                        "; not reloaded: what was loaded before stays in use until the files change"));
    }
    return current_;
  }

  const TlsConfig config_;
  const TlsLog log_;
  const std::shared_ptr<RefusalLog> refusals_ = std::make_shared<RefusalLog>(log_);
  TlsStreamOptions stream_options_;
  absl::Status status_;

  Mutex mutex_;
  TlsFiles files_ WEIR_GUARDED_BY(mutex_);
  MonotonicTime next_look_ WEIR_GUARDED_BY(mutex_){};
  std::shared_ptr<TlsContext> current_ WEIR_GUARDED_BY(mutex_);  // null: status_ tells why
};

// `config` has what only one side's options have; the rest is the same in both.
template <class Options>
std::shared_ptr<StreamSecurity> MakeSecurity(TlsConfig config, Options options) {
  config.key_pair = std::move(options.key_pair);
  config.min_version = options.min_version;
  return std::make_shared<TlsSecurity>(std::move(config), options.handshake_timeout, std::move(options.log));
}

}  // namespace

std::shared_ptr<StreamSecurity> MakeTlsClientSecurity(TlsClientOptions options) {
  TlsConfig config{.role = TlsRole::kClient,
                   .roots = std::move(options.roots),
                   .revocation_lists = std::move(options.revocation_lists)};
  return MakeSecurity(std::move(config), std::move(options));
}

std::shared_ptr<StreamSecurity> MakeTlsServerSecurity(TlsServerOptions options) {
  TlsConfig config{.role = TlsRole::kServer,
                   .roots = std::move(options.client_roots),
                   .revocation_lists = std::move(options.client_revocation_lists),
                   .client_certificates = options.client_certificates};
  return MakeSecurity(std::move(config), std::move(options));
}

}  // namespace weir::transport
