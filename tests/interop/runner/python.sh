#!/bin/sh
# Runs a script with the system's python, which has grpcio: the PATH may lead to another one.
exec /usr/bin/python3 "$@"
