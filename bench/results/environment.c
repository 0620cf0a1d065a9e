/* SPDX-License-Identifier: Apache-2.0 */
#include "environment.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <keyward/bytes.h>
#include <keyward/file.h>

enum { SMALL = 4096, LARGE = 4 << 20 /* cpuinfo of hundreds of CPUs */ };

static const char unknown[] = "unknown";

/* A file below root as a string with its NUL (kw_file_read leaves room for one). */
static bool slurp(const char *root, const char *name, size_t max,
                  struct kw_blob *ret_blob)
{
    char path[512];
    int n = snprintf(path, sizeof path, "%s/%s", root, name);
    return n > 0 && (size_t)n < sizeof path &&
           !kw_failed(kw_file_read(path, max, ret_blob, NULL));
}

/* Copies up to the end of the line, without blanks around it. */
static void copy_line(char *dst, size_t cap, const char *from)
{
    while (*from == ' ' || *from == '\t')
        from++;
    char line[256];
    size_t len = strcspn(from, "\n");
    while (len > 0 && isspace((unsigned char)from[len - 1]) != 0)
        len--;
    (void)kw_copy_str(line, sizeof line, kw_span_of(from, len));
    if (len > 0)
        kw_results_text(dst, cap, line);
}

/* The first line of a small file; dst as it is when there is none. */
static void first_line(const char *root, const char *name, char *dst, size_t cap)
{
    struct kw_blob b = {0};
    if (slurp(root, name, SMALL, &b) && b.len > 0)
        copy_line(dst, cap, (const char *)b.ptr);
    kw_blob_wipe(&b);
}

/* After "key   : " or "key=" at the beginning of a line; NULL when no line has it. */
static const char *value_of(const char *text, const char *key)
{
    const size_t len = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncmp(line, key, len) == 0) {
            const char *rest = line + len + strspn(line + len, " \t");
            if (*rest == ':' || *rest == '=')
                return rest + 1;
        }
        if (*line == '\0')
            break;
    }
    return NULL;
}

static unsigned count_of(const char *text, const char *key)
{
    unsigned count = 0;
    for (const char *at = value_of(text, key); at != NULL; at = value_of(at, key))
        count++;
    return count;
}

/* A word of the line at `from`. */
static bool line_has(const char *from, const char *word)
{
    const size_t line = strcspn(from, "\n"), len = strlen(word);
    for (const char *at = strstr(from, word); at != NULL && at < from + line;
         at = strstr(at + 1, word))
        if (at > from && at[-1] == ' ' &&
            (at[len] == ' ' || at[len] == '\n' || at[len] == '\0'))
            return true;
    return false;
}

/* What the machine calls itself, when it says that it is one in a machine. */
static void read_virtualisation(const char *root, const char *flags,
                                struct kw_environment *e)
{
    char vendor[24] = "", product[36] = "";
    if (flags == NULL)
        return;
    if (!line_has(flags, "hypervisor")) {
        (void)kw_copy_str(e->virtualisation, sizeof e->virtualisation,
                          kw_span_str("none"));
        return;
    }
    first_line(root, "sys/class/dmi/id/sys_vendor", vendor, sizeof vendor);
    first_line(root, "sys/class/dmi/id/product_name", product, sizeof product);
    snprintf(e->virtualisation, sizeof e->virtualisation, "%s%s%s",
             vendor[0] != '\0' ? vendor : "some hypervisor",
             product[0] != '\0' ? " " : "", product);
}

static void read_cpu(const char *root, struct kw_environment *e)
{
    struct kw_blob b = {0};
    if (slurp(root, "proc/cpuinfo", LARGE, &b)) {
        const char *text = (const char *)b.ptr, *model = value_of(text, "model name");
        if (model != NULL)
            copy_line(e->cpu, sizeof e->cpu, model);
        e->cpus = count_of(text, "processor");
        read_virtualisation(root, value_of(text, "flags"), e);
    }
    kw_blob_wipe(&b);
}

