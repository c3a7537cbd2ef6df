#!/bin/sh
# Runs a test so that its coverage profiles land in the test's own outputs (--config=cov).
export LLVM_PROFILE_FILE="${TEST_UNDECLARED_OUTPUTS_DIR:-/tmp}/%m-%p.profraw"
exec "$@"
