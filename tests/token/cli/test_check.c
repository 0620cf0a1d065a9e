/* SPDX-License-Identifier: Apache-2.0 */
#include "site.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <keyward/file.h>
#include <keyward/state.h>

static struct site s;

static void make_one(void)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "1");
    KEYWARD_MUST(&s, 0, "key", "activate", "1", "--second-copy", "opened on token B");
}

/* Where the audit log lies, as the daemon will find it. */
TEST(audit_log__missing_folder_or_open_to_others_or_none__told)
{
    char audit[160], away[170], text[4096];
    struct kw_blob yaml = {0};
    make_one();
    snprintf(audit, sizeof audit, "%s/audit", s.base);
    KEYWARD_MUST(&s, 0, "check", "--offline");
    CHECK_HAS(s.run.out, site_share_a_disk(audit, "/var/lib/etcd")
                             ? "audit is on the disk of /var/lib/etcd"
                             : "audit, uid ");
    CHECK(chmod(audit, 0777) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "chmod 0750 it");
    snprintf(away, sizeof away, "%s-away", audit);
    CHECK(rename(audit, away) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "install -d -m 0750");
    CHECK_OK(kw_file_read(s.config, sizeof text, &yaml, NULL));
    char *from = strstr((char *)yaml.ptr, "audit:\n"),
         *to = strstr((char *)yaml.ptr, "classes:\n");
    CHECK(from != NULL && to != NULL);
    snprintf(text, sizeof text, "%.*s%.*s", (int)(from - (char *)yaml.ptr),
             (char *)yaml.ptr, (int)(yaml.len - (size_t)(to - (char *)yaml.ptr)), to);
    CHECK_OK(kw_file_replace(s.config, kw_span_str(text), 0644, NULL));
    kw_blob_wipe(&yaml);
    KEYWARD_MUST(&s, 0, "check", "--offline");
    CHECK_HAS(s.run.out, "is put on record");
    site_remove(&s);
}

/* No start would take it. */
TEST(audit_memory__damaged__fails)
{
    char memory[170];
    make_one();
    snprintf(memory, sizeof memory, "%s/audit-memory.json", s.state);
    CHECK_OK(kw_file_replace(memory, kw_span_str("{}"), 0644, NULL));
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "it says how far the audit log went: put back a good copy");
    site_remove(&s);
}

TEST(all_well__zero_and_every_part_named)
{
    make_one();
    KEYWARD_MUST(&s, 0, "check");
    CHECK_HAS(s.run.out, "AES-GCM");
    CHECK_HAS(s.run.out, "check blob opens");
    CHECK_HAS(s.run.out, "files 0400, folders 0500");
    CHECK(strstr(s.run.out, "FAIL") == NULL);
    CHECK(site_sealed(s.tokens) >= 5); /* a look leaves the seal as it is */
    site_remove(&s);
}

TEST(json__the_findings_as_one_document)
{
    make_one();
    KEYWARD_MUST(&s, 0, "check", "--json");
    CHECK(s.run.out[0] == '{');
    CHECK_HAS(s.run.out, "\"ok\": true");
    CHECK_HAS(s.run.out, "\"name\": \"seal\"");
    CHECK_HAS(s.run.out, "\"result\": \"warn\""); /* environment: test */
    site_remove(&s);
}

static int unseal(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)at;
    return chmod(path, kind == FTW_D ? 0700 : 0600);
}

TEST(unsealed_token__sealed_with_a_warning)
{
    make_one();
    CHECK(nftw(s.tokens, unseal, 8, FTW_PHYS) == 0);
    KEYWARD_MUST(&s, 0, "check");
    CHECK_HAS(s.run.out, "warn  seal");
    CHECK_HAS(s.run.out, "0400");
    CHECK(site_sealed(s.tokens) >= 5);
    site_remove(&s);
}

