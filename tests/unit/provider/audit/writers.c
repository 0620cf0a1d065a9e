/* SPDX-License-Identifier: Apache-2.0 */
#include "writers.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/log.h>

#include "check.h"
#include "logs.h"

/* ---- the disk ---------------------------------------------------------------------- */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    bool hangs, is_full;
    unsigned failed, hanging;
    size_t room; /* what was kept, once it is given up */
    int error, full_error;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static int writers_sync(int fd)
{
    pthread_mutex_lock(&disk.mutex);
    disk.hanging++;
    pthread_cond_broadcast(&disk.moved);
    while (disk.hangs)
        pthread_cond_wait(&disk.moved, &disk.mutex);
    disk.hanging--;
    const int error = disk.error;
    disk.failed += error != 0;
    pthread_cond_broadcast(&disk.moved);
    pthread_mutex_unlock(&disk.mutex);
    errno = error;
    return error != 0 ? -1 : fdatasync(fd);
}

/* There is room again once what was kept is given up, and no more than that. */
static ssize_t writers_write(int fd, const void *bytes, size_t len)
{
    char reserve[128];
    snprintf(reserve, sizeof reserve, "%s/audit.reserve", logs.dir);
    pthread_mutex_lock(&disk.mutex);
    const bool is_full = disk.is_full && (access(reserve, F_OK) == 0 || len > disk.room);
    if (disk.is_full && !is_full)
        disk.room -= len;
    pthread_mutex_unlock(&disk.mutex);
    if (!is_full)
        return write(fd, bytes, len);
    errno = disk.full_error;
    return -1;
}

void writers_disk_is_full(int error)
{
    pthread_mutex_lock(&disk.mutex);
    disk.full_error = error;
    disk.is_full = true;
    disk.room = KW_AUDIT_RESERVE;
    pthread_mutex_unlock(&disk.mutex);
}

static struct kw_audit_disk seam;

void writers_disk_is(bool hangs, int error)
{
    pthread_mutex_lock(&disk.mutex);
    disk.hangs = hangs;
    disk.error = error;
    pthread_cond_broadcast(&disk.moved);
    pthread_mutex_unlock(&disk.mutex);
}

void writers_await_hang(void)
{
    pthread_mutex_lock(&disk.mutex);
    while (disk.hanging == 0)
        pthread_cond_wait(&disk.moved, &disk.mutex);
    pthread_mutex_unlock(&disk.mutex);
}

void writers_await_failure(void)
{
    pthread_mutex_lock(&disk.mutex);
    while (disk.failed == 0)
        pthread_cond_wait(&disk.moved, &disk.mutex);
    pthread_mutex_unlock(&disk.mutex);
}

/* ---- a clock that all threads may read --------------------------------------------- */

atomic_int_fast64_t writers_now_ns;

static int64_t clock_now(void *self)
{
    (void)self;
    return atomic_load(&writers_now_ns);
}
static const struct kw_clock a_clock = {clock_now, clock_now, clock_now, NULL};

/* ---- a writer, and who waits for it ------------------------------------------------ */

struct writers_call writers_calls[WRITERS_CALLS];
unsigned writers_told;
void (*writers_meanwhile)(void), (*writers_while_late)(void);
enum kw_code writers_late_as;
char writers_text[8 << 20];
struct kw_audit_copies *writers_copies;
bool writers_are_lazy;
struct kw_audit_writer *the_writer;
struct kw_audit_door the_door;

/* As kms does. */
static void answer_late(const struct kw_request *request)
{
    void (*const meanwhile)(void) = writers_while_late;
    writers_while_late = NULL;
    if (meanwhile != NULL)
        meanwhile();
    if (!kw_failed(request->err) && writers_late_as != KW_CODE_OK)
        the_door.ops->withhold_late(the_door.audit, writers_late_as);
}

static void on_told(struct kw_request *request, kw_err err, uint64_t seq)
{
    if (err.code == KW_CODE_DEADLINE)
        answer_late(request);
    const size_t i =
        (size_t)((uint8_t *)request - (uint8_t *)writers_calls) / sizeof writers_calls[0];
    writers_calls[i].told++;
    writers_calls[i].err = err;
    writers_calls[i].seq = seq;
    writers_told++;
}

