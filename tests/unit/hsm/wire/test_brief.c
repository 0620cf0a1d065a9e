/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <keyward/wire.h>

static struct kw_brief some_brief(void)
{
    return (struct kw_brief){.module = kw_span_str("/usr/lib/module.so"),
                             .uri = kw_span_str("pkcs11:token=kw"),
                             .pin = kw_span_str("file:/etc/pin"),
                             .domain = kw_span_str("demo"),
                             .pin_key = kw_span_str("0123456789abcdef0123456789abcdef"),
                             .audit_label = kw_span_str("keyward-audit"),
                             .audit_sha256 =
                                 kw_span_str("fedcba9876543210fedcba9876543210"),
                             .active_n = 2,
                             .sessions = 3,
                             .parts = 4,
                             .keyring = kw_span_str("{}")};
}

TEST(put__field_missing_or_too_long__bug)
{
    static uint8_t buf[4096], text[KW_PATH_MAX + 1];
    memset(text, 'a', sizeof text);
    for (int i = 0; i < 12; i++) {
        struct kw_brief b = some_brief();
        switch (i) {
        case 0: b.module.len = 0; break;
        case 1: b.uri = kw_span_of(text, sizeof text); break;
        case 2: b.domain = kw_span_of(text, KW_DOMAIN_MAX + 1); break;
        case 3: b.keyring.len = 0; break;
        case 4: b.pin_key.len--; break;
        case 5: b.pin_key = kw_span_of(text, KW_PIN_KEY + 1); break;
        case 6: b.sessions = KW_SESSIONS_MAX + 1; break;
        case 7: b.parts = 0; break;
        case 8: b.audit_label = kw_span_of(text, KW_LABEL_MAX + 1); break;
        case 9: b.audit_label.len = 0; break; /* one without the other */
        case 10: b.audit_sha256.len--; break;
        default: b.active_n = KW_VERSION_N_MAX + 1; break;
        }
        kw_dst dst = kw_dst_of(buf, sizeof buf);
        CHECK_CODE(kw_brief_encode(&b, &dst), KW_CODE_BUG);
        CHECK(dst.len == 0);
    }
}

TEST(map__not_sealed__refused)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, "kwbrief1", 8) == 8);
    struct kw_brief got;
    CHECK_CODE(kw_brief_map(fd, &got), KW_CODE_BAD_INPUT);
    close(fd);
}

TEST(seal__then_map__reads_back_and_cannot_be_written)
{
    int fd = -1;
    struct kw_brief b = some_brief(), got;
    CHECK_OK(kw_brief_seal(&b, &fd));
    CHECK_OK(kw_brief_map(fd, &got));
    CHECK(kw_span_equal_str(got.module, "/usr/lib/module.so"));
    CHECK(kw_span_equal_str(got.pin, "file:/etc/pin"));
    CHECK(kw_span_equal_str(got.keyring, "{}"));
    CHECK(kw_span_equal(got.pin_key, b.pin_key));
    CHECK(!got.production && !got.mlock && got.active_n == 2);
    CHECK(got.sessions == 3 && got.parts == 4);
    CHECK(pwrite(fd, "x", 1, 0) == -1 && errno == EPERM);
    close(fd);
}

TEST(page__worker_enters__front_sees)
{
    int fd = -1;
    struct kw_page *front = NULL, *worker = NULL;
    CHECK_OK(kw_page_make(&fd, &front));
    CHECK_OK(kw_page_map(fd, &worker));
    CHECK(ftruncate(fd, 0) == -1); /* the worker cannot take the page away */
    CHECK(kw_page_phase(front) == KW_PAGE_NEW);
    kw_page_enter(worker, KW_PAGE_LOGIN);
    CHECK(kw_page_phase(front) == KW_PAGE_LOGIN && kw_page_logins(front) == 1);
    kw_page_enter(worker, KW_PAGE_IDLE);
    CHECK(kw_page_phase(front) == KW_PAGE_IDLE && kw_page_logins(front) == 1);
    atomic_store(&worker->phase, 99u);
    CHECK(kw_page_phase(front) == KW_PAGE_LOGIN); /* in doubt, never kill */
    kw_page_begin(worker, 0, 9, 77);
    kw_page_begin(worker, KW_SESSIONS_MAX - 1, 10, 78);
    CHECK(kw_page_job(front, 0).id == 9 && kw_page_job(front, 0).start_ns == 77);
    CHECK(kw_page_job(front, KW_SESSIONS_MAX - 1).id == 10);
    CHECK(kw_page_job(front, 1).id == 0);
    kw_page_end(worker, 0);
    CHECK(kw_page_job(front, 0).id == 0);
    kw_page_unmap(worker);
    kw_page_unmap(front);
    kw_page_unmap(NULL);
    close(fd);
}

/* Linux 6.3 and later; older headers do not say it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

static bool kernel_knows_noexec(void)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* With vm.memfd_noexec=2 the kernel refuses what may become executable. */
TEST(make__kernel_knows_noexec__brief_and_page_are_sealed_against_it)
{
    int brief = -1, fd = -1, want = kernel_knows_noexec() ? F_SEAL_EXEC : 0;
    struct kw_brief b = some_brief(), got;
    struct kw_page *page = NULL;
    CHECK_OK(kw_brief_seal(&b, &brief));
    CHECK_OK(kw_brief_map(brief, &got));
    CHECK_OK(kw_page_make(&fd, &page));
    CHECK((fcntl(brief, F_GET_SEALS) & F_SEAL_EXEC) == want);
    CHECK((fcntl(fd, F_GET_SEALS) & F_SEAL_EXEC) == want);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    kw_page_unmap(page);
    close(brief);
    close(fd);
}

KW_CASES("hsm/wire/brief", CASE(put__field_missing_or_too_long__bug),
         CASE(map__not_sealed__refused),
         CASE(seal__then_map__reads_back_and_cannot_be_written),
         CASE(page__worker_enters__front_sees),
         CASE(make__kernel_knows_noexec__brief_and_page_are_sealed_against_it))
