/* SPDX-License-Identifier: Apache-2.0 */
/* id_map - which user and group ids this process can tell apart (user_namespaces(7))
 *
 * In a user namespace every id that is not mapped reads as 65534, also in SO_PEERCRED.
 *
 * Threads:  any.
 */
#ifndef KEYWARD_LISTEN_ID_MAP_H
#define KEYWARD_LISTEN_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include <keyward/bytes.h>
#include <keyward/err.h>

/* `map` is the text of /proc/PID/uid_map; a line that is no three numbers maps nothing. */
bool kw_id_map_has(kw_span map, uint32_t id);

/* Is each of them in that file (/proc/self/uid_map, gid_map)?  A kernel without user
 * namespaces has no such file, and maps all.
 * DENIED  one is not; *note names it, `what` ("uid") and the remedy
 * IO      the file cannot be read; native = errno */
KW_MUST_USE kw_err kw_id_map_check(const char *path, const char *what,
                                   const uint32_t *ids, size_t count,
                                   struct kw_note *note);

#endif
