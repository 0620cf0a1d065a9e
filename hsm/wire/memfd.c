/* SPDX-License-Identifier: Apache-2.0 */
/* Memory files for the brief and the page.
 *
 * Since Linux 6.3 a memfd says whether it may become executable; vm.memfd_noexec=1 answers
 * for whoever does not say, 2 refuses those (memfd_create(2)).  An older kernel refuses
 * the flag. */
#include "wire_internal.h"

#include <errno.h>
#include <sys/mman.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

int kw_wire_memfd(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd;
}
