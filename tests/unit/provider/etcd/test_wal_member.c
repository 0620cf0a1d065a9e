/* SPDX-License-Identifier: Apache-2.0 */
/* What a member of etcd 3.4 wrote, cut short behind its last record. */
#include "check.h"
#include "wal_files.h"

TEST(walk__log_of_a_member__every_put)
{
    static const struct wal_files member = {KW_VECTORS "/etcd/member-3.4/wal"};
    static const struct {
        uint64_t index;
        const char *key, *value;
    } puts[] = {
        {5, "/registry/secrets/default/a", "plain text of a"},
        {6, "/registry/secrets/default/a", "k8s:enc:kms:v2:x:sealed"},
        {7, "/registry/secrets/default/b", "plain text of b"},
        {7, "/registry/secrets/default/b", "never stored"}, /* the other branch */
        {11, "again", "1"},
    };
    struct walked w;
    wal_files_walk_all(&member, &w);
    CHECK_OK(w.err);
    CHECK(w.puts == 5 && w.unread == 0);
    for (size_t i = 0; i < 5; i++)
        CHECK(walked_has(&w, i, puts[i].index, puts[i].key, puts[i].value));
    CHECK(w.info.is_gapless && w.info.entries == 11 && w.info.files == 1);
    CHECK(w.info.first_index == 1 && w.info.last_index == 11);
    CHECK(w.info.bytes == 1624 && w.seen == 1624);
}

KW_SUITE("provider/etcd/wal_member")
