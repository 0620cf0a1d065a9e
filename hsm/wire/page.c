/* SPDX-License-Identifier: Apache-2.0 */
/* The phase page: one writer a line (the worker), one reader (the front), no lock.
 *
 * The front may find a line changing under its eyes; it looks twice and takes a session
 * whose job changed in between for one that moves. */
#include "wire_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096 };
_Static_assert(sizeof(struct kw_page) <= PAGE_BYTES, "a line for every session");

static kw_err page_refused(const char *where)
{
    return kw_err_native(KW_CODE_IO, (uint32_t)errno, where);
}

kw_err kw_page_map(int fd, struct kw_page **ret_page)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return page_refused("fstat");
    if (st.st_size != PAGE_BYTES)
        return kw_err_at(KW_CODE_BAD_INPUT, "page");
    void *p = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return page_refused("mmap");
    *ret_page = p;
    return KW_OK;
}

kw_err kw_page_make(int *ret_fd, struct kw_page **ret_page)
{
    int fd = kw_wire_memfd("keyward-page");
    if (fd < 0)
        return page_refused("memfd_create");
    kw_err e =
        ftruncate(fd, PAGE_BYTES) == 0 &&
                fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) == 0
            ? kw_page_map(fd, ret_page)
            : page_refused("F_ADD_SEALS");
    if (kw_failed(e))
        close(fd);
    else
        *ret_fd = fd;
    return e;
}

void kw_page_unmap(struct kw_page *page)
{
    if (page != NULL)
        munmap(page, PAGE_BYTES);
}

void kw_page_enter(struct kw_page *page, enum kw_page_phase phase)
{
    if (phase == KW_PAGE_LOGIN)
        atomic_fetch_add_explicit(&page->logins, 1, memory_order_relaxed);
    atomic_store_explicit(&page->phase, (uint32_t)phase, memory_order_release);
}

/* The start is there before the id that it belongs to. */
void kw_page_begin(struct kw_page *page, unsigned session, uint64_t id,
                   int64_t mono_now_ns)
{
    struct kw_page_session *s = &page->sessions[session];
    atomic_store_explicit(&s->start_ns, mono_now_ns, memory_order_release);
    atomic_store_explicit(&s->id, id, memory_order_release);
}

void kw_page_step(struct kw_page *page, unsigned session, int64_t mono_now_ns)
{
    atomic_store_explicit(&page->sessions[session].start_ns, mono_now_ns,
                          memory_order_release);
}

void kw_page_end(struct kw_page *page, unsigned session)
{
    atomic_store_explicit(&page->sessions[session].id, 0, memory_order_release);
}

enum kw_page_phase kw_page_phase(struct kw_page *page)
{
    uint32_t phase = atomic_load_explicit(&page->phase, memory_order_acquire);
    return phase <= KW_PAGE_EXIT ? (enum kw_page_phase)phase : KW_PAGE_LOGIN;
}

uint32_t kw_page_logins(struct kw_page *page)
{
    return atomic_load_explicit(&page->logins, memory_order_relaxed);
}

/* Whoever sees the start of a later job sees that the id is another one by now. */
struct kw_page_job kw_page_job(struct kw_page *page, unsigned session)
{
    const struct kw_page_session *s = &page->sessions[session];
    struct kw_page_job job;
    job.id = atomic_load_explicit(&s->id, memory_order_acquire);
    job.start_ns = atomic_load_explicit(&s->start_ns, memory_order_acquire);
    if (atomic_load_explicit(&s->id, memory_order_acquire) != job.id)
        job.id = 0;
    return job;
}
