/* SPDX-License-Identifier: Apache-2.0 */
/* 23: the audit log.  What was answered is on record, and both verifiers say that the record
 * is whole; when nothing can be put on record, nothing is answered. */
#include "acts.h"
#include "audited.h"
#include "load.h"
#include "run.h"

#include <signal.h>
#include <grp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/file.h>

static struct kw_client_reply reply, again;
static char dir[160];

/* As init wrote it, and more. */
static void with_audit(struct instance *h, const char *more)
{
    char block[80];
    snprintf(dir, sizeof dir, "%s/audit", h->dir);
    snprintf(block, sizeof block, "  on-failure: %s\n", more);
    instance_edit(h, "  on-failure: deny\n", block);
}

/* One that becomes ready while the daemon ends is a change behind the last words. */
static void up_with_both_workers(struct instance *h)
{
    size_t mark = instance_mark(h);
    instance_up(h);
    mark = instance_await(h, mark, NULL, "event=worker-ready", NULL);
    instance_await(h, mark, NULL, "event=worker-ready", NULL);
}

static unsigned lines_with(const char *what)
{
    return audited_lines(dir, what);
}

static void verified(struct instance *h, int want)
{
    audited_verify(h, dir, want);
}

/* It covers the stop, and the daemon's log has told it since the mark.  Between the two may
 * stand what a checkpoint says of the operators' log, when the stop was committed first. */
static void last_is_a_checkpoint(struct instance *h, size_t mark)
{
    const char *all = audited_text(dir);
    const char *stop = strstr(all, "\"kind\":\"stop\"");
    const char *checkpoint = stop != NULL ? strchr(stop, '\n') : NULL;
    const char *line_end = checkpoint != NULL ? strchr(checkpoint + 1, '\n') : NULL;
    char want[160];
    CHECK(line_end != NULL);
    const char *operators = strstr(checkpoint, "\"kind\":\"operator-log\"");
    if (operators != NULL && operators < line_end)
        checkpoint = line_end;
    CHECK(strchr(checkpoint + 1, '\n') == all + strlen(all) - 1);
    CHECK_HAS(checkpoint, "\"kind\":\"checkpoint\"");
    const char *head = strstr(checkpoint, "\"head\":\"");
    CHECK(head != NULL);
    snprintf(want, sizeof want, " head=%.64s ", head + 8);
    instance_await(h, mark, NULL, "event=audit-checkpoint", want, NULL);
}

TEST(calls__each_on_record_with_its_source_and_the_log_verifies)
{
    INSTANCE_AND_ARENA(h, NULL);
    with_audit(&h, "deny");
    up_with_both_workers(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, kw_span_str("0123456789abcdef0123456789abcdef"), &reply);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_OK(kw_client_decrypt(c, kw_span_of(reply.ciphertext, reply.ciphertext_len),
                                   kw_span_str(reply.key_id), "uid", 10 * KW_S_NS,
                                   &again));
        assert_int_equal(again.grpc_status, 0);
        kw_client_reply_wipe(&again);
    }
    kw_client_close(c);
    const char *text = audited_text(dir);
    CHECK_HAS(text, "\"kind\":\"genesis\"");
    CHECK_HAS(text, "\"kind\":\"start\"");
    CHECK_HAS(text, "\"event\":\"hsm-state\"");
    CHECK(lines_with("\"method\":\"encrypt\",\"class\":\"secrets\"") == 1);
    CHECK(lines_with("\"method\":\"decrypt\"") == 2);
    CHECK(lines_with("\"source\":\"cache\",\"code\":0,\"reason\":\"ok\"") == 1);
    CHECK(lines_with("\"source\":\"hsm\",\"code\":0,\"reason\":\"ok\"") == 2);
    CHECK(strstr(text, "0123456789abcdef0123456789abcdef") == NULL);
    size_t mark = instance_mark(&h);
    assert_int_equal(instance_stop(&h), 0);
    CHECK(lines_with("\"kind\":\"stop\",\"reason\":\"signal\"") == 1);
    last_is_a_checkpoint(&h, mark);
    verified(&h, 0);
    instance_destroy(&h);
}