static unsigned code_of(enum kw_code code)
{
    return code == KW_CODE_OK ? 0 : code == KW_CODE_BAD_INPUT ? 3 : 14;
}

static void serial_of(void *ctx, const char *token, char dst[KW_AUDIT_SERIAL])
{
    (void)ctx;
    void (*const meanwhile)(void) = writers_meanwhile;
    writers_meanwhile = NULL;
    if (meanwhile != NULL)
        meanwhile();
    kw_copy_str(dst, KW_AUDIT_SERIAL,
                kw_span_str(strcmp(token, "keyward") == 0 ? "195f" : ""));
}

static struct kw_audit_log *a_log(void)
{
    struct kw_audit_log *log = NULL;
    seam = kw_audit_disk_system;
    seam.sync = writers_sync;
    seam.write = writers_write;
    disk.is_full = false;
    logs_begin();
    logs.reserves = true;
    logs.is_lazy = writers_are_lazy;
    logs.clock = &a_clock;
    logs.disk = &seam;
    logs.keeps_lines = writers_copies != NULL;
    CHECK_OK(logs_open(&log));
    return log;
}

void writers_begin(bool allow)
{
    static const char *const names[] = {"secrets", "bulk"};
    kw_log_setup(STDERR_FILENO, KW_LOG_ERROR, KW_LOG_LOGFMT, &a_clock);
    atomic_store(&writers_now_ns, 10 * KW_S_NS); /* not yet time to remember */
    writers_disk_is(false, 0);
    memset(writers_calls, 0, sizeof writers_calls);
    writers_told = disk.failed = 0;
    writers_late_as = allow ? KW_CODE_OK : KW_CODE_AUDIT;
    const struct kw_audit_writer_options o = {.log = a_log(),
                                              .clock = &a_clock,
                                              .class_names = names,
                                              .class_count = 2,
                                              .deadline_ns = WRITERS_DEADLINE_NS,
                                              .allow = allow,
                                              .copies = writers_copies,
                                              .told = on_told,
                                              .grpc_code = code_of,
                                              .serial = serial_of};
    CHECK_OK(kw_audit_writer_new(&o, &the_writer));
    the_door = kw_audit_writer_door(the_writer);
}

void writers_remove(void)
{
    logs_end();
}

void writers_end(void)
{
    kw_audit_writer_abandon(the_writer);
    CHECK(kw_audit_writer_stop(the_writer, 10 * KW_S_NS));
    writers_remove();
}

const char *writers_log(void)
{
    static char names[16][64];
    const size_t files = logs_names(names);
    kw_dst dst = kw_dst_of(writers_text, sizeof writers_text - 1);
    for (size_t i = 0; i < files; i++) {
        struct kw_blob b = {0};
        CHECK_OK(kw_file_read(logs_path(names[i]), sizeof writers_text, &b, NULL));
        CHECK(kw_dst_put(&dst, kw_blob_peek(&b)));
        kw_blob_wipe(&b);
    }
    writers_text[kw_dst_span(&dst).len] = '\0';
    return writers_text;
}

bool writers_put(unsigned i, enum kw_code code)
{
    struct kw_request *q = &writers_calls[i].request;
    bool waits = false;
    *q = (struct kw_request){.method = KW_METHOD_DECRYPT,
                             .peer = {0, 0, 4711, 99},
                             .arrived_ns = atomic_load(&writers_now_ns),
                             .uid = kw_span_str(WRITERS_UUID),
                             .key_id = kw_span_str(WRITERS_KEY),
                             .ciphertext = kw_span_str("abc"),
                             .err = kw_err_at(code, code == KW_CODE_OK ? NULL : "here"),
                             .source = KW_SOURCE_HSM,
                             .token = "keyward"};
    CHECK_OK(the_door.ops->put(the_door.audit, q, &waits));
    return waits;
}

void writers_await_told(unsigned want)
{
    while (writers_told < want) {
        writers_await_round();
    }
}

bool writers_ill(void)
{
    return kw_failed(the_door.ops->health(the_door.audit));
}

void writers_await_end(void)
{
    struct pollfd p = {.fd = kw_audit_writer_fd(the_writer), .events = POLLIN};
    CHECK(poll(&p, 1, 30000) == 1);
}

void writers_await_round(void)
{
    writers_await_end();
    kw_audit_writer_collect(the_writer);
}
