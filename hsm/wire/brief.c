/* SPDX-License-Identifier: Apache-2.0 */
/* The brief: written once by the front, sealed, mapped by the worker.
 *
 *   "kwbrief3" 8, module, uri, pin, domain, pin_key, audit_label, audit_sha256 (lengths of
 *   two bytes), production 1, mlock 1, active_n 4, sessions 1, parts 1, keyring length 4,
 *   keyring
 */
#include "wire_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/secret.h>

#define BRIEF_MAGIC "kwbrief3"
enum {
    MAGIC_LEN = 8,
    SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE,
};

static bool is_line(kw_span s, size_t most)
{
    return s.len >= 1 && s.len <= most && kw_is_text(s);
}

/* Both or none. */
static bool audit_is_sane(const struct kw_brief *b)
{
    return b->audit_label.len == 0 ? b->audit_sha256.len == 0
                                   : is_line(b->audit_label, KW_LABEL_MAX) &&
                                         b->audit_sha256.len == KW_SHA256;
}

static bool brief_is_sane(const struct kw_brief *b)
{
    return is_line(b->module, KW_PATH_MAX) && is_line(b->uri, KW_PATH_MAX) &&
           is_line(b->pin, KW_PATH_MAX + 16) && is_line(b->domain, KW_DOMAIN_MAX) &&
           (b->pin_key.len == 0 || b->pin_key.len == KW_PIN_KEY) && audit_is_sane(b) &&
           b->active_n <= KW_VERSION_N_MAX && b->sessions <= KW_SESSIONS_MAX &&
           b->parts >= 1 && b->keyring.len >= 1 && b->keyring.len <= KW_KEYRING_MAX;
}

kw_err kw_brief_encode(const struct kw_brief *b, kw_dst *dst)
{
    size_t before = dst->len;
    if (!brief_is_sane(b))
        return kw_err_at(KW_CODE_BUG, "brief");
    bool ok =
        kw_dst_put(dst, kw_span_str(BRIEF_MAGIC)) && kw_dst_put_sized(dst, b->module) &&
        kw_dst_put_sized(dst, b->uri) && kw_dst_put_sized(dst, b->pin) &&
        kw_dst_put_sized(dst, b->domain) && kw_dst_put_sized(dst, b->pin_key) &&
        kw_dst_put_sized(dst, b->audit_label) && kw_dst_put_sized(dst, b->audit_sha256) &&
        kw_dst_put_u8(dst, b->production) && kw_dst_put_u8(dst, b->mlock) &&
        kw_dst_put_u32(dst, b->active_n) && kw_dst_put_u8(dst, b->sessions) &&
        kw_dst_put_u8(dst, b->parts) && kw_dst_put_u32(dst, (uint32_t)b->keyring.len) &&
        kw_dst_put(dst, b->keyring);
    if (!ok) {
        dst->len = before;
        return kw_err_at(KW_CODE_NO_MEMORY, "brief");
    }
    return KW_OK;
}

kw_err kw_brief_decode(kw_span bytes, struct kw_brief *ret_brief)
{
    struct kw_brief b = {0};
    struct kw_src src = kw_src_of(bytes);
    bool ours = kw_span_equal_str(kw_src_take(&src, MAGIC_LEN), BRIEF_MAGIC);
    b.module = kw_src_sized(&src);
    b.uri = kw_src_sized(&src);
    b.pin = kw_src_sized(&src);
    b.domain = kw_src_sized(&src);
    b.pin_key = kw_src_sized(&src);
    b.audit_label = kw_src_sized(&src);
    b.audit_sha256 = kw_src_sized(&src);
    b.production = kw_wire_take_bool(&src);
    b.mlock = kw_wire_take_bool(&src);
    b.active_n = kw_src_u32(&src);
    b.sessions = kw_src_u8(&src);
    b.parts = kw_src_u8(&src);
    b.keyring = kw_src_take(&src, kw_src_u32(&src));
    if (!ours || !kw_src_done(&src) || !brief_is_sane(&b))
        return kw_err_at(KW_CODE_BAD_INPUT, "brief");
    *ret_brief = b;
    return KW_OK;
}

static kw_err brief_refused(const char *where)
{
    return kw_err_native(KW_CODE_IO, (uint32_t)errno, where);
}

static kw_err brief_write_all(int fd, kw_span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n <= 0)
            return brief_refused("write");
        bytes = kw_span_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return KW_OK;
}

kw_err kw_brief_seal(const struct kw_brief *brief, int *ret_fd)
{
    kw_dst dst = kw_dst_of(kw_new(KW_BRIEF_MAX, 1), KW_BRIEF_MAX);
    if (dst.ptr == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "brief");
    kw_err e = kw_brief_encode(brief, &dst);
    int fd = -1;
    if (!kw_failed(e)) {
        fd = kw_wire_memfd("keyward-brief");
        e = fd < 0 ? brief_refused("memfd_create")
                   : brief_write_all(fd, kw_dst_span(&dst));
    }
    if (!kw_failed(e) && fcntl(fd, F_ADD_SEALS, SEALS) != 0)
        e = brief_refused("F_ADD_SEALS");
    kw_wipe(dst.ptr, dst.cap);
    kw_free(dst.ptr);
    if (kw_failed(e)) {
        if (fd >= 0)
            close(fd);
        return e;
    }
    *ret_fd = fd;
    return KW_OK;
}

kw_err kw_brief_map(int fd, struct kw_brief *ret_brief)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return brief_refused("fstat");
    int seals = fcntl(fd, F_GET_SEALS); /* the kernel may have added one of its own */
    if (seals < 0 || (seals & SEALS) != SEALS || st.st_size <= 0 ||
        st.st_size > KW_BRIEF_MAX)
        return kw_err_at(KW_CODE_BAD_INPUT, "brief");
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return brief_refused("mmap");
    kw_err e = kw_brief_decode(kw_span_of(p, (size_t)st.st_size), ret_brief);
    if (kw_failed(e))
        munmap(p, (size_t)st.st_size);
    return e;
}
