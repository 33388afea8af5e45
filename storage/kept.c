/* The epochs that can still be read, and what each load changed. */
#include "storage/internal.h"

#include <string.h>

typedef struct kept_list {
    vc_arena *arena;
    vc_kept *items;
    size_t count, capacity;
} kept_list;

static vc_kept *add_item(kept_list *list)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : 2 * list->capacity;
        vc_kept *items = VC_ARENA_NEW(list->arena, vc_kept, capacity);
        if (items == NULL) return NULL;
        if (list->count > 0) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    return &list->items[list->count++];
}

static bool put_change(vc_kept *kept, vc_change_kind change, const vc_entry *entry, vc_arena *arena)
{
    vc_str name = vc_arena_str(arena, entry->name);
    if (vc_str_is_null(name)) return false;
    kept->changes[kept->nchanges++] =
        (vc_change){.change = change, .kind = entry->kind, .name = name};
    return true;
}

/* Both are in order: one pass finds what is only here, only there, or of another generation. */
static bool compare(const vc_catalogue *before, const vc_catalogue *after, vc_kept *kept,
                    vc_arena *arena)
{
    size_t b = 0, a = 0;
    kept->knows_changes = true;
    kept->changes = VC_ARENA_NEW(arena, vc_change, before->nentries + after->nentries + 1);
    if (kept->changes == NULL) return false;
    while (b < before->nentries || a < after->nentries) {
        const vc_entry *old = b < before->nentries ? &before->entries[b] : NULL;
        const vc_entry *new = a < after->nentries ? &after->entries[a] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : vc_entry_compare(old, new);
        bool is_changed = order == 0 && (old->id != new->id || old->generation != new->generation);
        bool is_good = true;
        if (order < 0) is_good = put_change(kept, VC_CHANGE_DROPPED, old, arena);
        if (order > 0) is_good = put_change(kept, VC_CHANGE_ADDED, new, arena);
        if (is_changed) is_good = put_change(kept, VC_CHANGE_LOADED, new, arena);
        if (!is_good) return false;
        b += order <= 0;
        a += order >= 0;
    }
    return true;
}

static vc_status add_epoch(kept_list *list, const vc_catalogue *before, const vc_catalogue *at,
                           vc_error *error)
{
    vc_kept *kept = add_item(list);
    if (kept == NULL) return vc_no_memory(error);
    *kept = (vc_kept){.epoch = at->epoch};
    memcpy(kept->id, at->id, sizeof kept->id);
    if (before != NULL && before->epoch + 1 == at->epoch && !compare(before, at, kept, list->arena))
        return vc_no_memory(error);
    return VC_OK;
}

vc_status vc_snapshot_list_kept(const vc_snapshot *snapshot, vc_arena *arena,
                                const vc_kept **kept_out, size_t *nkept_out, vc_error *error)
{
    kept_list list = {.arena = arena};
    MDB_cursor *cursor;
    uint64_t epoch = 1;
    vc_status status = VC_OK;
    vc_catalogue *before = NULL;
    int rc = mdb_cursor_open(snapshot->txn, VC_MAIN_TABLE, &cursor);
    if (rc != 0) return vc_env_fail(snapshot->store->env, rc, "list snapshots", error);
    if (vc_catalogue_next_epoch(cursor, epoch, &epoch) && epoch == 1)
        before = vc_catalogue_new_empty();
    for (epoch = 1; status == VC_OK && vc_catalogue_next_epoch(cursor, epoch, &epoch); epoch++) {
        vc_catalogue *at;
        status = vc_catalogue_read(snapshot->txn, epoch, &at, error);
        if (status == VC_OK) status = add_epoch(&list, before, at, error);
        vc_catalogue_drop(before);
        before = at;
    }
    vc_catalogue_drop(before);
    mdb_cursor_close(cursor);
    *kept_out = list.items;
    *nkept_out = list.count;
    return status;
}

const char *vc_change_name(vc_change_kind change)
{
    static const char *const names[] = {"added", "loaded", "dropped"};
    return names[change];
}

/* "42-9f3c": could there have been such a snapshot? */
static bool is_id(vc_str id, uint64_t *epoch_out)
{
    int64_t epoch;
    vc_str hash = id;
    if (vc_parse_int(vc_str_split(&hash, '-'), &epoch) != VC_PARSE_OK || epoch < 1 ||
        hash.size != 4)
        return false;
    *epoch_out = (uint64_t)epoch;
    for (size_t i = 0; i < hash.size; i++)
        if (strchr("0123456789abcdef", hash.data[i]) == NULL) return false;
    return true;
}

vc_status vc_snapshot_fail_unknown(const vc_snapshot *snapshot, vc_str id, vc_error *error)
{
    vc_arena arena = {0};
    const vc_kept *kept;
    size_t nkept = 0;
    uint64_t epoch;
    vc_status status = vc_snapshot_list_kept(snapshot, &arena, &kept, &nkept, error);
    if (status == VC_OK && nkept > 0 && is_id(id, &epoch) && epoch < kept[0].epoch)
        vc_fail(error, VC_NOT_FOUND, "expired_snapshot",
                "the snapshot '%.*s' is not kept any more; the oldest is '%s', the newest '%s'",
                VC_FMT(id), kept[0].id, kept[nkept - 1].id);
    else if (status == VC_OK && nkept > 0)
        vc_fail(error, VC_NOT_FOUND, "unknown_snapshot",
                "there is no snapshot '%.*s'; the oldest is '%s', the newest '%s'", VC_FMT(id),
                kept[0].id, kept[nkept - 1].id);
    else if (status == VC_OK)
        vc_fail(error, VC_NOT_FOUND, "unknown_snapshot",
                "there is no snapshot '%.*s': nothing was loaded yet", VC_FMT(id));
    for (size_t i = 0; status == VC_OK && i < VC_ERROR_CANDIDATES && i < nkept; i++) {
        const char *newest = kept[nkept - 1 - i].id;
        vc_error_add_candidate(error, newest, strlen(newest));
    }
    vc_arena_release(&arena);
    return status == VC_OK ? VC_NOT_FOUND : status;
}
