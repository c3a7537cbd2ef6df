// grpc-go's interop client: the same flags, cases and output as the C++ clients (cases/client_main.cc).
//
//	client --server_host=127.0.0.1 --server_port=PORT --test_case=all
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// Groups of cases, as --test_case may name them, in the order in which they run.
var groups = []struct {
	name  string
	cases []testCase
}{{"all", officialCases}, {"compression", compressionCases}, {"features", featureCases}, {"http2", http2Cases}}

// selectCases: `names` is a comma separated list of cases and groups; `except` of those that are left out.
func selectCases(names, except string) []testCase {
	left := map[string]bool{}
	for _, name := range strings.Split(except, ",") {
		left[name] = true
	}
	var selected []testCase
	for _, name := range strings.Split(names, ",") {
		for _, group := range groups {
			for _, c := range group.cases {
				if (group.name == name || c.name == name) && !left[c.name] {
					selected = append(selected, c)
				}
			}
		}
	}
	return selected
}

func run(c testCase) bool {
	start := time.Now()
	err := withPeer(c.run)
	verdict := "PASS"
	if err != nil {
		verdict = "FAIL"
	}
	fmt.Printf("%s %-28s %6d ms\n", verdict, c.name, time.Since(start).Milliseconds())
	if err != nil {
		fmt.Printf("     %v\n", err)
	}
	return err == nil
}

func main() {
	names := flag.String("test_case", "large_unary", "cases, or the groups all, compression, features and http2")
	except := flag.String("except", "", "cases to leave out")
	flag.Parse()
	selected := selectCases(*names, *except)
	if len(selected) == 0 {
		fmt.Fprintf(os.Stderr, "--test_case: expected known cases, got %q\n", *names)
		os.Exit(2)
	}
	passed := 0
	for _, c := range selected {
		if run(c) {
			passed++
		}
	}
	fmt.Printf("go client: %d of %d cases passed\n", passed, len(selected))
	if passed != len(selected) {
		os.Exit(1)
	}
}