/* What never came to kms: no valid message, and a client that had no time left. */
TEST(calls_that_rpc_refuses__on_record_with_their_peer)
{
    char peer[80];
    INSTANCE_AND_ARENA(h, NULL);
    with_audit(&h, "deny");
    instance_up(&h);
    struct kw_client *c = instance_client(&h, h.secrets);
    for (unsigned i = 0; i < 15; i++) {
        CHECK_OK(kw_client_raw(c, "/v2.KeyManagementService/Decrypt",
                               kw_span_str("no message"), 10 * KW_S_NS, NULL, &reply));
        assert_int_equal(reply.grpc_status, GRPC_INVALID_ARGUMENT);
    }
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    snprintf(peer, sizeof peer, "\"peer_pid\":%d,\"peer_start\":", (int)getpid());
    /* Ten of a second, and a number of the others. */
    const unsigned records = lines_with("\"source\":\"none\",\"code\":3,");
    CHECK(records >= 10 && records <= 15);
    CHECK(records == 15 ||
          lines_with("\"kind\":\"refused\",\"method\":\"decrypt\"") >= 1);
    CHECK(lines_with("\"request\":\"other:0:") == records);
    CHECK(lines_with(peer) >= records);
    verified(&h, 0);
    instance_destroy(&h);
}

TEST(restart_and_sighup__one_chain)
{
    INSTANCE_AND_ARENA(h, NULL);
    with_audit(&h, "deny");
    for (unsigned i = 0; i < 2; i++) {
        instance_up(&h);
        size_t mark = instance_mark(&h);
        instance_signal(&h, SIGHUP);
        instance_await(&h, mark, NULL, "event=keyring-unchanged", NULL);
        struct kw_client *c = instance_client(&h, h.secrets);
        instance_round_trip(c);
        kw_client_close(c);
        assert_int_equal(instance_stop(&h), 0);
    }
    CHECK(lines_with("\"kind\":\"file\"") == 2);
    CHECK(lines_with("\"kind\":\"start\"") == 2);
    verified(&h, 0);
    instance_destroy(&h);
}

/* The number behind this member of the status document, where it is first. */
static uint64_t counted(struct instance *h, const char *member)
{
    static char doc[65536];
    instance_status(h, doc, sizeof doc);
    const char *at = strstr(doc, member);
    CHECK(at != NULL);
    return strtoull(at + strlen(member), NULL, 10);
}

TEST(under_load__what_clients_got_is_on_record)
{
    struct load_counts counts;
    INSTANCE_AND_ARENA(h, NULL);
    with_audit(&h, "deny");
    instance_up(&h);
    struct load *load = load_start(h.secrets, 8);
    load_await(load, 200);
    load_stop(load, &counts);
    load_judge(&counts, 0);
    const uint64_t calls =
        counted(&h, "\"encrypt_calls\":") + counted(&h, "\"decrypt_calls\":");
    CHECK(calls > 0 && counted(&h, "\"unrecorded\":") == 0);
    assert_int_equal(instance_stop(&h), 0);
    assert_int_equal(lines_with("\"kind\":\"call\""), calls);
    verified(&h, 0);
    instance_destroy(&h);
}

/* From the first of several starts to whenever. */
static const char *since_its_first_start(void)
{
    static const char start[] = "\"kind\":\"start\"";
    static char period[80];
    const char *all = audited_text(dir), *at = strstr(all, start);
    CHECK(at != NULL && strstr(at + 1, start) != NULL);
    while (at > all && at[-1] != '\n')
        at--;
    at = strstr(at, "\"time\":\"");
    CHECK(at != NULL);
    snprintf(period, sizeof period, "%.27s..2199-12-31", at + strlen("\"time\":\""));
    return period;
}

TEST(killed__what_clients_got_is_on_record_and_the_next_start_goes_on)
{
    static char said[4096];
    struct load_counts counts;
    INSTANCE_AND_ARENA(h, NULL);
    with_audit(&h, "deny");
    instance_up(&h);
    struct load *load = load_start(h.secrets, 4);
    load_await(load, 40);
    instance_signal(&h, SIGKILL);
    instance_wait_end(&h);
    load_stop(load, &counts);
    unsigned long long answered = counts.by_status[0];
    /* Three of five calls in a round are Status. */
    CHECK(lines_with("\"code\":0,\"reason\":\"ok\"") >= answered * 2 / 5 - 8);
    instance_up(&h);
    CHECK(lines_with("\"kind\":\"start\"") == 2);
    assert_int_equal(instance_stop(&h), 0);
    assert_int_equal(instance_tool(&h, said, sizeof said, "audit", "verify", "--period",
                                   since_its_first_start(), dir, NULL),
                     4);
    CHECK_HAS(said, ": not covered, 1 gaps of "); /* between the two runs */
    instance_destroy(&h);
}

