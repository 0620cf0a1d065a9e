/* SPDX-License-Identifier: Apache-2.0 */
/* The walk: file by file, frame by frame. */
#include <keyward/etcd_wal.h>

#include <keyward/alloc.h>
#include <keyward/file.h>

#include "crc32c.h"
#include "wal_folder.h"
#include "wal_frame.h"

/* Each record's checksum is that of all data since the log began.  Behind a record whose
 * own differs, one of two goes on: what the record says (its data were changed), or what
 * was counted (its checksum was). */
struct wal_chain {
    uint32_t crc, other;
    bool is_known;    /* false: the next one that is told is believed */
    bool is_doubtful; /* `other` may be the one */
};

struct wal_walk {
    const struct kw_etcd_wal_visitor *visitor;
    struct kw_note *note;
    struct kw_etcd_wal_info info;
    struct wal_chain chain;
    uint64_t term, index;     /* of the last entry, or snapshot */
    uint64_t seen, told, all; /* bytes, of all files            */
    uint8_t *buf;
    size_t room; /* at least KW_ETCD_WAL_PIECE */
};

struct wal_place {
    const struct kw_wal_file *file;
    uint64_t at; /* in the file: of the record in the walk's buffer */
};

/* ---- what the visitor is told ---------------------------------------------------------- */

static void wal_walk_progress(struct wal_walk *w, uint64_t seen)
{
    if (w->visitor->progress == NULL ||
        (seen != w->all && seen - w->told < KW_ETCD_WAL_PIECE))
        return;
    w->told = seen;
    w->visitor->progress(w->visitor->self, seen, w->all);
}

static kw_err wal_walk_unread_one(struct wal_walk *w, const struct wal_place *place,
                                  const char *why, kw_span bytes)
{
    const struct kw_etcd_wal_unread unread = {place->file->name, place->at, why, bytes};
    return w->visitor->unread(w->visitor->self, &unread);
}

/* How far it is from one piece of `left` bytes to the next; 0: this is the last. */
static size_t wal_walk_step(uint64_t left)
{
    return left <= KW_ETCD_WAL_PIECE ? 0 : KW_ETCD_WAL_PIECE - KW_ETCD_WAL_OVERLAP;
}

static size_t wal_walk_piece(uint64_t left)
{
    return left < KW_ETCD_WAL_PIECE ? (size_t)left : KW_ETCD_WAL_PIECE;
}

static kw_err wal_walk_unread(struct wal_walk *w, struct wal_place place, const char *why,
                              kw_span bytes)
{
    for (;;) {
        const kw_err e = wal_walk_unread_one(
            w, &place, why, kw_span_of(bytes.ptr, wal_walk_piece(bytes.len)));
        const size_t step = wal_walk_step(bytes.len);
        if (kw_failed(e) || step == 0)
            return e;
        place.at += step;
        bytes = kw_span_of(bytes.ptr + step, bytes.len - step);
    }
}

static bool wal_byte_is_zero(uint8_t byte)
{
    return byte == 0;
}

/* How far it is to the first piece that is not all in a hole; pieces are taken as if those
 * that are had been read. */
static uint64_t wal_walk_hole(const struct wal_place *place)
{
    const uint64_t step = KW_ETCD_WAL_PIECE - KW_ETCD_WAL_OVERLAP;
    const uint64_t data = kw_file_next_data(place->file->fd, place->at);
    const uint64_t end = data < place->file->size ? data : place->file->size;
    return end < place->at + KW_ETCD_WAL_PIECE
               ? 0
               : ((end - place->at - KW_ETCD_WAL_PIECE) / step + 1) * step;
}

/* What is left of a file, but for zeroes. */
static kw_err wal_walk_rest(struct wal_walk *w, struct wal_place place, const char *why)
{
    for (;;) {
        place.at += wal_walk_hole(&place);
        const uint64_t left = place.file->size - place.at;
        const kw_span piece = kw_span_of(w->buf, wal_walk_piece(left));
        kw_err e = kw_wal_file_read(place.file, place.at, w->buf, piece.len, w->note);
        if (!kw_failed(e) && !kw_span_all(piece, wal_byte_is_zero)) {
            w->chain.is_known = false;
            e = wal_walk_unread_one(w, &place, why, piece);
        }
        if (kw_failed(e) || wal_walk_step(left) == 0)
            return e;
        place.at += wal_walk_step(left);
        wal_walk_progress(w, w->seen + place.at);
    }
}

