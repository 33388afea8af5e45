/* The canonical text of a query: the same question has the same text, however it was written.
 *
 * For ETags and caches. Percent-encoding, defaults that were spelled out, the order and repetition
 * of what may be in any order (cuts, items of a cut, having), and whether it came by GET or POST
 * make no difference. Names are not looked up, so `geo` and `geo:region` differ although they may
 * mean the same. `cache` is not part of it; `format`, `header`, `bom` and `at` are.
 *
 * Different queries have different texts: whatever could be mistaken for a delimiter is escaped.
 * Threads: pure. O(n log n) in the size of the query.
 */
#ifndef QUERY_CANONICAL_H
#define QUERY_CANONICAL_H

#include "base/arena.h"
#include "slice/query.h"

/* The text in the arena, like "cube=world&drilldown=geo:country&cut=geo.iso2:DE;FR". Absent when
 * out of memory. */
vc_str vc_query_canonical(const vc_query *query, vc_arena *arena);

#endif