TEST(folder_is_missing_or_others_may_write__does_not_start)
{
    INSTANCE(h, NULL);
    with_audit(&h, "deny");
    CHECK(chmod(dir, 0777) == 0);
    size_t mark = instance_mark(&h);
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, "event=cannot-start", "not ours alone to write", NULL);
    assert_int_equal(instance_wait_end(&h), 1);
    char away[180];
    snprintf(away, sizeof away, "%s-away", dir);
    CHECK(rename(dir, away) == 0);
    mark = instance_mark(&h);
    instance_start(&h, NULL);
    instance_await(&h, mark, NULL, "event=cannot-start", "there is no folder", NULL);
    assert_int_equal(instance_wait_end(&h), 1);
    instance_destroy(&h);
}

/* ---- a disk that is full ------------------------------------------------------------- */

/* Where the kernel says EFBIG and sends no signal (setrlimit(2)). */
static void survive_limit(void *ctx)
{
    (void)ctx;
    signal(SIGXFSZ, SIG_IGN);
}

static void up_on_small_disk(struct instance *h, const char *more)
{
    with_audit(h, more);
    h->in_child = survive_limit;
    instance_up(h);
}

/* Files of the daemon may be so long from now on: said by a process of its uid, as root
 * need not be allowed to (prlimit(2), CAP_SYS_RESOURCE). */
static void give_room(const struct instance *h, rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 &&
            (setgroups(0, NULL) != 0 || setgid(h->uid) != 0 || setuid(h->uid) != 0))
            _exit(2);
        _exit(prlimit(h->daemon, RLIMIT_FSIZE, &limit, NULL) != 0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
}

static void fill_it(const struct instance *h)
{
    char path[200];
    struct stat st;
    snprintf(path, sizeof path, "%s/audit.jsonl", dir);
    CHECK(stat(path, &st) == 0);
    give_room(h, (rlim_t)st.st_size + 1000);
}

static int encrypt_status(struct kw_client *c)
{
    CHECK_OK(kw_client_encrypt(c, kw_span_str("a seed"), "uid", 10 * KW_S_NS, &reply));
    return reply.grpc_status;
}

TEST(disk_full__nothing_is_answered_until_there_is_room)
{
    INSTANCE_AND_ARENA(h, NULL);
    up_on_small_disk(&h, "deny");
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_encrypt(c, kw_span_str("a seed"), &reply);
    size_t mark = instance_mark(&h);
    fill_it(&h);
    while (encrypt_status(c) == 0)
        ;
    CHECK_HAS(reply.message, "the audit log cannot be written now");
    instance_await(&h, mark, NULL, "event=audit-failed", NULL);
    CHECK_OK(kw_client_status(c, 10 * KW_S_NS, &reply));
    assert_int_equal(reply.grpc_status, 14);
    CHECK_HAS(reply.message, "the audit log cannot be written now");
    give_room(&h, RLIM_INFINITY);
    instance_await(&h, mark, NULL, "event=audit-back", NULL);
    instance_encrypt(c, kw_span_str("a seed"), &reply);
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    CHECK(
        lines_with("\"kind\":\"unrecorded\",\"method\":\"encrypt\",\"class\":\"secrets\","
                   "\"code\":14,\"reason\":\"audit\"") >= 1);
    verified(&h, 4);
    instance_destroy(&h);
}

TEST(disk_full_where_that_is_allowed__answered_and_the_number_is_on_record)
{
    INSTANCE_AND_ARENA(h, NULL);
    up_on_small_disk(&h, "allow");
    struct kw_client *c = instance_client(&h, h.secrets);
    size_t mark = instance_mark(&h);
    fill_it(&h);
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(encrypt_status(c), 0);
    instance_await(&h, mark, NULL, "event=audit-failed", NULL);
    give_room(&h, RLIM_INFINITY);
    instance_await(&h, mark, NULL, "event=audit-back", NULL);
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    CHECK(
        lines_with("\"kind\":\"unrecorded\",\"method\":\"encrypt\",\"class\":\"secrets\","
                   "\"code\":0,\"reason\":\"ok\"") >= 1);
    verified(&h, 4);
    instance_destroy(&h);
}