/* ---- entries ----------------------------------------------------------------------------- */

/* Where `part` of the buffer lies in the file. */
static struct wal_place wal_walk_place_of(const struct wal_walk *w,
                                          const struct wal_place *record, kw_span part)
{
    const uint64_t in = part.len == 0 ? 0 : (uint64_t)(part.ptr - w->buf);
    return (struct wal_place){record->file, record->at + in};
}

static kw_err wal_walk_found(struct wal_walk *w, const struct wal_place *place,
                             const struct kw_wal_entry *entry,
                             const struct kw_wal_found *f)
{
    if (f->why != NULL)
        return wal_walk_unread(w, wal_walk_place_of(w, place, f->bytes), f->why,
                               f->bytes);
    const struct kw_etcd_put put = {entry->term, entry->index, f->key, f->value};
    w->info.puts++;
    return w->visitor->put(w->visitor->self, &put);
}

/* A later term writes over entries of an earlier one; none is left out. */
static void wal_walk_count(struct wal_walk *w, const struct kw_wal_entry *entry)
{
    struct kw_etcd_wal_info *const info = &w->info;
    if (entry->index > w->index && entry->index - w->index > 1)
        info->is_gapless = false;
    if (entry->term < w->term)
        info->is_gapless = false;
    if (info->entries == 0 || entry->index < info->first_index)
        info->first_index = entry->index;
    if (entry->index > info->last_index)
        info->last_index = entry->index;
    info->entries++;
    w->term = entry->term;
    w->index = entry->index;
}

static kw_err wal_walk_entry(struct wal_walk *w, const struct wal_place *place,
                             kw_span data)
{
    struct kw_wal_entry entry;
    struct kw_wal_puts puts;
    struct kw_wal_found found;
    if (!kw_wal_entry_of(data, &entry))
        return wal_walk_unread(w, wal_walk_place_of(w, place, data), "no entry", data);
    wal_walk_count(w, &entry);
    if (entry.type != KW_WAL_ENTRY_NORMAL)
        return KW_OK;
    kw_err e = KW_OK;
    kw_wal_puts_begin(&puts, entry.data);
    while (!kw_failed(e) && kw_wal_puts_next(&puts, &found))
        e = wal_walk_found(w, place, &entry, &found);
    return e;
}

/* ---- records ----------------------------------------------------------------------------- */

/* A leader sent the database instead of the entries in between: those were never here. */
static bool wal_walk_snapshot(struct wal_walk *w, kw_span data)
{
    uint64_t index = 0;
    if (!kw_wal_snapshot_of(data, &index))
        return false;
    if (index > w->index)
        w->index = index;
    return true;
}

static const char *wal_walk_data_fault(struct wal_walk *w,
                                       const struct kw_wal_record *record)
{
    switch (record->type) {
    case KW_WAL_METADATA:
        return kw_wal_is_metadata(record->data) ? NULL : "no metadata that are known";
    case KW_WAL_STATE:
        return kw_wal_is_state(record->data) ? NULL : "no state that is known";
    case KW_WAL_SNAPSHOT:
        return wal_walk_snapshot(w, record->data) ? NULL : "no snapshot that is known";
    case KW_WAL_ENTRY:
    case KW_WAL_CRC: break;
    }
    return NULL;
}

/* What the checksum is from here on, when the record is believed. */
static bool chain_takes(struct wal_chain *chain, uint32_t crc, uint32_t other,
                        uint32_t told)
{
    const bool is_good =
        !chain->is_known || told == crc || (chain->is_doubtful && told == other);
    *chain = (struct wal_chain){told, crc, true, !is_good};
    return is_good;
}

static bool chain_is_good(struct wal_chain *chain, const struct kw_wal_record *record)
{
    if (record->type == KW_WAL_CRC)
        return chain_takes(chain, chain->crc, chain->other, record->crc);
    chain->is_known = true; /* no file begins so: what it continues is nothing */
    const uint32_t other =
        chain->is_doubtful ? kw_crc32c(chain->other, record->data) : chain->other;
    return chain_takes(chain, kw_crc32c(chain->crc, record->data), other, record->crc);
}