TEST(the_keys_object_is_gone__fails_with_its_number)
{
    char aside[160];
    make_one();
    /* Another token in its place: the same label, and no key. */
    snprintf(aside, sizeof aside, "%s.aside", s.tokens);
    struct site other;
    site_make(&other);
    CHECK(chmod(s.tokens, 0700) == 0 && chmod(other.tokens, 0700) == 0);
    CHECK(rename(s.tokens, aside) == 0 && rename(other.tokens, s.tokens) == 0);
    CHECK(rename(other.pin, s.pin) == 0);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "FAIL  key 1");
    site_remove(&other);
    site_remove(&s);
}

TEST(the_keys_object__copyable_or_not_alone_or_exposed__fails_and_says_so)
{
    struct kw_keyring *ring = NULL;
    char control[160];
    site_make_fault(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "create");
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    KEYWARD_MUST(&s, 0, "check");
    snprintf(control, sizeof control, "twin=%s:%s\n", ring->versions[0].key_id,
             ring->versions[1].key_id);
    kw_keyring_give(ring);
    site_tell(&s, control);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "FAIL  key 1");
    CHECK_HAS(s.run.out, "has its label too");
    CHECK_HAS(s.run.out, "remove none of them before a backup");
    CHECK(strstr(s.run.out, "FAIL  key 2") == NULL);
    site_tell(&s, "fake=0x171:1\n");
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "CKA_COPYABLE is true");
    site_tell(&s, "fake=0x162:1\n");
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "CKA_EXTRACTABLE is true");
    site_remove(&s);
}

TEST(others_may_write_the_socket_folder__fails)
{
    char run[160];
    make_one();
    snprintf(run, sizeof run, "%s/run", s.base);
    CHECK(chmod(run, 0777) == 0);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "FAIL  socket folder");
    CHECK(chmod(run, 0755) == 0 && chmod(s.state, 0750) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "0750");
    site_remove(&s);
}

/* The key of what stands for the PIN lies there. */
TEST(runtime_folder_on_a_disk__a_warning)
{
    char status[160];
    site_make(&s);
    snprintf(status, sizeof status, "status: %s/run/status.sock", s.base);
    site_edit(&s, status, "status: /dev/shm/status.sock");
    KEYWARD_DO(&s, "check", "--offline");
    CHECK(strstr(s.run.out, "runtime folder") == NULL);
    site_edit(&s, "status: /dev/shm/", "status: /proc/"); /* never a tmpfs */
    KEYWARD_DO(&s, "check", "--offline");
    CHECK_HAS(s.run.out, "warn  runtime folder");
    CHECK_HAS(s.run.out, "/proc is on a disk");
    CHECK_HAS(s.run.out, "put the status socket on a tmpfs (/run)");
    site_remove(&s);
}

/* What the daemon will refuse, check finds: mode, owner and folders. */
TEST(others_may_change_configuration_or_keyring__fails)
{
    make_one();
    CHECK(chmod(s.config, 0646) == 0 && chmod(s.keyring, 0664) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "FAIL  config file");
    CHECK_HAS(s.run.out, "mode 0646 lets others change it");
    CHECK_HAS(s.run.out, "FAIL  keyring file");
    CHECK(chmod(s.config, 0644) == 0 && chmod(s.keyring, 0644) == 0);
    CHECK(chmod(s.base, 0775) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "mode 0775 lets others exchange");
    CHECK(chmod(s.base, 0755) == 0);
    if (geteuid() == 0) { /* only root can give files away */
        CHECK(chown(s.keyring, 12345, (gid_t)-1) == 0);
        KEYWARD_MUST(&s, 1, "check", "--offline");
        CHECK_HAS(s.run.out, "belongs to uid 12345");
        CHECK(chown(s.keyring, 0, (gid_t)-1) == 0);
    }
    KEYWARD_MUST(&s, 0, "check", "--offline");
    site_remove(&s);
}

