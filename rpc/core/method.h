// MethodSpec: what the framework knows of a method before it is called. Generated code holds one per method.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir {

enum class CallKind : uint8_t {
  kUnary,            // one message each way
  kClientStreaming,  // many requests, one response
  kServerStreaming,  // one request, many responses
  kBidiStreaming,    // many each way, independently
};

// Whose the characters of a path are.
enum class PathStorage : uint8_t {
  kStatic,  // they are always there
  kCaller,  // a call that needs them longer than its start has to copy them
};

struct MethodSpec {
  std::string_view path;  // "/package.Service/Method"
  CallKind kind = CallKind::kUnary;
  PathStorage storage = PathStorage::kStatic;

  // "package.Service" and "Method"; empty if `path` has not that form.
  constexpr std::string_view service() const {
    const size_t slash = LastSlash();
    return slash == 0 ? std::string_view() : path.substr(1, slash - 1);
  }
  constexpr std::string_view method() const {
    const size_t slash = LastSlash();
    return slash == 0 ? std::string_view() : path.substr(slash + 1);
  }

 private:
  // Position of the slash before the method; 0 if there is none.
  constexpr size_t LastSlash() const {
    if (path.empty() || path.front() != '/') return 0;
    return path.rfind('/');
  }
};

constexpr bool ClientStreams(CallKind kind) {
  return kind == CallKind::kClientStreaming || kind == CallKind::kBidiStreaming;
}
constexpr bool ServerStreams(CallKind kind) {
  return kind == CallKind::kServerStreaming || kind == CallKind::kBidiStreaming;
}

}  // namespace weir