static kw_err wal_walk_record(struct wal_walk *w, const struct wal_place *place,
                              kw_span bytes, const struct kw_wal_record *record)
{
    if (!chain_is_good(&w->chain, record))
        return wal_walk_unread(w, *place, "the checksum differs", bytes);
    if (record->type == KW_WAL_ENTRY)
        return wal_walk_entry(w, place, record->data);
    const char *const fault = wal_walk_data_fault(w, record);
    if (fault == NULL)
        return KW_OK;
    return wal_walk_unread(w, wal_walk_place_of(w, place, record->data), fault,
                           record->data);
}

/* ---- frames ------------------------------------------------------------------------------ */

static kw_err wal_walk_make_room(struct wal_walk *w, size_t len)
{
    if (len <= w->room)
        return KW_OK;
    size_t room = w->room;
    while (room < len)
        room *= 2;
    kw_free(w->buf);
    w->room = 0;
    w->buf = kw_new(room, 1);
    if (w->buf == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "wal record");
    w->room = room;
    return KW_OK;
}

static uint64_t wal_word(const uint8_t bytes[KW_WAL_WORD])
{
    uint64_t word = 0;
    for (size_t i = KW_WAL_WORD; i > 0; i--)
        word = word << 8 | bytes[i - 1];
    return word;
}

/* A frame that leads somewhere: its record, then its pad.  Moves on behind it; *ret_fault
 * says why the file cannot be read from here on. */
static kw_err wal_walk_frame(struct wal_walk *w, struct wal_place *frame,
                             const struct kw_wal_frame *f, const char **ret_fault)
{
    struct wal_place place = {frame->file, frame->at + KW_WAL_WORD};
    struct kw_wal_record record;
    const size_t len = (size_t)f->record + f->pad;
    kw_err e = wal_walk_make_room(w, len);
    if (!kw_failed(e))
        e = kw_wal_file_read(place.file, place.at, w->buf, len, w->note);
    if (kw_failed(e))
        return e;
    const kw_span bytes = kw_span_of(w->buf, (size_t)f->record);
    const kw_span pad = kw_span_of(w->buf + f->record, f->pad);
    if (!kw_wal_record_of(bytes, &record)) {
        *ret_fault = "no record";
        return KW_OK;
    }
    frame->at = place.at + len;
    e = wal_walk_record(w, &place, bytes, &record);
    if (!kw_failed(e) && !kw_span_all(pad, wal_byte_is_zero))
        e = wal_walk_unread(w, wal_walk_place_of(w, &place, pad),
                            "a pad that is not zero", pad);
    return e;
}

/* One frame; *ret_fault says why nothing follows. */
static kw_err wal_walk_one(struct wal_walk *w, struct wal_place *place,
                           const char **ret_fault)
{
    uint8_t bytes[KW_WAL_WORD];
    struct kw_wal_frame frame;
    const uint64_t left = place->file->size - place->at;
    if (left < KW_WAL_WORD) {
        *ret_fault = "cut off";
        return KW_OK;
    }
    const kw_err e =
        kw_wal_file_read(place->file, place->at, bytes, sizeof bytes, w->note);
    if (kw_failed(e))
        return e;
    const uint64_t word = wal_word(bytes);
    if (word == 0)
        *ret_fault = "behind the last record";
    else if (!kw_wal_frame_of(word, left - KW_WAL_WORD, &frame))
        *ret_fault = "a frame that leads nowhere";
    else if (frame.record > KW_ETCD_WAL_RECORD_MAX)
        *ret_fault = "a record that is too long";
    return *ret_fault != NULL ? KW_OK : wal_walk_frame(w, place, &frame, ret_fault);
}

static kw_err wal_walk_frames(struct wal_walk *w, const struct kw_wal_file *file)
{
    struct wal_place place = {file, 0};
    const char *fault = NULL;
    kw_err e = KW_OK;
    while (!kw_failed(e) && fault == NULL && place.at < file->size) {
        e = wal_walk_one(w, &place, &fault);
        wal_walk_progress(w, w->seen + place.at);
    }
    if (kw_failed(e))
        return e;
    /* etcd gives a file its head before its name. */
    if (place.at == 0) {
        w->info.is_gapless = false;
        e = wal_walk_unread_one(w, &place, "no record", kw_span_of(NULL, 0));
    }
    return kw_failed(e) || fault == NULL ? e : wal_walk_rest(w, place, fault);
}