static void read_memory(const char *root, struct kw_environment *e)
{
    struct kw_blob b = {0};
    if (slurp(root, "proc/meminfo", SMALL * 4, &b)) {
        const char *total = value_of((const char *)b.ptr, "MemTotal");
        e->memory_kib = total != NULL ? strtoull(total, NULL, 10) : 0;
    }
    kw_blob_wipe(&b);
}

static void read_distribution(const char *root, struct kw_environment *e)
{
    struct kw_blob b = {0};
    if (slurp(root, "etc/os-release", SMALL * 4, &b)) {
        const char *name = value_of((const char *)b.ptr, "PRETTY_NAME");
        if (name != NULL)
            copy_line(e->distribution, sizeof e->distribution, name + strspn(name, "\""));
        e->distribution[strcspn(e->distribution, "\"")] = '\0';
    }
    kw_blob_wipe(&b);
}

#define UNKNOWN(field) ((void)kw_copy_str(field, sizeof(field), kw_span_str(unknown)))

void kw_environment_read(const char *root, struct kw_environment *ret_environment)
{
    struct kw_environment *e = ret_environment;
    char load[32] = "0";
    UNKNOWN(e->cpu);
    UNKNOWN(e->kernel);
    UNKNOWN(e->governor);
    UNKNOWN(e->virtualisation);
    UNKNOWN(e->distribution);
    UNKNOWN(e->commit);
    (void)kw_copy_str(e->build, sizeof e->build, kw_span_str(KW_BUILD_TYPE));
    read_cpu(root, e);
    read_memory(root, e);
    read_distribution(root, e);
    first_line(root, "proc/sys/kernel/osrelease", e->kernel, sizeof e->kernel);
    first_line(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", e->governor,
               sizeof e->governor);
    first_line(root, "proc/loadavg", load, sizeof load);
    e->load_1m = strtod(load, NULL);
}

static kw_err bad_note(struct kw_note *note, const char *text, const char *what)
{
    kw_note_set(note, "--note %s: %s", text, what);
    return kw_err_at(KW_CODE_BAD_INPUT, "note");
}

kw_err kw_environment_note(struct kw_environment *e, const char *text,
                           struct kw_note *note)
{
    struct kw_results_note n = {{0}, {0}};
    const char *equals = strchr(text, '=');
    if (equals == NULL ||
        !kw_copy_str(n.key, sizeof n.key, kw_span_of(text, (size_t)(equals - text))) ||
        !kw_results_is_name(n.key))
        return bad_note(note, text,
                        "it wants KEY=VALUE, the key of letters, digits and ._-");
    if (!kw_copy_str(n.value, sizeof n.value, kw_span_str(equals + 1)) ||
        !kw_is_text(kw_span_str(n.value)))
        return bad_note(note, text, "the value is text of at most 191 bytes");
    if (strcmp(n.key, "commit") == 0)
        return kw_copy_str(e->commit, sizeof e->commit, kw_span_str(n.value))
                   ? KW_OK
                   : bad_note(note, text, "a commit has at most 63 characters");
    for (size_t i = 0; i < e->note_count; i++)
        if (strcmp(e->note[i].key, n.key) == 0)
            return bad_note(note, text, "this key is given twice");
    if (e->note_count == KW_RESULTS_NOTES)
        return bad_note(note, text, "16 notes are the most");
    e->note[e->note_count++] = n;
    return KW_OK;
}

/* FNV-1a, with a border after each text. */
static uint64_t mixed(uint64_t hash, const char *text)
{
    const uint64_t prime = UINT64_C(0x100000001b3);
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * prime;
    return (hash ^ 0xff) * prime;
}

void kw_environment_fingerprint(const struct kw_environment *e, char ret_hex[17])
{
    char cpus[16];
    snprintf(cpus, sizeof cpus, "%u", e->cpus);
    uint64_t hash = mixed(UINT64_C(0xcbf29ce484222325), e->cpu);
    hash = mixed(mixed(mixed(hash, cpus), e->kernel), e->virtualisation);
    snprintf(ret_hex, 17, "%016llx", (unsigned long long)hash);
}
