/* SPDX-License-Identifier: Apache-2.0 */
#include "listen_rig.h"

#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer_limits.h"

TEST(nobody_is_listed__refused)
{
    struct rig r;
    rig_init(&r);
    r.options.uid_count = r.options.gid_count = 0;
    rig_open(&r);
    int fd = rig_connect(&r);
    RIG_UNTIL(&r, s.refused_peer == 1);
    CHECK(rig_is_closed(fd));
    CHECK(rig_stats(&r).waiting == 0);
    close(fd);
    rig_wipe(&r);
}

TEST(others_are_listed__refused)
{
    struct rig r;
    rig_init(&r);
    r.uids[0] = geteuid() + 1;
    r.gids[0] = 4000000001u;
    r.options.gid_count = 1;
    rig_open(&r);
    int fd = rig_connect(&r);
    RIG_UNTIL(&r, s.refused_peer == 1);
    CHECK(rig_is_closed(fd));
    close(fd);
    rig_wipe(&r);
}

TEST(own_gid_is_listed__allowed)
{
    struct rig r;
    rig_init(&r);
    r.options.uid_count = 0;
    r.gids[0] = getegid();
    r.options.gid_count = 1;
    rig_open(&r);
    int fd = rig_connect(&r);
    RIG_UNTIL(&r, s.waiting == 1);
    close(fd);
    rig_wipe(&r);
}

TEST(allowed_peer__handed_over__with_its_facts)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    int fd = rig_connect(&r);
    rig_say(fd, rig_preface);
    RIG_UNTIL(&r, s.handed_over == 1);
    assert_int_equal(r.peers[0].uid, geteuid());
    assert_int_equal(r.peers[0].gid, getegid());
    assert_int_equal(r.peers[0].pid, getpid());
    CHECK(r.peers[0].pid_start != 0 && r.peers[0].pid_start == kw_pid_start(getpid()));
    close(fd);
    rig_wipe(&r);
}

/* A child that became somebody else connects and goes. */
static pid_t connect_as(const struct rig *r, uid_t uid, gid_t gid, gid_t extra)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    if (setgroups(1, &extra) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
        _exit(2);
    close(rig_connect(r));
    _exit(0);
}

TEST(another_user__by_uid_gid_and_group__as_listed)
{
    static const struct {
        uid_t uid;
        gid_t gid, extra;
        bool allowed;
    } who[] = {
        {20001, 30009, 30009, true},  /* its uid is listed                    */
        {20002, 30001, 30009, true},  /* its group is                         */
        {20002, 30009, 30001, true},  /* one of its supplementary groups is   */
        {20002, 30009, 30008, false}, /* nothing of it is                     */
    };
    struct rig r;
    size_t refused = 0;
    kw_test_as_root();
    rig_init(&r);
    CHECK(chmod(r.dir, 0755) == 0);
    r.options.mode = 0666;
    r.uids[0] = 20001;
    r.gids[0] = 30001;
    r.options.gid_count = 1;
    rig_open(&r);
    for (size_t i = 0; i < sizeof who / sizeof who[0]; i++) {
        uint64_t before = rig_stats(&r).accepted;
        int status = 0;
        pid_t pid = connect_as(&r, who[i].uid, who[i].gid, who[i].extra);
        RIG_UNTIL(&r, s.accepted == before + 1);
        CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && status == 0);
        RIG_UNTIL(&r, s.waiting == 0);
        refused += !who[i].allowed;
        assert_int_equal(rig_stats(&r).refused_peer, refused);
        assert_int_equal(rig_stats(&r).refused_preface, i + 1 - refused);
    }
    rig_wipe(&r);
}

TEST(pid_start__odd_names__found)
{
    static const char tail[] = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20\n";
    static const char *const names[] = {"1 (sh)", "1 (a b)", "1 (x) S 9 9)", "1 (()"};
    char text[256];
    for (size_t i = 0; i < 4; i++) {
        kw_dst d = kw_dst_of(text, sizeof text);
        CHECK(kw_dst_put(&d, kw_span_str(names[i])) && kw_dst_put(&d, kw_span_str(tail)));
        assert_int_equal(kw_pid_start_parse(kw_dst_span(&d)), 777);
    }
}

TEST(pid_start__not_known__zero)
{
    assert_int_equal(kw_pid_start(0), 0);
    assert_int_equal(kw_pid_start(-1), 0);
    assert_int_equal(kw_pid_start_parse((kw_span){0}), 0);
    assert_int_equal(kw_pid_start_parse(kw_span_str("1 (cut) S 1 2")), 0);
    assert_int_equal(kw_pid_start_parse(kw_span_str("no name at all")), 0);
}

KW_CASES("provider/listen/peers", CASE(nobody_is_listed__refused),
         CASE(others_are_listed__refused), CASE(own_gid_is_listed__allowed),
         CASE(allowed_peer__handed_over__with_its_facts),
         CASE(another_user__by_uid_gid_and_group__as_listed),
         CASE(pid_start__odd_names__found), CASE(pid_start__not_known__zero))
