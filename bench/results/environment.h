/* SPDX-License-Identifier: Apache-2.0 */
/* environment - where a run was measured: the machine, the system, this program
 *
 * Everything is read from below `root` ("" for this machine; tests have a folder of their
 * own): proc/cpuinfo, proc/meminfo, proc/loadavg, proc/sys/kernel, etc/os-release and
 * sys/.  What cannot be read is "unknown" or 0, never a guess.
 *
 * Threads:   any, each with its own struct.
 * Blocking:  on /proc, /sys and /etc.
 */
#ifndef KEYWARD_BENCH_ENVIRONMENT_H
#define KEYWARD_BENCH_ENVIRONMENT_H

#include "results.h"

/* The machine and the system; commit is "unknown", notes and libraries are left alone. */
void kw_environment_read(const char *root, struct kw_environment *ret_environment);

/* libraries.c: the versions of those libraries that this program has in: it asks each
 * one's own version function, when it is there. */
void kw_environment_libraries(struct kw_environment *e);

/* "KEY=VALUE"; commit=… is the environment's own member, everything else a note.
 * BAD_INPUT with a note: no name before =, given twice, too many, too long. */
KW_MUST_USE kw_err kw_environment_note(struct kw_environment *e, const char *text,
                                       struct kw_note *note);

/* 16 hex digits of cpu, cpus, kernel and virtualisation: figures of two machines are
 * never laid side by side as one. */
void kw_environment_fingerprint(const struct kw_environment *e, char ret_hex[17]);

#endif