TEST(too_little_locked_memory__a_warning_with_both_numbers)
{
    struct rlimit old, little;
    make_one();
    CHECK(getrlimit(RLIMIT_MEMLOCK, &old) == 0);
    little = (struct rlimit){(rlim_t)64 * 1024, old.rlim_max};
    CHECK(setrlimit(RLIMIT_MEMLOCK, &little) == 0);
    KEYWARD_MUST(&s, 0, "check", "--offline");
    CHECK(setrlimit(RLIMIT_MEMLOCK, &old) == 0);
    CHECK_HAS(s.run.out, "warn  locked memory");
    CHECK_HAS(s.run.out, geteuid() == 0 ? "; it is not running, and in this shell 64"
                                        : "; this user sees none running, and in this "
                                          "shell 64");
    CHECK_HAS(s.run.out, "LimitMEMLOCK=");
    site_remove(&s);
}

TEST(too_few_descriptors__a_warning_with_what_each_class_gets)
{
    const struct rlimit few = {400, 400};
    make_one();
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0); /* of this case's own process */
    KEYWARD_MUST(&s, 0, "check", "--offline");
    CHECK_HAS(s.run.out, "warn  descriptors");
    CHECK_HAS(s.run.out, "LimitNOFILE=");
    site_remove(&s);
}

TEST(configuration_for_root_alone__the_daemon_cannot_read_it)
{
    make_one();
    if (geteuid() == 0) {
        CHECK(chmod(s.config, 0600) == 0 && chmod(s.keyring, 0600) == 0);
        KEYWARD_MUST(&s, 1, "check", "--offline");
        CHECK_HAS(s.run.out, "FAIL  config file");
        CHECK_HAS(s.run.out, "FAIL  keyring file");
        CHECK_HAS(s.run.out, "uid 65534 cannot read it (mode 0600, of uid 0)");
    }
    site_remove(&s);
}

TEST(module_open_to_all_or_to_none__fails)
{
    char module[96];
    site_make_fault(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    snprintf(module, sizeof module, "%s/libfault.so", s.dir);
    CHECK(chmod(module, 0777) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "FAIL  module");
    CHECK_HAS(s.run.out, "mode 0777 lets others change it");
    CHECK(chmod(module, geteuid() == 0 ? 0700 : 0) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "cannot read it");
    CHECK(unlink(module) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "No such file or directory");
    site_remove(&s);
}

/* What others could have changed is neither loaded nor given a PIN. */
static void login_is_not_tried(void)
{
    site_forget_calls(&s);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "?     login              not tried");
    CHECK(strstr(s.run.out, "AES-GCM") == NULL);
    CHECK(!site_was_called(&s));
}

TEST(others_may_change_what_would_be_loaded__login_is_not_tried)
{
    char module[96];
    site_make_fault(&s);
    snprintf(module, sizeof module, "%s/libfault.so", s.dir);
    KEYWARD_MUST(&s, 0, "key", "create");
    CHECK(chmod(module, 0777) == 0);
    login_is_not_tried();
    CHECK(chmod(module, 0755) == 0);
    KEYWARD_MUST(&s, 0, "check");
    CHECK(chmod(s.dir, 0777) == 0);
    login_is_not_tried();
    CHECK(chmod(s.dir, 0755) == 0);
    KEYWARD_MUST(&s, 0, "check");
    CHECK(nftw(s.tokens, unseal, 8, FTW_PHYS) == 0);
    CHECK(chmod(s.config, 0666) == 0);
    login_is_not_tried();
    CHECK_HAS(s.run.out, "?     seal               not looked at");
    CHECK(!site_is_sealed(s.tokens));
    CHECK(chmod(s.config, 0644) == 0);
    KEYWARD_MUST(&s, 0, "check");
    CHECK(site_is_sealed(s.tokens));
    site_remove(&s);
}

