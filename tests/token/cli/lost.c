/* SPDX-License-Identifier: Apache-2.0 */
#include "lost.h"

#include <unistd.h>

#include <keyward/file.h>
#include <keyward/state.h>

struct lost lost;

struct kw_keyring *lost_load(const char *path)
{
    struct kw_keyring *ring = NULL;
    struct kw_note note = {{0}};
    if (kw_failed(kw_keyring_load(path, &ring, NULL, &note)))
        fail_msg("%s", note.text);
    return ring;
}

void lost_names(void)
{
    struct kw_keyring *ring = lost_load(lost.s.keyring);
    for (size_t i = 0; i < ring->count; i++)
        snprintf(lost.key_id[ring->versions[i].n], sizeof lost.key_id[0], "%s",
                 ring->versions[i].key_id);
    kw_keyring_give(ring);
}

void lost_begin(unsigned count, bool fault)
{
    if (fault) {
        site_make_fault(&lost.s);
        CHECK_OK(kw_file_replace(lost.s.calls, (kw_span){0}, 0666, NULL)); /* anybody's */
    } else {
        site_make(&lost.s);
    }
    KEYWARD_MUST(&lost.s, 0, "key", "create");
    snprintf(lost.backup, sizeof lost.backup, "%s/backup.json", lost.s.dir);
    snprintf(lost.sample, sizeof lost.sample, "%s/sample.json", lost.s.dir);
    if (count == 2)
        KEYWARD_MUST(&lost.s, 0, "key", "create");
    kw_run(&lost.s.run,
           (const char *const[]){"/bin/cp", lost.s.keyring, lost.backup, NULL});
    CHECK(lost.s.run.status == 0); /* before version 1 was accepted */
    KEYWARD_MUST(&lost.s, 0, "key", "accept", "1");
    KEYWARD_MUST(&lost.s, 0, "key", "activate", "1", "--only-copy");
    if (count == 2)
        KEYWARD_MUST(&lost.s, 0, "key", "accept", "2");
    lost_names();
}

void lost_take(bool last)
{
    struct kw_state_dir *dir = NULL;
    struct kw_keyring *ring = NULL;
    struct kw_blob bytes = {0};
    CHECK_OK(kw_keyring_load(lost.s.keyring, &ring, &bytes, NULL));
    CHECK_OK(kw_state_open(lost.s.state, &dir, NULL));
    CHECK_OK(kw_state_raise(dir, ring, 1, kw_moment_now(&kw_clock_system), NULL));
    if (last)
        CHECK_OK(kw_state_save_keyring(dir, kw_blob_peek(&bytes), NULL));
    kw_state_close(dir);
    kw_keyring_give(ring);
    kw_blob_wipe(&bytes);
}

void lost_lose(bool last)
{
    lost_take(last);
    CHECK(unlink(lost.s.keyring) == 0);
}

void lost_still(void)
{
    CHECK(access(lost.s.keyring, F_OK) != 0);
    HAS_NOT(lost.s.run.err, "--delete-object");
    HAS_NOT(lost.s.run.err, "in no keyring");
}

size_t lost_logins(void)
{
    size_t n = 0;
    char line[256];
    FILE *f = fopen(lost.s.calls, "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) != NULL)
        n += strncmp(line, "> C_Login ", 10) == 0;
    fclose(f);
    return n;
}

void lost_obey(const char *begins)
{
    char line[1024];
    const char *at = strstr(lost.s.run.err, begins);
    CHECK(at != NULL && sscanf(at, "%1000[^\n]", line) == 1);
    kw_run(&lost.s.run, (const char *const[]){"/bin/sh", "-c", line, NULL});
    if (lost.s.run.status != 0)
        fail_msg("%s: %s", line, lost.s.run.err);
}

void lost_back_up(struct kw_keyring *ring)
{
    struct kw_blob text = {0};
    CHECK_OK(kw_keyring_write(ring, &text));
    CHECK_OK(kw_file_replace(lost.backup, kw_blob_peek(&text), 0644, NULL));
    kw_blob_wipe(&text);
    kw_keyring_give(ring);
}

void lost_end(void)
{
    site_remove(&lost.s);
}
