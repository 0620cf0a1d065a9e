/* SPDX-License-Identifier: Apache-2.0 */
/* Boots by their names, and ages that no set clock makes longer. */
#include <keyward/moment.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <keyward/bytes.h>

/* A sandbox may show processes and nothing else (systemd's ProcSubset=pid). */
void kw_boot_id(char dst[KW_BOOT_ID])
{
    char line[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : -1;
    if (fd >= 0)
        close(fd);
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (line[0] == '\0' || !kw_copy_str(dst, KW_BOOT_ID, kw_span_str(line)))
        kw_copy_str(dst, KW_BOOT_ID, kw_span_str(KW_BOOT_UNKNOWN));
}

bool kw_boot_is(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || strcmp(a, KW_BOOT_UNKNOWN) == 0 ||
           strcmp(b, KW_BOOT_UNKNOWN) == 0;
}

struct kw_moment kw_moment_now(const struct kw_clock *clock)
{
    struct kw_moment now = {.boot_ns = kw_boot_ns(clock), .wall_ns = kw_wall_ns(clock)};
    kw_boot_id(now.boot);
    return now;
}

/* Of what stands in a file: it may be anything. */
static int64_t difference(int64_t then, int64_t now)
{
    int64_t d;
    return __builtin_sub_overflow(now, then, &d) ? INT64_MAX : d;
}

int64_t kw_moment_age(const struct kw_moment *then, const struct kw_moment *now,
                      bool *ret_went_back)
{
    *ret_went_back = then->wall_ns > now->wall_ns;
    const int64_t wall = *ret_went_back ? 0 : difference(then->wall_ns, now->wall_ns);
    if (!kw_boot_is(then->boot, now->boot) || then->boot_ns > now->boot_ns)
        return wall;
    const int64_t boot = difference(then->boot_ns, now->boot_ns);
    return *ret_went_back || boot < wall ? boot : wall;
}