TEST(folders_above__passable_and_for_nobody_else_to_write)
{
    char want[128];
    make_one();
    KEYWARD_MUST(&s, 0, "check", "--offline");
    CHECK(chmod(s.dir, 0777) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    snprintf(want, sizeof want, "FAIL  folder             %s: mode 0777", s.dir);
    CHECK_HAS(s.run.out, want);
    CHECK(strstr(strstr(s.run.out, want) + 1, want) == NULL); /* once for all its files */
    if (geteuid() == 0) {
        CHECK(chmod(s.dir, 0700) == 0);
        KEYWARD_MUST(&s, 1, "check", "--offline");
        snprintf(want, sizeof want, "%s: uid 65534 cannot pass this folder", s.dir);
        CHECK_HAS(s.run.out, want);
    }
    CHECK(chmod(s.dir, 0755) == 0);
    site_remove(&s);
}

/* As after a reboot, before the service makes it. */
TEST(socket_folder_not_there__told_once)
{
    char run[160], pin_key[176];
    make_one();
    snprintf(run, sizeof run, "%s/run", s.base);
    snprintf(pin_key, sizeof pin_key, "%s/pin-key", run);
    CHECK(unlink(pin_key) == 0);
    CHECK(rmdir(run) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "FAIL  socket folder");
    CHECK_HAS(s.run.out, "RuntimeDirectory=keyward");
    CHECK(strstr(s.run.out, "FAIL  folder") == NULL);
    site_remove(&s);
}

/* Whose it was is not known then: no folder is called somebody else's. */
TEST(no_state_directory__only_that_is_told)
{
    char away[160], again[256];
    make_one();
    snprintf(away, sizeof away, "%s.away", s.state);
    CHECK(rename(s.state, away) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK(strstr(s.run.out, "FAIL  folder") == NULL);
    CHECK(strstr(s.run.out, "chown") == NULL);
    snprintf(again, sizeof again, "-> keyward state create --config %s\n", s.config);
    CHECK_HAS(s.run.out, again);
    CHECK(rename(away, s.state) == 0);
    site_remove(&s);
}

TEST(state_read_only_or_full__fails)
{
    struct rlimit old, little;
    make_one();
    KEYWARD_MUST(&s, 0, "check", "--offline");
    CHECK_HAS(s.run.out, "can be written");
    CHECK(chmod(s.state, 0500) == 0);
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "FAIL  state");
    CHECK_HAS(s.run.out, "Permission denied");
    CHECK(chmod(s.state, 0700) == 0);
    CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0); /* full, as far as a write can tell */
    little = (struct rlimit){8192, old.rlim_max};
    CHECK(setrlimit(RLIMIT_FSIZE, &little) == 0);
    int status = KEYWARD_DO(&s, "check", "--offline");
    CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK(status == 1);
    CHECK_HAS(s.run.out, "FAIL  state");
    CHECK_HAS(s.run.out, "File too large");
    KEYWARD_MUST(&s, 0, "check", "--offline");
    site_remove(&s);
}

TEST(ordinary_user__told_who_may_look_and_given_nothing)
{
    char copy[96];
    struct kw_blob program = {0};
    make_one();
    if (geteuid() == 0) {
        snprintf(copy, sizeof copy, "%s/keyward", s.dir);
        CHECK_OK(kw_file_read(KEYWARD, 256u << 20, &program, NULL));
        CHECK_OK(kw_file_replace(copy, kw_blob_peek(&program), 0755, NULL));
        kw_blob_wipe(&program);
        kw_run(&s.run, (const char *const[]){"/usr/bin/setpriv", "--reuid=1", "--regid=1",
                                             "--clear-groups", copy, "check", "--config",
                                             s.config, NULL});
        CHECK(s.run.status == 3);
        CHECK_HAS(s.run.out, "?     user");
        CHECK_HAS(s.run.out, "this is uid 1, and keywardd's user is uid 65534");
        CHECK_HAS(s.run.out, "as root");
        CHECK(strstr(s.run.out, "chown") == NULL && strstr(s.run.err, "chown") == NULL);
        CHECK(strstr(s.run.out, "FAIL") == NULL);
        kw_run(&s.run, (const char *const[]){"/usr/bin/setpriv", "--reuid=1", "--regid=1",
                                             "--clear-groups", copy, "key", "list",
                                             "--config", s.config, NULL});
        CHECK(strstr(s.run.err, "chown") == NULL);
        CHECK_HAS(s.run.err, "run keyward as root");
    }
    site_remove(&s);
}