/* ---- signed and anchored ----------------------------------------------------------- */

static char text[65536];

/* By both verifiers, with all that an auditor has. */
static void all_is_signed_and_anchored(struct instance *h)
{
    static const char second_verifier[] = KW_VECTORS "/verify-audit";
    static struct kw_run second;
    char key[160], anchors[160], whole[160];
    verified(h, 0); /* leaves them in one file */
    snprintf(key, sizeof key, "%s/audit.pem", h->dir);
    snprintf(anchors, sizeof anchors, "%s/anchors", h->dir);
    snprintf(whole, sizeof whole, "%s/whole", h->dir);
    assert_int_equal(instance_tool(h, text, sizeof text, "audit", "verify", "--key", key,
                                   "--anchors", anchors, whole, NULL),
                     0);
    CHECK_HAS(text, "sound, anchored up to ");
    CHECK_HAS(text, "signed     up to ");
    kw_run(&second, (const char *const[]){second_verifier, "--key", key, "--anchors",
                                          anchors, whole, NULL});
    assert_int_equal(second.status, 0);
    const char *period = since_its_first_start();
    assert_int_equal(instance_tool(h, text, sizeof text, "audit", "verify", "--key", key,
                                   "--anchors", anchors, "--period", period, whole, NULL),
                     0);
    CHECK_HAS(text, ": covered\nseconds    anchored ");
    assert_int_equal(instance_tool(h, text, sizeof text, "audit", "verify", "--key", key,
                                   "--period", period, whole, NULL),
                     0);
    CHECK_HAS(text, ": covered\nseconds    signed ");
}

TEST(key_in_the_token__all_is_signed_and_what_the_daemons_log_said_anchors_it)
{
    char line[AUDITED_KEY_LINE], anchors[160];
    INSTANCE_AND_ARENA(h, NULL);
    with_audit(&h, "deny");
    audited_sign(&h, line);
    for (unsigned i = 1; i <= 2; i++) {
        up_with_both_workers(&h);
        struct kw_client *c = instance_client(&h, h.secrets);
        instance_round_trip(c);
        kw_client_close(c);
        assert_int_equal(instance_stop(&h), 0);
        snprintf(anchors, sizeof anchors, "%s/anchors", h.dir);
        CHECK(audited_keep_anchors(&h, anchors) >= i);
        CHECK(lines_with("\"kind\":\"signature\"") == i);
    }
    all_is_signed_and_anchored(&h);
    instance_destroy(&h);
}

/* What the daemon's log says of the tool's anchors that one. */
TEST(operator_acts__the_next_checkpoint_speaks_of_it)
{
    static struct kw_run second;
    char anchors[160], operator_log[160];
    INSTANCE_AND_ARENA(h, NULL);
    with_audit(&h, "deny");
    up_with_both_workers(&h);
    assert_int_equal(instance_tool(&h, text, sizeof text, "quarantine", "clear", NULL),
                     0);
    struct kw_client *c = instance_client(&h, h.secrets);
    instance_round_trip(c);
    kw_client_close(c);
    assert_int_equal(instance_stop(&h), 0);
    verified(&h, 0);
    const char *all = audited_text(dir), *end = strstr(all, "\"kind\":\"operator-log\"");
    CHECK(end != NULL && (end = strchr(end, '\n')) != NULL);
    CHECK_HAS(end, "\"kind\":\"checkpoint\"");
    const char *feed = memrchr(all, '\n', (size_t)(end - all));
    CHECK(feed != NULL);
    snprintf(anchors, sizeof anchors, "%s/anchors", h.dir);
    CHECK_OK(kw_file_replace(anchors, kw_span_of(feed + 1, (size_t)(end - feed - 1)),
                             0644, NULL));
    snprintf(operator_log, sizeof operator_log, "%s/operator.jsonl", dir);
    assert_int_equal(instance_tool(&h, text, sizeof text, "audit", "verify", "--anchors",
                                   anchors, operator_log, NULL),
                     0);
    CHECK_HAS(text, "sound, anchored up to ");
    kw_run_line(&second, 0, KW_VECTORS "/verify-audit", "--anchors %s %s", anchors,
                operator_log);
    /* And where all that was shipped stands in one file, it is none of this log's. */
    snprintf(anchors, sizeof anchors, "%s/audit.jsonl", dir);
    assert_int_equal(instance_tool(&h, text, sizeof text, "audit", "verify", "--anchors",
                                   anchors, dir, NULL),
                     0);
    kw_run_line(&second, 0, KW_VECTORS "/verify-audit", "--anchors %s %s", anchors,
                anchors);
    instance_destroy(&h);
}

