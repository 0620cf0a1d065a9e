/* SPDX-License-Identifier: Apache-2.0 */
/* The phase page: one writer (the worker), one reader (the front), no lock.
 *
 * The front may find the page changing under its eyes; it looks twice and takes a worker
 * whose operation changed in between for one that moves. */
#include "wire_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096 };

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

void kw_page_enter_op(struct kw_page *page, int64_t mono_now_ns)
{
    atomic_store_explicit(&page->op_start_ns, mono_now_ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&page->op, 1, memory_order_release);
    atomic_store_explicit(&page->phase, KW_PAGE_OP, memory_order_release);
}

struct kw_page_view kw_page_look(struct kw_page *page)
{
    struct kw_page_view v;
    uint32_t phase = atomic_load_explicit(&page->phase, memory_order_acquire);
    v.op = atomic_load_explicit(&page->op, memory_order_acquire);
    v.op_start_ns = atomic_load_explicit(&page->op_start_ns, memory_order_acquire);
    v.logins = atomic_load_explicit(&page->logins, memory_order_relaxed);
    if (phase == KW_PAGE_OP &&
        atomic_load_explicit(&page->op, memory_order_acquire) != v.op)
        phase = KW_PAGE_IDLE; /* it moves: not the operation whose start we read */
    v.phase = phase <= KW_PAGE_EXIT ? (enum kw_page_phase)phase : KW_PAGE_LOGIN;
    return v;
}
