/* SPDX-License-Identifier: Apache-2.0 */
#include "listen_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "id_map.h"

static struct kw_note note;

static bool has(const char *map, uint32_t id)
{
    return kw_id_map_has(kw_span_str(map), id);
}

TEST(map__not_three_numbers__maps_nothing)
{
    static const char *const odd[] = {"",       "\n",        "0",       "0 0",
                                      "0 0 x",  "x 0 9",     "0 0 9 1", "-1 0 9",
                                      "0\t0 9", "0 0 9 ",    "0 0 9\r", "+0 0 9",
                                      "0 0 0",  "0,0,9\n\n", "0x0 0 9", "0 0 -1\n \n"};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        if (has(odd[i], 0))
            fail_msg("\"%s\" maps 0", odd[i]);
}

TEST(map__whole_machine__all)
{
    static const char whole[] = "         0          0 4294967295\n";
    CHECK(has(whole, 0) && has(whole, 1000) && has(whole, 4294967294U));
    CHECK(!has(whole, 4294967295U));
}

/* As PrivateUsers=yes makes it: root and the service's own. */
TEST(map__two_ids__these_alone)
{
    static const char two[] = "0 0 1\n995 995 1\n";
    CHECK(has(two, 0) && has(two, 995));
    CHECK(!has(two, 1) && !has(two, 994) && !has(two, 996) && !has(two, 65534));
}

/* What counts is how the id reads here. */
TEST(map__shifted__by_the_inside)
{
    static const char shifted[] = "0 100000 65536";
    CHECK(has(shifted, 0) && has(shifted, 65535));
    CHECK(!has(shifted, 65536) && !has(shifted, 100000));
}

static char path[64];

static void write_map(const char *text)
{
    snprintf(path, sizeof path, "/tmp/kw-map-XXXXXX");
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

TEST(check__one_without_a_name__denied_and_named)
{
    static const uint32_t ids[] = {0, 1000};
    write_map("0 0 1\n");
    CHECK_OK(kw_id_map_check(path, "uid", ids, 1, &note));
    kw_err e = kw_id_map_check(path, "uid", ids, 2, &note);
    CHECK(e.code == KW_CODE_DENIED);
    CHECK_HAS(note.text, "uid 1000");
    CHECK_HAS(note.text, "PrivateUsers=no");
    unlink(path);
    CHECK_OK(kw_id_map_check(path, "uid", ids, 2, &note)); /* no user namespaces */
    e = kw_id_map_check("/tmp", "uid", ids, 2, &note);
    CHECK(e.code == KW_CODE_IO && e.native == EISDIR);
}

TEST(check__hundreds_of_lines__the_last_counts)
{
    static char text[340 * 24];
    size_t len = 0;
    for (unsigned i = 0; i < 340; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%u %u 1\n", 2 * i, 2 * i);
    write_map(text);
    CHECK_OK(kw_id_map_check(path, "gid", (const uint32_t[]){678}, 1, &note));
    CHECK(kw_failed(kw_id_map_check(path, "gid", (const uint32_t[]){679}, 1, &note)));
    unlink(path);
}

KW_CASES("provider/listen/id_map", CASE(map__not_three_numbers__maps_nothing),
         CASE(map__whole_machine__all), CASE(map__two_ids__these_alone),
         CASE(map__shifted__by_the_inside),
         CASE(check__one_without_a_name__denied_and_named),
         CASE(check__hundreds_of_lines__the_last_counts))