/* ---- copies in the system log ---------------------------------------------------------- */

static int system_log(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(kw_copy_str(at.sun_path, sizeof at.sun_path, kw_span_str(path)));
    CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
          chmod(path, 0666) == 0);
    return fd;
}

/* What came, in its order, each with a line feed instead of its head. */
static struct {
    int fd, pid;
    kw_dst lines;
    unsigned count;
} copies;

/* The next one; NULL: there is none now. */
static const char *copied(int flags)
{
    static char copy[1024 + 64];
    char head[48];
    const ssize_t n = recv(copies.fd, copy, sizeof copy - 2, flags);
    if (n < 0)
        return NULL;
    snprintf(head, sizeof head, "<86>keywardd-audit[%d]: ", copies.pid);
    copy[n] = '\n';
    copy[n + 1] = '\0';
    CHECK(strncmp(copy, head, strlen(head)) == 0);
    CHECK(kw_dst_put(&copies.lines, kw_span_str(copy + strlen(head))));
    copies.count++;
    return copy + strlen(head);
}

/* Each is a line of the log behind that of the one before; how many others there are. */
static unsigned lines_besides_copies(void)
{
    const char *line = audited_text(dir);
    kw_span left = kw_dst_span(&copies.lines);
    unsigned others = 0;
    for (size_t len; *line != '\0'; line += len) {
        len = strcspn(line, "\n") + 1;
        const bool is_next = left.len >= len && kw_span_equal(kw_span_of(left.ptr, len),
                                                              kw_span_of(line, len));
        left = is_next ? kw_span_of(left.ptr + len, left.len - len) : left;
        others += !is_next;
    }
    assert_int_equal(left.len, 0);
    return others;
}

static uint64_t sum_behind(const char *all, const char *event, const char *count)
{
    uint64_t sum = 0;
    for (const char *at = all; (at = strstr(at, event)) != NULL; at++) {
        const char *number = strstr(at, count);
        CHECK(number != NULL);
        sum += strtoull(number + strlen(count), NULL, 10);
    }
    return sum;
}

/* The system log is there only when the daemon is up: what came before is a number. */
TEST(copies__each_a_line_of_the_log__and_the_others_are_counted_on_record)
{
    static uint8_t room[1 << 18];
    char path[160], block[240];
    INSTANCE_AND_ARENA(h, NULL);
    with_audit(&h, "deny");
    snprintf(path, sizeof path, "%s/syslog", h.dir);
    snprintf(block, sizeof block, "  copies: all\n  copies-to: %s\n  durability: write\n",
             path);
    instance_edit(&h, "  copies: none\n", block);
    size_t mark = instance_mark(&h);
    up_with_both_workers(&h);
    instance_await(&h, mark, NULL, "level=warn",
                   "event=audit-copies-dropped count=", " err=io native=0x2 ", NULL);
    copies.fd = system_log(path);
    copies.pid = (int)h.daemon;
    copies.lines = kw_dst_of(room, sizeof room);
    struct kw_client *c = instance_client(&h, h.secrets);
    for (unsigned i = 0; i < 30; i++) {
        instance_encrypt(c, kw_span_str("a seed"), &reply);
        while (strstr(copied(0), "\"method\":\"encrypt\"") == NULL)
            ;
    }
    kw_client_close(c);
    CHECK(counted(&h, "\"copies_dropped\":") > 0);
    assert_int_equal(instance_stop(&h), 0);
    while (copied(MSG_DONTWAIT) != NULL)
        ;
    CHECK(close(copies.fd) == 0 && copies.count > 30);
    const unsigned others = lines_besides_copies();
    CHECK(others > 0);
    assert_int_equal(
        sum_behind(audited_text(dir), "\"event\":\"audit-copies-dropped\"", "\"count\":"),
        others);
    verified(&h, 0);
    instance_destroy(&h);
}

KW_SUITE("23-audit-log")
