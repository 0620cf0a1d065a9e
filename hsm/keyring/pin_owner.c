/* SPDX-License-Identifier: Apache-2.0 */
/* pin_owner - is the process that began a login still there?  By /proc (proc(5)) */
#include <keyward/pin_latch.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool read_line(const char *path, char *dst, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, dst, cap - 1) : -1;
    if (fd >= 0)
        close(fd);
    dst[n > 0 ? n : 0] = '\0';
    dst[strcspn(dst, "\n")] = '\0';
    return n > 0;
}

/* Behind the name, which may hold anything: state is field 3, the start field 22. */
static bool pin_owner_look(long pid, char *ret_state, uint64_t *ret_start)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    const char *rest = read_line(path, line, sizeof line) ? strrchr(line, ')') : NULL;
    return rest != NULL &&
           sscanf(rest,
                  ") %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                  "%*s %*s %" SCNu64,
                  ret_state, ret_start) == 2;
}

bool kw_pin_owner_of(pid_t pid, struct kw_pin_owner *ret_owner)
{
    struct kw_pin_owner owner = {.pid = (uint32_t)pid};
    char state;
    kw_boot_id(owner.boot);
    if (pid <= 0 || !pin_owner_look(pid, &state, &owner.start))
        return false;
    *ret_owner = owner;
    return true;
}

/* Where a sandbox hides the boot, number and start have to do. */
bool kw_pin_owner_lives(const struct kw_pin_owner *owner)
{
    char boot[KW_BOOT_ID], state;
    uint64_t start;
    kw_boot_id(boot);
    return owner->pid != 0 && kw_boot_is(boot, owner->boot) &&
           pin_owner_look(owner->pid, &state, &start) && start == owner->start &&
           state != 'Z' && state != 'X';
}
