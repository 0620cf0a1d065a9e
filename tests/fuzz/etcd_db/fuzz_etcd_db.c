/* SPDX-License-Identifier: Apache-2.0 */
/* target: kw_etcd_db_open, kw_etcd_db_walk, kw_etcd_db_walk_unreachable.
 * Input: a file of etcd's backend, as it is, and once more with the checksums of its metas
 * mended, so that what they say is believed; attacker: whoever can write to a backup.
 * Useful maximum: 16 KiB, which is sixteen pages of the smallest size.
 * Claim: refuses, or ends; all bytes that both walks hand over stand in the file, each of
 * them is handed over at most once; pages are reachable or not; entries come in the order of
 * their revisions. */
#include <keyward/etcd_db.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { USEFUL = 16 * 1024, PAGE = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct told {
    size_t bytes; /* handed over */
    size_t size;  /* of the file */
    struct kw_etcd_revision last;
    bool has_last;
};

static void tell(struct told *t, size_t bytes)
{
    t->bytes += bytes;
    KW_INVARIANT(t->bytes <= t->size);
}

/* Read to the end: a span that ends outside of what was read is found by ASan. */
static void touch(kw_span s)
{
    static volatile uint8_t sum;
    for (size_t i = 0; i < s.len; i++)
        sum = (uint8_t)(sum ^ s.ptr[i]);
}

static kw_err on_entry(void *self, const struct kw_etcd_entry *e)
{
    struct told *t = self;
    touch(e->key);
    touch(e->value);
    tell(t, e->key.len + e->value.len);
    KW_INVARIANT(e->page * PAGE < t->size && e->key.len > 0);
    KW_INVARIANT(!e->is_tombstone || e->value.len == 0);
    if (e->place == KW_ETCD_UNREACHABLE)
        return KW_OK;
    const struct kw_etcd_revision r = e->revision;
    KW_INVARIANT(!t->has_last || r.main > t->last.main ||
                 (r.main == t->last.main && r.sub > t->last.sub));
    t->has_last = true;
    t->last = r;
    return KW_OK;
}

static kw_err on_unread(void *self, const struct kw_etcd_unread *u)
{
    touch(u->bytes);
    tell(self, u->bytes.len);
    KW_INVARIANT(u->why != NULL);
    return KW_OK;
}

static void on_progress(void *self, uint64_t pages, uint64_t of_pages)
{
    (void)self;
    KW_INVARIANT(pages <= of_pages);
}

static void try_file(const char *path, size_t size)
{
    struct kw_etcd_db *db = NULL;
    struct kw_etcd_db_info info;
    struct kw_note note = {""};
    struct told t = {.size = size};
    const struct kw_etcd_db_visitor v = {&t, on_entry, on_unread, on_progress};
    kw_err e = kw_etcd_db_open(path, &db, &note);
    if (kw_failed(e)) {
        KW_INVARIANT(e.code == KW_CODE_BAD_INPUT && note.text[0] != '\0' && db == NULL);
        return;
    }
    e = kw_etcd_db_walk(db, &v, &note);
    KW_INVARIANT(!kw_failed(e) || e.code == KW_CODE_BAD_INPUT);
    e = kw_etcd_db_walk_unreachable(db, &v, &note);
    KW_INVARIANT(!kw_failed(e));
    kw_etcd_db_look(db, &info);
    KW_INVARIANT(info.reachable + info.unreachable == info.pages && info.size == size);
    kw_etcd_db_close(db);
}

/* FNV-1a 64, as bbolt sums a meta. */
static void mend(uint8_t *page)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 16; i < 72; i++)
        sum = (sum ^ page[i]) * 1099511628211u;
    for (unsigned i = 0; i < 8; i++)
        page[72 + i] = (uint8_t)(sum >> (8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t file[USEFUL];
    static char path[32];
    static int fd = -1;
    if (fd < 0) {
        fd = memfd_create("fuzz", MFD_CLOEXEC);
        KW_MUST(fd >= 0);
        (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (len > USEFUL)
        return 0;
    if (len > 0)
        memcpy(file, data, len);
    KW_MUST(ftruncate(fd, (off_t)len) == 0);
    KW_MUST(pwrite(fd, file, len, 0) == (ssize_t)len);
    try_file(path, len);
    if (len < (size_t)2 * PAGE)
        return 0;
    mend(file);
    mend(file + PAGE);
    KW_MUST(pwrite(fd, file, (size_t)2 * PAGE, 0) == 2 * PAGE);
    try_file(path, len);
    return 0;
}
