/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "fake_proc.h"
#include "calls.h"

static struct kw_note note;

#define LIBC "7f00-7f01 r-xp 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libc.so.6\n"
static const char softhsm[] =
    LIBC "7f02-7f03 rw-p 00000000 00:00 0 \n"
         "7f04-7f05 r-xp 00000000 08:01 2 /usr/lib/softhsm/libsofthsm2.so\n";
static const char vendor[] =
    LIBC "7f04-7f05 r-xp 00000000 08:01 2 /opt/libsofthsm2.so/libvendor.so\n";
static const char proxy[] =
    LIBC "7f04-7f05 r-xp 00000000 08:01 2 /usr/lib/softhsm/libsofthsm2.so\n"
         "7f06-7f07 r-xp 00000000 08:01 2 /usr/lib/p11-kit-proxy.so\n";

/* A daemon and two workers with these modules; NULL: nobody may read them. */
static kw_err judge(const char *comm, const char *one, const char *other)
{
    fake_proc_put(4000, 1, comm, 1);
    fake_proc_put(4001, 4000, "keyward-hsm", 1);
    fake_proc_put(4002, 4000, "keyward-hsm", 1);
    fake_proc_file(4001, "maps", one);
    fake_proc_file(4002, "maps", other);
    return kw_guard(fake_proc, 4000, true, &note);
}

static void denied(kw_err e, const char *why)
{
    CHECK_CODE(e, KW_CODE_DENIED);
    CHECK_HAS(note.text, why);
    CHECK_HAS(note.text, "--yes");
}

/* Whichever of them it is: every worker is looked at. */
TEST(worker_that_is_or_may_be_on_a_real_token__denied)
{
    denied(judge("keywardd", softhsm, vendor),
           "(pid 4002) whose PKCS#11 module is not libsofthsm2.so");
    denied(judge("keywardd", vendor, softhsm),
           "(pid 4001) whose PKCS#11 module is not libsofthsm2.so");
    denied(judge("keywardd", softhsm, proxy), "not libsofthsm2.so");
    denied(judge("keywardd", NULL, softhsm),
           "(pid 4001) whose loaded modules this user cannot read");
    /* as a process without rights sees it on some kernels */
    denied(judge("keywardd", "", softhsm), "cannot read");
}

TEST(nobody_to_look_at__denied)
{
    for (int32_t pid = 0; pid < 2; pid++)
        denied(kw_guard(fake_proc, pid, true, &note), "--server-pid");
    denied(kw_guard(fake_proc, 4000, true, &note), "--server-pid");
    fake_proc_put(4000, 1, "keywardd", 1);
    denied(kw_guard(fake_proc, 4000, true, &note), "keywardd (pid 4000) has no worker");
}

TEST(softhsm_or_another_server__passes)
{
    CHECK_OK(judge("keywardd", softhsm, softhsm));
    CHECK_OK(judge("keyward-bench", softhsm, vendor));
    CHECK_OK(kw_guard(fake_proc, 0, false, &note));
    CHECK_OK(kw_guard(fake_proc, 4444, false, &note));
}

KW_SUITE_AROUND("bench/load/guard", fake_proc_begin, fake_proc_end)
