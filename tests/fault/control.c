/* SPDX-License-Identifier: Apache-2.0 */
/* control - reads what the fault module shall do */
#include "fault.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RULES_MAX = 64, WAIT_MS = 10, DELAY_MAX = 1000000 };

struct rule {
    enum fault_fn fn;
    struct fault_order order;
    unsigned long skip, count; /* count 0: without end */
    unsigned long calls;
};

struct stamp {
    ino_t inode;
    off_t size;
    struct timespec mtime;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rule rules[RULES_MAX];
static unsigned rule_count;
static struct fault_settings settings;
static pid_t only;         /* 0 = all processes */
static struct stamp stamp; /* of what was read; all zero = no file */

static struct stamp look(void)
{
    struct stat st;
    const char *path = getenv("KW_FAULT_CONTROL");
    if (path == NULL || stat(path, &st) != 0)
        return (struct stamp){0};
    return (struct stamp){st.st_ino, st.st_size, st.st_mtim};
}

static bool same(const struct stamp *a, const struct stamp *b)
{
    return a->inode == b->inode && a->size == b->size &&
           a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* "name=value": the value, or NULL when the word is another one. */
static const char *value_of(const char *word, const char *name)
{
    size_t len = strlen(name);
    return strncmp(word, name, len) == 0 && word[len] == '=' ? word + len + 1 : NULL;
}

/* A control file with a mistake must not make a test pass: say it and die. */
_Noreturn static void mistake(const char *word)
{
    fprintf(stderr, "keyward-fault: control file: what is \"%s\"?\n", word);
    abort();
}

static unsigned long number(const char *text)
{
    char *end = NULL;
    unsigned long n = strtoul(text, &end, 0);
    if (end == text || (*end != '\0' && *end != ':'))
        mistake(text);
    return n;
}

/* Milliseconds, or microseconds when it says so. */
static unsigned long delay_us(const char *text)
{
    char *end = NULL;
    unsigned long n = strtoul(text, &end, 10);
    if (end == text || n > DELAY_MAX || (*end != '\0' && strcmp(end, "us") != 0))
        mistake(text);
    return *end == '\0' ? n * 1000 : n;
}

static void rule_word(struct rule *r, const char *word)
{
    const char *v;
    if ((v = value_of(word, "rv")) != NULL) {
        r->order.lie.has_rv = true;
        r->order.lie.rv = number(v);
    } else if ((v = value_of(word, "delay")) != NULL) {
        r->order.delay_us = delay_us(v);
    } else if ((v = value_of(word, "leak")) != NULL) {
        r->order.leak_mib = number(v);
    } else if ((v = value_of(word, "skip")) != NULL) {
        r->skip = number(v);
    } else if ((v = value_of(word, "count")) != NULL) {
        r->count = number(v);
    } else if (strcmp(word, "hang") == 0) {
        r->order.hang = true;
    } else if (strcmp(word, "crash") == 0) {
        r->order.crash = true;
    } else if (strcmp(word, "helper") == 0) {
        r->order.helper = true;
    } else if (strcmp(word, "daemon") == 0) {
        r->order.daemon = true;
    } else if (strcmp(word, "flip") == 0) {
        r->order.lie.flip = true;
    } else if (strcmp(word, "leave") == 0) {
        r->order.lie.leave = true;
    } else if (strcmp(word, "after") == 0) {
        r->order.lie.after = true;
    } else {
        mistake(word);
    }
}

static void list_add(struct fault_list *list, const char *text)
{
    const char *colon = strchr(text, ':');
    if (list->count == FAULT_LIST)
        mistake(text);
    list->type[list->count] = number(text);
    list->value[list->count++] = colon ? number(colon + 1) : 0;
}

static CK_FLAGS pin_flags(const char *text)
{
    CK_FLAGS flags = 0;
    if (strstr(text, "count-low") != NULL)
        flags |= CKF_USER_PIN_COUNT_LOW;
    if (strstr(text, "final-try") != NULL)
        flags |= CKF_USER_PIN_FINAL_TRY;
    if (strstr(text, "locked") != NULL)
        flags |= CKF_USER_PIN_LOCKED;
    if (flags == 0)
        mistake(text);
    return flags;
}

static void set_label(char dst[FAULT_LABEL], const char *text, size_t len)
{
    if (len == 0 || len >= FAULT_LABEL)
        mistake(text);
    snprintf(dst, FAULT_LABEL, "%.*s", (int)len, text);
}

static void set_pair(struct fault_pair *pair, const char *text)
{
    size_t len = strcspn(text, ":");
    if (text[len] == '\0')
        mistake(text);
    set_label(pair->label, text, len);
    set_label(pair->other, text + len + 1, strlen(text + len + 1));
}

static void setting(const char *word)
{
    const char *v;
    if ((v = value_of(word, "ivmode")) != NULL)
        settings.ivmode = (unsigned)number(v);
    else if ((v = value_of(word, "pinflags")) != NULL)
        settings.pinflags = pin_flags(v);
    else if ((v = value_of(word, "nomech")) != NULL)
        list_add(&settings.nomech, v);
    else if ((v = value_of(word, "noattr")) != NULL)
        list_add(&settings.noattr, v);
    else if ((v = value_of(word, "noread")) != NULL)
        list_add(&settings.noread, v);
    else if ((v = value_of(word, "fake")) != NULL)
        list_add(&settings.fake, v);
    else if ((v = value_of(word, "fakefor")) != NULL)
        set_label(settings.fakefor, v, strlen(v));
    else if ((v = value_of(word, "deadkey")) != NULL)
        set_label(settings.deadkey, v, strlen(v));
    else if ((v = value_of(word, "twin")) != NULL)
        set_pair(&settings.twin, v);
    else if ((v = value_of(word, "swap")) != NULL)
        set_pair(&settings.swap, v);
    else if ((v = value_of(word, "only")) != NULL)
        only = (pid_t)number(v);
    else if (strcmp(word, "nofind") == 0)
        settings.nofind = true;
    else if (strcmp(word, "emptyslots") == 0)
        settings.emptyslots = true;
    else if (strcmp(word, "nullcipher") == 0)
        settings.nullcipher = true;
    else if (strcmp(word, "othermaker") == 0)
        settings.othermaker = true;
    else
        mistake(word);
}

static enum fault_fn function_of(const char *word)
{
    unsigned fn = 0;
    while (fn < FAULT_COUNT && strcmp(word, fault_names[fn]) != 0)
        fn++;
    return (enum fault_fn)fn;
}

static void line(char *text)
{
    char *rest = NULL;
    text[strcspn(text, "#\n")] = '\0';
    const char *word = strtok_r(text, " \t", &rest);
    if (word == NULL)
        return;
    enum fault_fn fn = function_of(word);
    if (fn == FAULT_COUNT) {
        setting(word);
        return;
    }
    if (rule_count == RULES_MAX)
        mistake(word);
    struct rule *r = &rules[rule_count++];
    *r = (struct rule){.fn = fn};
    while ((word = strtok_r(NULL, " \t", &rest)) != NULL)
        rule_word(r, word);
}

static void read_all(void)
{
    char text[256];
    rule_count = 0;
    only = 0;
    settings = (struct fault_settings){0};
    const char *path = getenv("KW_FAULT_CONTROL");
    FILE *f = path != NULL ? fopen(path, "re") : NULL;
    if (f == NULL)
        return;
    while (fgets(text, sizeof text, f) != NULL)
        line(text);
    fclose(f);
    if (only != 0 && only != getpid()) {
        settings.nofind = false;
        settings.fake.count = 0;
        settings.twin = settings.swap = (struct fault_pair){{0}, {0}};
    }
}

void fault_control_refresh(void)
{
    struct stamp now = look(); /* before the lock, which all sessions want */
    pthread_mutex_lock(&lock);
    if (!same(&now, &stamp)) {
        now = look();
        if (!same(&now, &stamp))
            read_all();
        stamp = now;
    }
    pthread_mutex_unlock(&lock);
}

void fault_control_order(enum fault_fn fn, struct fault_order *ret_order)
{
    *ret_order = (struct fault_order){0};
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < rule_count; i++) {
        struct rule *r = &rules[i];
        if (r->fn != fn)
            continue;
        unsigned long call = r->calls++;
        if (call < r->skip || (r->count > 0 && call >= r->skip + r->count))
            continue;
        *ret_order = r->order;
        break;
    }
    pthread_mutex_unlock(&lock);
}

void fault_control_settings(struct fault_settings *ret_settings)
{
    pthread_mutex_lock(&lock);
    *ret_settings = settings;
    pthread_mutex_unlock(&lock);
}

void fault_control_wait_change(void)
{
    pthread_mutex_lock(&lock);
    struct stamp read = stamp;
    pthread_mutex_unlock(&lock);
    for (struct stamp now = look(); same(&now, &read); now = look())
        (void)poll(NULL, 0, WAIT_MS);
}

bool fault_list_has(const struct fault_list *list, CK_ULONG type, CK_ULONG *ret_value)
{
    for (unsigned i = 0; i < list->count; i++)
        if (list->type[i] == type) {
            if (ret_value != NULL)
                *ret_value = list->value[i];
            return true;
        }
    return false;
}
