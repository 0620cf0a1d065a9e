/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody reads this process' memory: no core file, no ptrace, no /proc/PID/mem of
 * ours. */
#include "worker_internal.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

kw_err kw_worker_confine(struct kw_note *note)
{
    const struct rlimit none = {0, 0};
    const char *call = setrlimit(RLIMIT_CORE, &none) != 0        ? "RLIMIT_CORE"
                       : prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ? "PR_SET_DUMPABLE"
                                                                 : NULL;
    if (call == NULL)
        return KW_OK;
    kw_note_set(note,
                "the kernel refuses %s: without it a PIN could end in a core file; a "
                "sandbox or a seccomp filter around keywardd must allow it",
                call);
    return kw_err_native(KW_CODE_IO, (uint32_t)errno, call);
}
