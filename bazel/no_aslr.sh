#!/bin/sh
# Runs a program without address space randomization where the system lets us. The sanitizers of clang 14 abort
# ("unexpected memory mapping") on kernels that randomize more bits than they knew of; newer clang does this by itself.
if setarch --addr-no-randomize true 2>/dev/null; then
  exec setarch --addr-no-randomize "$@"
fi
exec "$@"
