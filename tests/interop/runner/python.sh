#!/bin/sh
# Runs a script with the system's python, which has grpcio: the PATH may lead to another one.
# From the root of the workspace or of the runfiles.
export PYTHONPATH=$PWD/tests/interop/runner:$PWD/tests/interop/tools
exec /usr/bin/python3 "$@"
