// GenericService: serves every method that no other service of its server has, without knowing the types of messages.
//
//   class Recorder final : public weir::GenericService {
//     weir::Task<absl::Status> Call(weir::ServerContext& context, weir::Reader<weir::Bytes>& reader,
//                                   weir::Writer<weir::Bytes>& writer) override { ... }
//   };
//   server.AddService(recorder);
//
// context.method() is the path. On the wire the four kinds of call differ in the number of messages only, so one shape
// serves all: a client of a unary method writes one message and expects one, or a status that is not OK.
#pragma once

#include <span>

#include "absl/status/status.h"
#include "weir/rpc/core/task.h"
#include "weir/rpc/server/server_context.h"
#include "weir/rpc/server/service.h"
#include "weir/rpc/wire/bytes.h"
#include "weir/rpc/wire/messages.h"

namespace weir {

class GenericService : public Service {
 public:
  virtual Task<absl::Status> Call(ServerContext& context, Reader<Bytes>& reader, Writer<Bytes>& writer) = 0;

  std::span<const ServerMethod> methods() const final { return {}; }
  const ServerMethod* any_method() const final {
    static constexpr ServerMethod kAny = {MethodSpec{"", CallKind::kBidiStreaming}, &Serve<&GenericService::Call>};
    return &kAny;
  }
};

}  // namespace weir
