// What the servers on grpc++ have in common: options, the listening line, and the end by a signal.
#pragma once

#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace bench {

inline sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Before any thread is started, so that all inherit it.
inline void BlockEndSignals() {
  const sigset_t signals = EndSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

inline void WaitForEndSignal() {
  const sigset_t signals = EndSignals();
  int signal = 0;
  sigwait(&signals, &signal);
}

// Null, after saying why, if the port cannot be had.
inline std::unique_ptr<grpc::Server> StartServer(grpc::ServerBuilder& builder, int port) {
  int bound_port = 0;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(), &bound_port);
  builder.SetMaxReceiveMessageSize(-1);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || bound_port == 0) {
    std::fprintf(stderr, "cannot listen on 127.0.0.1:%d; choose another --port\n", port);
    return nullptr;
  }
  std::printf("listening on 127.0.0.1:%d\n", bound_port);
  std::fflush(stdout);
  return server;
}

// With `buffer_hint` all but the last message of a stream may wait in grpc++'s write buffer for the next one.
inline grpc::WriteOptions StreamWriteOptions(bool buffer_hint, uint32_t messages_left) {
  grpc::WriteOptions options;
  if (buffer_hint && messages_left > 0) options.set_buffer_hint();
  return options;
}

}  // namespace bench
