// SPDX-License-Identifier: Apache-2.0

package conformance

import "syscall"

const (
	hangup  = syscall.SIGHUP
	stopped = syscall.SIGSTOP
	resumed = syscall.SIGCONT
	killed  = syscall.SIGKILL
)

func kill(pid int, s syscall.Signal) error { return syscall.Kill(pid, s) }
