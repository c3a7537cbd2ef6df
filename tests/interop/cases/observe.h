// Watching a handler from outside: names for calls, and waiting until the server has seen their end.
#pragma once

#include <functional>
#include <string>

#include "tests/interop/cases/trial.h"

namespace weir::interop {

// A name that no other call of any client has.
std::string NewCallId();

// Asks the server until its handler of this call has returned; gives up after 10 s with the last answer.
Observation ObserveEnd(Trial& trial, const std::string& call_id);

// Asks the server until the number of messages sent has stood still for a while.
Observation ObserveStandstill(Trial& trial, const std::string& call_id);

}  // namespace weir::interop
