#!/bin/sh
# build.sh OUT: builds OUT/bin/client and OUT/bin/server, offline, against the Go libraries of Debian's packages.
# From the root of the workspace. Must not write anywhere but below OUT.
set -eu

out=$(mkdir -p "$1" && cd "$1" && pwd)
sources=$PWD/tests/interop/peers/go
stubs=$out/src/weir/pb

# generate PACKAGE PROTO...: stubs of .proto files without go_package, as the Go package weir/pb/PACKAGE.
generate() {
  package=$1
  shift
  rm -rf "$out/generated" "${stubs:?}/$package"
  mkdir -p "$out/generated" "$stubs/$package"
  protoc -I/usr/share/grpc-proto -I/usr/include -I. --go_out="plugins=grpc,import_path=weir/pb/$package,$imports:$out/generated" "$@"
  find "$out/generated" -name '*.go' -exec mv {} "$stubs/$package/" \;
}

imports=Mgrpc/testing/empty.proto=weir/pb/testing,Mgrpc/testing/messages.proto=weir/pb/testing
imports=$imports,Mtests/interop/cases/orca_load_report.proto=weir/pb/orcadata
imports=$imports,Mgoogle/protobuf/duration.proto=github.com/golang/protobuf/ptypes/duration
generate testing grpc/testing/empty.proto grpc/testing/messages.proto grpc/testing/test.proto
generate orcadata tests/interop/cases/orca_load_report.proto
generate features tests/interop/cases/features.proto
generate orcaservice tests/interop/cases/orca_service.proto

# Stale links of an earlier place of the checkout must not win.
rm -f "$out/src/weir/client" "$out/src/weir/server"
ln -s "$sources/client" "$sources/server" "$out/src/weir/"

export GO111MODULE=off GOPATH="$out:/usr/share/gocode" GOFLAGS='' GOCACHE="$out/cache"
go build -o "$out/bin/client" weir/client
go build -o "$out/bin/server" weir/server