/* The keyring's own member, in its own shape. */
static void set_created(const char *time)
{
    static char text[65536];
    struct kw_blob file = {0};
    CHECK_OK(kw_file_read(s.keyring, sizeof text - 1, &file, NULL));
    snprintf(text, sizeof text, "%.*s", (int)file.len, (const char *)file.ptr);
    kw_blob_wipe(&file);
    char *at = strstr(text, "\"created\": \"");
    CHECK(at != NULL && at[strlen("\"created\": \"") + strlen(time)] == '"');
    for (size_t i = 0; i < strlen(time); i++)
        at[strlen("\"created\": \"") + i] = time[i];
    CHECK_OK(kw_file_replace(s.keyring, kw_span_str(text), 0644, NULL));
}

TEST(clock_was_wrong_at_the_ceremony__a_warning)
{
    make_one();
    KEYWARD_MUST(&s, 0, "check", "--offline");
    CHECK_HAS(s.run.out, "ok    times");
    set_created("2999-01-01T00:00:00.000000Z");
    (void)KEYWARD_DO(&s, "check", "--offline");
    CHECK_HAS(s.run.out, "warn  times");
    CHECK_HAS(s.run.out,
              "version 1: created 2999-01-01T00:00:00.000000Z is in the future");
    site_remove(&s);
}

/* Like keywardd: answers on the status socket with its own number, once.  As root it is
 * the daemon's user. */
static _Noreturn void answer_once(rlim_t locked, int ready)
{
    const struct rlimit limit = {locked, locked};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char text[64];
    snprintf(at.sun_path, sizeof at.sun_path, "%s/run/status.sock", s.base);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
        (geteuid() == 0 &&
         (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) ||
        fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 ||
        listen(fd, 1) != 0 || write(ready, "r", 1) != 1)
        _exit(100);
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    int len = snprintf(text, sizeof text, "{\"pid\": %d}", (int)getpid());
    /* The name goes first: whoever has the answer may end this process and bind anew. */
    bool ok =
        peer >= 0 && unlink(at.sun_path) == 0 && write(peer, text, (size_t)len) == len;
    close(peer);
    close(fd);
    if (ok)
        pause(); /* its limits are read now; a signal ends it */
    _exit(101);
}

static void check_beside_a_daemon(rlim_t locked, int want)
{
    int ready[2], status = 0;
    char byte;
    CHECK(pipe2(ready, O_CLOEXEC) == 0);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        answer_once(locked, ready[1]);
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    int got = KEYWARD_DO(&s, "check", "--offline");
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFSIGNALED(status)); /* it had answered */
    if (got != want)
        fail_msg("exit status %d\n%s", got, s.run.out);
}

TEST(daemon_is_running__its_limit_counts_not_the_shells)
{
    struct rlimit old, little;
    make_one();
    check_beside_a_daemon((rlim_t)64 * 1024, 1);
    CHECK_HAS(s.run.out, "FAIL  locked memory");
    CHECK_HAS(s.run.out, "may lock 64 KiB");
    CHECK(getrlimit(RLIMIT_MEMLOCK, &old) == 0);
    rlim_t enough = old.rlim_max < 8u << 20 ? old.rlim_max : 8u << 20;
    little = (struct rlimit){(rlim_t)64 * 1024, old.rlim_max};
    CHECK(setrlimit(RLIMIT_MEMLOCK, &little) == 0);
    check_beside_a_daemon(enough, 0);
    CHECK(setrlimit(RLIMIT_MEMLOCK, &old) == 0);
    CHECK_HAS(s.run.out, "ok    locked memory");
    CHECK_HAS(s.run.out, "the running one, pid");
    site_remove(&s);
}

/* The 1024 and 4096 seeds of the two caches, and 4 MiB for calls: no byte more is locked. */
TEST(daemon_may_lock_just_what_it_locks__enough_and_a_page_less_is_not)
{
    const rlim_t locked = ((rlim_t)4 << 20) + (rlim_t)(1024 + 4096) * KW_SEED_MAX,
                 page = (rlim_t)sysconf(_SC_PAGESIZE);
    make_one();
    check_beside_a_daemon(locked, 0);
    CHECK_HAS(s.run.out, "keywardd locks 5376 KiB");
    check_beside_a_daemon(locked - page, 1);
    CHECK_HAS(s.run.out, "FAIL  locked memory");
    site_remove(&s);
}