/* ---- files ------------------------------------------------------------------------------- */

/* Is it the one that follows? */
static void wal_walk_begin_segment(struct wal_walk *w, const struct kw_wal_name *name,
                                   uint64_t size)
{
    struct kw_etcd_wal_info *const info = &w->info;
    const bool is_first = info->files == 0;
    const bool follows = !is_first && name->seq == info->last_seq + 1;
    if (!follows)
        w->chain.is_known = false;
    if (!is_first && !follows)
        info->is_gapless = false;
    if (is_first) {
        info->first_seq = name->seq;
        w->index = name->index == 0 ? 0 : name->index - 1;
    } else if (name->index > w->index && name->index - w->index > 1)
        info->is_gapless = false;
    if (is_first && name->index > 0) {
        w->index = name->index - 1;
    }
    info->last_seq = name->seq;
    info->files++;
    info->bytes += size;
}

static kw_err wal_walk_file(struct wal_walk *w, const struct kw_wal_name *name,
                            const struct kw_wal_file *file)
{
    const struct wal_place start = {file, 0};
    if (file->fd < 0)
        return wal_walk_unread_one(w, &start, "no regular file", kw_span_of(NULL, 0));
    switch (name->sort) {
    case KW_WAL_SEGMENT: break;
    case KW_WAL_BROKEN: return wal_walk_rest(w, start, "set aside by etcd's repair");
    case KW_WAL_ODD: return wal_walk_rest(w, start, "a name that etcd does not give");
    }
    wal_walk_begin_segment(w, name, file->size);
    return wal_walk_frames(w, file);
}

static kw_err wal_walk_open_and_read(struct wal_walk *w,
                                     const struct kw_wal_folder *folder,
                                     const struct kw_wal_name *name)
{
    struct kw_wal_file file;
    kw_err e = kw_wal_file_open(folder, name, &file, w->note);
    if (kw_failed(e))
        return e;
    e = wal_walk_file(w, name, &file);
    w->seen += file.size;
    kw_wal_file_close(&file);
    if (!kw_failed(e))
        wal_walk_progress(w, w->seen);
    return e;
}

/* Does no member run on any of them, and how much is there? */
static kw_err wal_walk_survey(const struct kw_wal_folder *folder, struct kw_note *note,
                              uint64_t *ret_bytes)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < folder->count; i++) {
        struct kw_wal_file file;
        const kw_err e = kw_wal_file_open(folder, &folder->names[i], &file, note);
        if (kw_failed(e))
            return e;
        bytes += file.size;
        kw_wal_file_close(&file);
    }
    *ret_bytes = bytes;
    return KW_OK;
}

static kw_err wal_walk_folder(struct wal_walk *w, const struct kw_wal_folder *folder)
{
    uint64_t after;
    w->info.is_gapless = true;
    w->room = KW_ETCD_WAL_PIECE;
    w->buf = kw_new(w->room, 1);
    if (w->buf == NULL)
        return kw_err_at(KW_CODE_NO_MEMORY, "wal record");
    kw_err e = wal_walk_survey(folder, w->note, &w->all);
    for (size_t i = 0; !kw_failed(e) && i < folder->count; i++)
        e = wal_walk_open_and_read(w, folder, &folder->names[i]);
    return kw_failed(e) ? e : wal_walk_survey(folder, w->note, &after);
}

kw_err kw_etcd_wal_walk(const char *folder, const struct kw_etcd_wal_visitor *visitor,
                        struct kw_etcd_wal_info *ret_info, struct kw_note *note)
{
    struct wal_walk w = {.visitor = visitor, .note = note};
    struct kw_wal_folder names;
    kw_err e = kw_wal_folder_open(folder, &names, note);
    if (!kw_failed(e))
        e = wal_walk_folder(&w, &names);
    kw_wal_folder_close(&names);
    kw_free(w.buf);
    w.info.end_index = w.index;
    if (!kw_failed(e))
        *ret_info = w.info;
    return e;
}
