/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/file.h>

#include "environment.h"

static char root[64];
static struct kw_environment e;
static struct kw_note note;

static void begin(void)
{
    snprintf(root, sizeof root, "/tmp/kw-machine-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
    e = (struct kw_environment){.cpus = 0};
    note = (struct kw_note){{0}};
}

static int away(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void end(void)
{
    CHECK(nftw(root, away, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

/* The file with its folders. */
static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *at = strchr(path + strlen(root) + 1, '/'); at != NULL;
         at = strchr(at + 1, '/')) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    CHECK_OK(kw_file_replace(path, kw_span_str(text), 0600, &note));
}

static void read__nothing_there__unknown(void **state)
{
    (void)state;
    begin();
    kw_environment_read(root, &e);
    CHECK_STR(e.cpu, "unknown");
    CHECK_STR(e.kernel, "unknown");
    CHECK_STR(e.governor, "unknown");
    CHECK_STR(e.virtualisation, "unknown");
    CHECK_STR(e.distribution, "unknown");
    CHECK_STR(e.commit, "unknown");
    CHECK(e.cpus == 0 && e.memory_kib == 0);
    end();
}

static void read__a_guest__all_members(void **state)
{
    (void)state;
    begin();
    put("proc/cpuinfo", "processor\t: 0\nmodel name\t: A CPU @ 2.00GHz\n"
                        "flags\t\t: fpu hypervisor lahf_lm\n\nprocessor\t: 1\n"
                        "model name\t: A CPU @ 2.00GHz\nflags\t\t: fpu hypervisor\n");
    put("proc/meminfo", "MemTotal:        4030048 kB\nMemFree: 1 kB\n");
    put("proc/loadavg", "0.25 0.5 0.75 1/100 4242\n");
    put("proc/sys/kernel/osrelease", "6.1.0\n");
    put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
    put("sys/class/dmi/id/sys_vendor", "Vendor \n");
    put("sys/class/dmi/id/product_name", "Engine\n");
    put("etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n");
    kw_environment_read(root, &e);
    CHECK_STR(e.cpu, "A CPU @ 2.00GHz");
    CHECK(e.cpus == 2);
    CHECK(e.memory_kib == 4030048);
    CHECK(e.load_1m > 0.24 && e.load_1m < 0.26);
    CHECK_STR(e.kernel, "6.1.0");
    CHECK_STR(e.governor, "performance");
    CHECK_STR(e.virtualisation, "Vendor Engine");
    CHECK_STR(e.distribution, "Debian GNU/Linux 12");
    end();
}

static void read__iron__no_virtualisation(void **state)
{
    (void)state;
    begin();
    put("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu nohypervisor hypervisory\n");
    kw_environment_read(root, &e);
    CHECK_STR(e.virtualisation, "none");
    put("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor\n");
    kw_environment_read(root, &e);
    CHECK_STR(e.virtualisation, "some hypervisor");
    end();
}

static void note__no_key_twice_or_too_long__refused(void **state)
{
    (void)state;
    char longer[256] = "k=";
    begin();
    for (size_t i = 2; i < 220; i++)
        longer[i] = 'x';
    CHECK_CODE(kw_environment_note(&e, "token", &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "--note token: it wants KEY=VALUE");
    CHECK_CODE(kw_environment_note(&e, "=x", &note), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_environment_note(&e, "a b=x", &note), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_environment_note(&e, longer, &note), KW_CODE_BAD_INPUT);
    CHECK_CODE(kw_environment_note(&e, "k=\xff", &note), KW_CODE_BAD_INPUT);
    CHECK_OK(kw_environment_note(&e, "k=", &note));
    CHECK_CODE(kw_environment_note(&e, "k=2", &note), KW_CODE_BAD_INPUT);
    CHECK_HAS(note.text, "given twice");
    CHECK(e.note_count == 1);
    end();
}

static void note__good_and_commit__kept(void **state)
{
    (void)state;
    char text[16];
    begin();
    CHECK_OK(kw_environment_note(&e, "commit=abc", &note));
    CHECK_STR(e.commit, "abc");
    for (int i = 0; i < KW_RESULTS_NOTES; i++) {
        snprintf(text, sizeof text, "k%d=a=b", i);
        CHECK_OK(kw_environment_note(&e, text, &note));
    }
    CHECK_STR(e.note[15].key, "k15");
    CHECK_STR(e.note[15].value, "a=b");
    CHECK_CODE(kw_environment_note(&e, "more=1", &note), KW_CODE_BAD_INPUT);
    end();
}

static void fingerprint__one_member_differs__another(void **state)
{
    (void)state;
    char a[17], b[17];
    begin();
    kw_environment_read(root, &e);
    kw_environment_fingerprint(&e, a);
    e.load_1m = 9; /* a mood, not the machine */
    kw_environment_fingerprint(&e, b);
    CHECK_STR(a, b);
    CHECK(strlen(a) == 16);
    e.cpus = 2;
    kw_environment_fingerprint(&e, b);
    CHECK(strcmp(a, b) != 0);
    end();
}

static void libraries__what_is_linked__with_a_version(void **state)
{
    (void)state;
    begin();
    kw_environment_libraries(&e);
    CHECK(e.library_count >= 2);
    CHECK_STR(e.library[0].key, "libc");
    for (size_t i = 0; i < e.library_count; i++)
        CHECK(strpbrk(e.library[i].value, "0123456789") != NULL);
    end();
}

KW_CASES("bench/results/environment", CASE(read__nothing_there__unknown),
         CASE(read__a_guest__all_members), CASE(read__iron__no_virtualisation),
         CASE(note__no_key_twice_or_too_long__refused), CASE(note__good_and_commit__kept),
         CASE(fingerprint__one_member_differs__another),
         CASE(libraries__what_is_linked__with_a_version))
