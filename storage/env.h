/* The LMDB environment behind a gate.
 *
 * LMDB wants three things of its user that concern all threads at once: its map may be resized, and
 * the environment opened again after a failed write of a meta page, only while no transaction
 * exists in this process. So every transaction is counted at a gate (vc_env_begin_*, vc_env_end,
 * vc_env_commit), and vc_env_repair closes the gate and waits until all of them have ended.
 *
 * Only LMDB's main table is used: its handle is always there, and reading it in one transaction
 * from several threads writes nothing into the transaction.
 */
#ifndef STORAGE_ENV_H
#define STORAGE_ENV_H

#include "base/status.h"

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct vc_env vc_env;

typedef struct vc_env_options {
    size_t map_bytes;
    bool is_map_default; /* take less when the address space has no room */
    bool is_read_only;
} vc_env_options;

enum { VC_MAIN_TABLE = 1 }; /* LMDB's handle of the unnamed table */

/* path is that of the data file, which must exist unless options say that it may be made. */
vc_status vc_env_open(const char *path, const vc_env_options *options, vc_env **env_out,
                      vc_error *error);
void vc_env_close(vc_env *env); /* NULL is fine */

MDB_env *vc_env_mdb(vc_env *env);

/* Begin a read transaction, or a write transaction. Cures a resized map, stale readers and a failed
 * environment first. Write transactions belong to the thread that began them. A thread that holds a
 * transaction already may get VC_BUSY from this, when the map must be resized and cannot be.
 * VC_BUSY, code "readers_full", when no reader slot is free. */
vc_status vc_env_begin_read(vc_env *env, MDB_txn **txn_out, vc_error *error);

/* End a transaction without committing. NULL is fine. */
void vc_env_end(vc_env *env, MDB_txn *txn);

/* Run write(txn, context) in a write transaction and commit it.
 *
 * Returns an LMDB code; 0 when committed. Codes that vc_env_repair cures are left to the caller,
 * who may have to end read transactions first: see vc_env_is_curable. */
int vc_env_try_write(vc_env *env, int (*write)(MDB_txn *txn, void *context), void *context);

/* Write a compact copy of the newest state to a file that is open for writing. Returns an LMDB
 * code, or what writing failed with. */
int vc_env_copy(vc_env *env, int fd);

/* Full map, map resized by another process, failed environment. */
bool vc_env_is_curable(int rc);

/* Cure a code: grow the map, take over its new size, or open the environment again. Waits up to 30
 * seconds until all transactions of this process have ended: VC_BUSY, code "map_busy".
 * VC_NO_MEMORY, code "map_full", when the map cannot grow. The caller must hold no transaction. */
vc_status vc_env_repair(vc_env *env, int rc, vc_error *error);

/* Free the reader slots of dead processes, now, or only when that was last done 30 s ago. */
void vc_env_check_readers(vc_env *env);
void vc_env_check_readers_sometimes(vc_env *env);

/* How many pages from number first_page on are on LMDB's free list as the read transaction sees it.
 * False when the list cannot be read. O(free pages). */
bool vc_env_count_free_pages(MDB_txn *txn, size_t first_page, uint64_t *npages_out);

/* Readers of all processes that have a snapshot open now. oldest_out: LMDB's number of the oldest
 * of their transactions, SIZE_MAX when there is none; may be NULL. */
unsigned vc_env_count_readers(vc_env *env, size_t *oldest_out);

/* An LMDB code as a status: "what: reason". An I/O error while the file system has less than a
 * batch of room left is VC_DISK_FULL, because LMDB reports a short write as EIO. */
vc_status vc_env_fail(const vc_env *env, int rc, const char *what, vc_error *error);

#endif
