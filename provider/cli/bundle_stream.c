/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_stream.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

static kw_err stream_failed(const char *where)
{
    const int saved = errno;
    return kw_err_native(saved == ENOMEM ? KW_CODE_NO_MEMORY : KW_CODE_IO,
                         (uint32_t)saved, where);
}

kw_err kw_bundle_stream_open(struct kw_bundle_stream *ret_stream)
{
    const int fd = memfd_create("keyward-evidence", MFD_CLOEXEC);
    ret_stream->file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (ret_stream->file != NULL)
        return KW_OK;
    const kw_err e = stream_failed("memfd_create");
    if (fd >= 0)
        close(fd);
    return e;
}

static kw_err stream_size(struct kw_bundle_stream *stream, uint64_t *ret_size)
{
    struct stat st;
    if (fflush(stream->file) != 0 || ferror(stream->file) != 0 ||
        fstat(fileno(stream->file), &st) != 0)
        return stream_failed("memfd");
    *ret_size = (uint64_t)st.st_size;
    return KW_OK;
}

kw_err kw_bundle_stream_read(struct kw_bundle_stream *stream, size_t max,
                             struct kw_blob *ret_bytes)
{
    uint64_t size = 0;
    struct kw_blob bytes = {0};
    kw_err e = stream_size(stream, &size);
    if (!kw_failed(e) && size > max)
        return kw_err_at(KW_CODE_BUSY, "memfd");
    if (kw_failed(e))
        return e;
    bytes = (struct kw_blob){.ptr = kw_new(size + 1, 1), .len = size};
    if (bytes.ptr == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "memfd");
    if (pread(fileno(stream->file), bytes.ptr, size, 0) != (ssize_t)size) {
        kw_blob_wipe(&bytes);
        return stream_failed("memfd");
    }
    *ret_bytes = bytes;
    return KW_OK;
}

kw_err kw_bundle_stream_put(struct kw_bundle_stream *stream, bool is_written,
                            struct kw_evidence_folder *folder, const char *name,
                            struct kw_note *note)
{
    uint64_t size = 0;
    bool is_unread = false;
    kw_err e = is_written ? stream_size(stream, &size) : stream_failed("memfd");
    if (kw_failed(e))
        kw_note_set(note, "%s/%s: not written: %s", folder->path, name,
                    strerror((int)e.native));
    else
        e = kw_evidence_copy(folder, name, fileno(stream->file), size, &is_unread, note);
    kw_bundle_stream_close(stream);
    return e;
}

void kw_bundle_stream_close(struct kw_bundle_stream *stream)
{
    if (stream->file != NULL)
        (void)fclose(stream->file);
    stream->file = NULL;
}
