/* SPDX-License-Identifier: Apache-2.0 */
/* The power goes at any moment: the log is opened again, its chain holds, and every record
 * whose commit had returned is there.  The images that a power cut may leave, and the same
 * on a disk that lies, which must be found out: else this test would say nothing. */
#include "logs.h"
#include "numbered.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "check.h"
#include "power_cut.h"

enum { IMAGES = 200 };

static const struct kw_audit_disk cut_disk = {.create = power_create,
                                              .write = power_write,
                                              .truncate = power_truncate,
                                              .sync = power_sync,
                                              .rename = power_rename,
                                              .remove = power_remove,
                                              .sync_folder = power_sync_folder};

static struct {
    unsigned images;
    /* How it goes: */
    bool lies;
    unsigned actions; /* from one power cut to the next */
    unsigned anew;    /* so many lives, then another log begins */
    unsigned fails;   /* one sync in so many; 0: none */
    char wrong[512];  /* what does not hold of an image, "" */
    char image[96], image_memory[96];
} power;

/* ---- does it hold of an image? ------------------------------------------------------------- */

/* It opens, goes on, and all is there. */
static bool power_holds(void)
{
    struct kw_audit_log *log = NULL;
    const struct logs mine = logs;
    snprintf(logs.dir, sizeof logs.dir, "%s", power.image);
    snprintf(logs.memory, sizeof logs.memory, "%s", power.image_memory);
    logs.disk = &kw_audit_disk_system;
    kw_err e = logs_open(&log);
    struct kw_audit_record more = {.kind = KW_AUDIT_STOP};
    more.value[KW_AUDIT_STOP_REASON] = kw_audit_text("more");
    const bool opens = !kw_failed(e) || numbered_is_not("is not opened", logs.note.text);
    if (opens)
        e = kw_audit_log_commit(log, &more, 1);
    kw_audit_log_close(log);
    logs = mine;
    return opens && (!kw_failed(e) || numbered_is_not("does not go on", e.where)) &&
           numbered_hold(power.image);
}

/* ---- images -------------------------------------------------------------------------------- */

static void power_take_image(const char *dir, const char *memory)
{
    struct kw_blob text = {0};
    power_image(dir);
    if (kw_failed(kw_file_read(logs.memory, 4096, &text, NULL)))
        return;
    CHECK_OK(kw_file_replace(memory, kw_blob_peek(&text), 0600, NULL));
    kw_blob_wipe(&text);
}

static void power_forget_image(void)
{
    struct dirent **found;
    const int count = scandir(power.image, &found, NULL, NULL);
    for (int i = 0; i < count; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", power.image, found[i]->d_name);
        (void)unlink(path);
        free(found[i]);
    }
    free(found);
    CHECK(rmdir(power.image) == 0);
    (void)unlink(power.image_memory);
}

static void power_on_step(void)
{
    if (power.images >= IMAGES || numbered.wrong[0] != '\0' || power_random(3) > 0)
        return;
    power_take_image(power.image, power.image_memory);
    power.images++;
    (void)power_holds();
    power_forget_image();
}

/* ---- lives --------------------------------------------------------------------------------- */

static kw_err power_act(void)
{
    switch (power_random(8)) {
    case 0: kw_audit_log_rotate(logs.log); return KW_OK;
    case 1: return numbered_remember(logs.log);
    default: return numbered_commit(logs.log, 1 + power_random(NUMBERED_BATCH));
    }
}

/* From one power cut to the next; what that leaves, in another folder, is where the next
 * life begins. */
static void power_live(const char *next)
{
    power_begin(logs.dir, power_on_step, power.lies);
    power_fail_syncs(power.fails);
    kw_err e = logs_open(&logs.log);
    for (unsigned i = 0; i < 4 && power.fails > 0 && e.code == KW_CODE_IO; i++)
        e = logs_open(&logs.log);
    for (unsigned i = 0; i < power.actions && !kw_failed(e) && numbered.wrong[0] == '\0';
         i++) {
        e = power_act();
        if (power.fails > 0 && e.code == KW_CODE_IO)
            e = KW_OK;
    }
    if (kw_failed(e) && numbered.wrong[0] == '\0')
        (void)numbered_is_not("a life ends", logs.note.text);
    power_image(next);
    numbered_cut();
    logs_close();
    power_end();
}

/* Another log, of which nothing is known. */
static void power_begin_anew(const char *dir)
{
    CHECK(mkdir(dir, 0750) == 0);
    (void)unlink(logs.memory);
    numbered_begin();
    numbered.is_lazy = logs.is_lazy;
}

static void power_lives(uint64_t seed)
{
    char first[sizeof logs.dir];
    power_seed(seed);
    snprintf(first, sizeof first, "%s", logs.dir);
    snprintf(power.image, sizeof power.image, "%s.image", first);
    snprintf(power.image_memory, sizeof power.image_memory, "%s.image", logs.memory);
    for (unsigned life = 0; power.images < IMAGES && numbered.wrong[0] == '\0'; life++) {
        char next[sizeof logs.dir];
        if (life % power.anew == power.anew - 1) {
            snprintf(logs.dir, sizeof logs.dir, "%.40s.new%u", first, life);
            power_begin_anew(logs.dir);
        }
        snprintf(next, sizeof next, "%.40s.%u", first, life);
        power_live(next);
        snprintf(logs.dir, sizeof logs.dir, "%s", next);
    }
}

static void begin(void)
{
    static struct kw_fake_clock fake;
    static struct kw_clock clock;
    fake = (struct kw_fake_clock){0};
    clock = kw_fake_clock(&fake);
    memset(&power, 0, sizeof power);
    numbered_begin();
    power.actions = 12;
    power.anew = 4;
    logs_begin();
    logs.clock = &clock;
    logs.disk = &cut_disk;
    logs.remembers = true;
    logs.machine = LOGS_MACHINE;
    logs.rotate_bytes = 24 * 1024;
}

static void power_has_held(void)
{
    if (numbered.wrong[0] != '\0')
        fail_msg("image %u: %s", power.images, numbered.wrong);
    assert_int_equal(power.images, IMAGES);
}

TEST(power_cut__at_any_moment__what_was_committed_is_there)
{
    power_lives(20261128);
    power_has_held();
}

TEST(power_cut__while_a_log_begins__it_can_be_begun_again)
{
    power.actions = 1;
    power.anew = 1;
    power_lives(20261129);
    power_has_held();
}

TEST(power_cut__on_a_disk_that_fails_now_and_then__what_was_committed_is_there)
{
    power.fails = 8;
    power_lives(20261130);
    power_has_held();
}

/* The last records may be missing, and none before them. */
TEST(power_cut__of_a_log_that_is_lazy__what_was_remembered_is_there)
{
    logs.is_lazy = numbered.is_lazy = true;
    power_lives(20261201);
    power_has_held();
}

TEST(power_cut__on_a_disk_that_lies__is_found_out)
{
    power.lies = true;
    power_lives(20261128);
    CHECK(numbered.wrong[0] != '\0');
}

KW_SUITE_AROUND("provider/audit/power", begin, logs_end)
