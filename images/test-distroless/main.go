// SPDX-License-Identifier: Apache-2.0

// Command hello is all that the distroless test image holds.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println("hello from an image without a shell, as user", os.Getuid())
}
