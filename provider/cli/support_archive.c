/* SPDX-License-Identifier: Apache-2.0 */
#include "support_archive.h"

/* Of the header (pax, table "ustar Header Block"). */
enum {
    TAR_MODE = 100,
    TAR_UID = 108,
    TAR_GID = 116,
    TAR_SIZE = 124,
    TAR_MTIME = 136,
    TAR_SUM = 148,
    TAR_TYPE = 156,
    TAR_MAGIC = 257,
    TAR_VERSION = 263,
    TAR_USER = 265,
    TAR_GROUP = 297,
};

static const uint8_t tar_zeros[KW_SUPPORT_TAR_BLOCK];

static void tar_text(uint8_t *block, size_t at, const char *text)
{
    const kw_span s = kw_span_str(text);
    kw_copy(block + at, s.len, s);
}

/* `width` octal digits, and the NUL that is there. */
static bool tar_number(uint8_t *block, size_t at, size_t width, uint64_t n)
{
    for (size_t i = width; i-- > 0; n >>= 3)
        block[at + i] = (uint8_t)('0' + (n & 7));
    return n == 0;
}

bool kw_support_tar_header(const char *name, uint64_t size, int64_t mtime,
                           uint8_t ret_block[KW_SUPPORT_TAR_BLOCK])
{
    const kw_span n = kw_span_str(name);
    uint64_t sum = 0;
    if (n.len == 0 || n.len >= KW_SUPPORT_TAR_NAME || mtime < 0)
        return false;
    kw_copy(ret_block, KW_SUPPORT_TAR_BLOCK, kw_span_of(tar_zeros, sizeof tar_zeros));
    tar_text(ret_block, 0, name);
    bool fits = tar_number(ret_block, TAR_MODE, 7, 0600) &&
                tar_number(ret_block, TAR_UID, 7, 0) &&
                tar_number(ret_block, TAR_GID, 7, 0) &&
                tar_number(ret_block, TAR_SIZE, 11, size) &&
                tar_number(ret_block, TAR_MTIME, 11, (uint64_t)mtime);
    tar_text(ret_block, TAR_SUM, "        "); /* blanks, while it is summed up */
    ret_block[TAR_TYPE] = '0';
    tar_text(ret_block, TAR_MAGIC, "ustar");
    tar_text(ret_block, TAR_VERSION, "00");
    tar_text(ret_block, TAR_USER, "root");
    tar_text(ret_block, TAR_GROUP, "root");
    for (size_t i = 0; i < KW_SUPPORT_TAR_BLOCK; i++)
        sum += ret_block[i];
    fits = fits && tar_number(ret_block, TAR_SUM, 6, sum);
    ret_block[TAR_SUM + 6] = '\0';
    return fits;
}

static void tar_pad(FILE *out, uint64_t written, size_t unit)
{
    for (size_t left = (size_t)(unit - written % unit) % unit; left > 0;) {
        const size_t n = left < sizeof tar_zeros ? left : sizeof tar_zeros;
        (void)fwrite(tar_zeros, 1, n, out);
        left -= n;
    }
}

bool kw_support_tar_put(FILE *out, const char *name, kw_span text, int64_t mtime)
{
    uint8_t header[KW_SUPPORT_TAR_BLOCK];
    if (!kw_support_tar_header(name, text.len, mtime, header))
        return false;
    (void)fwrite(header, 1, sizeof header, out);
    if (text.len > 0)
        (void)fwrite(text.ptr, 1, text.len, out);
    tar_pad(out, text.len, KW_SUPPORT_TAR_BLOCK);
    return true;
}

void kw_support_tar_end(FILE *out)
{
    for (int i = 0; i < 2; i++)
        (void)fwrite(tar_zeros, 1, sizeof tar_zeros, out);
    const long at = ftell(out);
    if (at > 0)
        tar_pad(out, (uint64_t)at, KW_SUPPORT_TAR_RECORD);
}