TEST(no_version_active__a_warning)
{
    site_make(&s);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "check", "--offline");
    CHECK_HAS(s.run.out, "warn  baseline");
    CHECK(strstr(s.run.out, "login") == NULL);
    site_remove(&s);
}

TEST(no_keyring__fails)
{
    site_make(&s);
    KEYWARD_MUST(&s, 1, "check");
    CHECK_HAS(s.run.out, "FAIL  keyring");
    CHECK_HAS(s.run.out, "keyward key create --config ");
    KEYWARD_MUST(&s, 0, "key", "list");
    CHECK_HAS(s.run.out, "no keyring yet: ");
    CHECK_HAS(s.run.out, "\n  keyward key create --config ");
    site_remove(&s);
}

/* As the daemon does when it takes a keyring into use. */
static void raise_marks(void)
{
    struct kw_state_dir *dir = NULL;
    struct kw_keyring *ring = NULL;
    CHECK_OK(kw_keyring_load(s.keyring, &ring, NULL, NULL));
    CHECK_OK(kw_state_open(s.state, &dir, NULL));
    CHECK_OK(
        kw_state_raise(dir, ring, ring->active, kw_moment_now(&kw_clock_system), NULL));
    kw_state_close(dir);
    kw_keyring_give(ring);
}

TEST(keyring_older_than_this_node_has_seen__fails)
{
    char old[160];
    make_one();
    snprintf(old, sizeof old, "%s.old", s.keyring);
    CHECK(link(s.keyring, old) == 0);
    KEYWARD_MUST(&s, 0, "key", "create");
    KEYWARD_MUST(&s, 0, "key", "accept", "2");
    KEYWARD_MUST(&s, 0, "key", "activate", "2", "--only-copy", "--now", "--baseline");
    raise_marks();
    KEYWARD_MUST(&s, 0, "key", "list");
    CHECK(rename(old, s.keyring) == 0);
    KEYWARD_MUST(&s, 1, "key", "list");
    CHECK_HAS(s.run.err, "an older file was put back");
    KEYWARD_MUST(&s, 1, "check", "--offline");
    CHECK_HAS(s.run.out, "FAIL  state marks");
    site_remove(&s);
}

KW_CASES("token/cli/check", CASE(all_well__zero_and_every_part_named),
         CASE(audit_log__missing_folder_or_open_to_others_or_none__told),
         CASE(audit_memory__damaged__fails), CASE(json__the_findings_as_one_document),
         CASE(unsealed_token__sealed_with_a_warning),
         CASE(the_keys_object_is_gone__fails_with_its_number),
         CASE(the_keys_object__copyable_or_not_alone_or_exposed__fails_and_says_so),
         CASE(others_may_write_the_socket_folder__fails),
         CASE(runtime_folder_on_a_disk__a_warning),
         CASE(others_may_change_configuration_or_keyring__fails),
         CASE(too_little_locked_memory__a_warning_with_both_numbers),
         CASE(too_few_descriptors__a_warning_with_what_each_class_gets),
         CASE(configuration_for_root_alone__the_daemon_cannot_read_it),
         CASE(module_open_to_all_or_to_none__fails),
         CASE(others_may_change_what_would_be_loaded__login_is_not_tried),
         CASE(folders_above__passable_and_for_nobody_else_to_write),
         CASE(socket_folder_not_there__told_once),
         CASE(no_state_directory__only_that_is_told),
         CASE(state_read_only_or_full__fails),
         CASE(ordinary_user__told_who_may_look_and_given_nothing),
         CASE(clock_was_wrong_at_the_ceremony__a_warning),
         CASE(daemon_is_running__its_limit_counts_not_the_shells),
         CASE(daemon_may_lock_just_what_it_locks__enough_and_a_page_less_is_not),
         CASE(no_version_active__a_warning), CASE(no_keyring__fails),
         CASE(keyring_older_than_this_node_has_seen__fails))
