// A small OCI registry in memory that keeps account of referrers by itself, as
// the distribution project's does not: `referrers ADDRESS`. For tests.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: referrers ADDRESS")
		os.Exit(2)
	}
	handler := registry.New(
		registry.WithReferrersSupport(true),
		registry.Logger(log.New(io.Discard, "", 0)),
	)
	fmt.Fprintln(os.Stderr, "referrers:", http.ListenAndServe(os.Args[1], handler))
	os.Exit(1)
}
