// The table of all cases that a C++ interop client knows.
#pragma once

#include <span>
#include <string_view>

#include "tests/interop/cases/trial.h"

namespace weir::interop {

// What --test_case may name besides a single case: "all" is the official ones, "compression" those of them that
// compress, "features" is ours, "http2" those against a server that misbehaves.
enum class CaseGroup { kAll, kCompression, kFeatures, kHttp2 };

struct Case {
  std::string_view name;
  CaseGroup group;
  void (*run)(Trial&);
  std::string_view what;  // one line for the reader of the list
};

std::span<const Case> AllCases();

// Official unary cases (official_unary.cc).
void EmptyUnary(Trial& trial);
void CacheableUnary(Trial& trial);
void LargeUnary(Trial& trial);
void StatusCodeAndMessage(Trial& trial);
void SpecialStatusMessage(Trial& trial);
void UnimplementedMethod(Trial& trial);
void UnimplementedService(Trial& trial);
void CustomMetadata(Trial& trial);
void PickFirstUnary(Trial& trial);
void ConcurrentLargeUnary(Trial& trial);
void VeryLargeRequest(Trial& trial);

// Official streaming cases (official_streaming.cc).
void ClientStreaming(Trial& trial);
void ServerStreaming(Trial& trial);
void PingPong(Trial& trial);
void EmptyStream(Trial& trial);
void CancelAfterBegin(Trial& trial);
void CancelAfterFirstResponse(Trial& trial);
void TimeoutOnSleepingServer(Trial& trial);

// Cases over time (soak.cc).
void RpcSoak(Trial& trial);
void ChannelSoak(Trial& trial);
void LongLivedChannel(Trial& trial);

// Compression (compression.cc).
void ClientCompressedUnary(Trial& trial);
void ClientCompressedUnaryNoProbe(Trial& trial);
void ServerCompressedUnary(Trial& trial);
void ClientCompressedStreaming(Trial& trial);
void ClientCompressedStreamingNoProbe(Trial& trial);
void ServerCompressedStreaming(Trial& trial);

// Load reports (orca.cc).
void OrcaPerRpc(Trial& trial);
void OrcaOob(Trial& trial);

// Negative HTTP/2 (http2.cc).
void Goaway(Trial& trial);
void RstAfterHeader(Trial& trial);
void RstDuringData(Trial& trial);
void RstAfterData(Trial& trial);
void Ping(Trial& trial);
void MaxStreams(Trial& trial);
void DataFramePadding(Trial& trial);
void NoDataFramePaddingSanityTest(Trial& trial);

// Features: what each side sees of a call (feature_calls.cc).
void HalfDuplex(Trial& trial);
void DeadlineSeenByServer(Trial& trial);
void DeadlineCancelsHandler(Trial& trial);
void CancelSeenByHandler(Trial& trial);
void AllStatusCodes(Trial& trial);
void UnicodeStatus(Trial& trial);
void StatusWhileWriting(Trial& trial);
void MetadataToServer(Trial& trial);
void MetadataToClient(Trial& trial);
void MetadataWithError(Trial& trial);

// Features: sizes, numbers, back-pressure, draining (feature_load.cc).
void MessageAtLimit(Trial& trial);
void RequestAboveLimit(Trial& trial);
void ResponseAboveLimit(Trial& trial);
void ThousandStreams(Trial& trial);
void SlowReader(Trial& trial);
void UnreadCalls(Trial& trial);
void PushBackBothWays(Trial& trial);
void DrainInFlight(Trial& trial);

}  // namespace weir::interop
