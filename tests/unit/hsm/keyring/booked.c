/* SPDX-License-Identifier: Apache-2.0 */
#include "booked.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct kw_fake_clock time_now;
static struct kw_clock fake;
struct kw_pin_book book;
struct kw_pin_owner me;
struct kw_note note;
char runtime[256];

void booked_begin(void)
{
    time_now.now_ns = KW_S_NS;
    fake = kw_fake_clock(&time_now);
    note.text[0] = '\0';
    snprintf(runtime, sizeof runtime, "%s", in_folder("run"));
    CHECK(mkdir(in_folder("state"), 0700) == 0 && mkdir(runtime, 0700) == 0);
    book = (struct kw_pin_book){.runtime = runtime, .clock = &fake};
    CHECK_OK(kw_state_open(in_folder("state"), &book.state, NULL));
    CHECK(kw_pin_owner_of(getpid(), &me));
}

static void remove_files(const char *folder_name)
{
    static const char *const names[] = {"pin-latch.json", "lock"};
    char path[320];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder_name, names[i]);
        (void)unlink(path);
    }
    CHECK(rmdir(folder_name) == 0); /* nothing else lies there */
}

void booked_end(void)
{
    kw_state_close(book.state);
    remove_files(in_folder("state"));
    remove_files(runtime);
    folder_gone();
}

struct kw_pin_facts facts(const char *serial, const char *label, char pin)
{
    struct kw_pin_facts f = {.mark = {.key_len = 8, .digest_len = 16}};
    kw_copy_str(f.serial, sizeof f.serial, kw_span_str(serial));
    kw_copy_str(f.label, sizeof f.label, kw_span_str(label));
    memset(f.mark.key, 'K', sizeof f.mark.key);
    memset(f.mark.digest, pin, sizeof f.mark.digest);
    return f;
}

enum kw_pin_word ask(const struct kw_pin_facts *f)
{
    struct kw_pin_verdict v;
    CHECK_OK(kw_pin_ask(&book, f, &me, &v, &note));
    return v.word;
}

void settled(const struct kw_pin_facts *f, enum kw_pin_end how)
{
    CHECK_OK(kw_pin_settled(&book, f, &me, how, "CKR_SO", &note));
}

struct kw_pin_record look(const struct kw_pin_facts *f)
{
    struct kw_pin_record r;
    CHECK_OK(kw_pin_look(&book, f->serial, f->label, &r, &note));
    return r;
}
