/* Who is let in: by which token, as which role, at which Host, from pages of which origin.
 *
 * An admission is what held when a request came: it is immutable and counted, each request keeps
 * its own, so that a change of tokens or roles never meets a request halfway. The gate has the one
 * that is in force; it looks at the file of tokens about once a second, so that one that is revoked
 * is out within that time.
 *
 * Without roles everyone is let in, as vc_role_everyone.
 * Threads: any.
 */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include "http/request.h"
#include "http/roles.h"
#include "http/tokens.h"

typedef struct vc_admission vc_admission;
typedef struct vc_gate vc_gate;

typedef struct vc_admission_options {
    vc_roles *roles;            /* shared; NULL: no tokens, all may do all */
    const char *tokens_path;    /* NULL: no tokens: only roles->anonymous is let in */
    const char *const *hosts;   /* [nhosts] that may be asked for beside this machine's own names */
    size_t nhosts;              /* all of these are copied */
    const char *const *origins; /* [norigins] whose pages may read answers (http/cors.h) */
    size_t norigins;
} vc_admission_options;

/* The admission that holds now; to be given back. */
vc_admission *vc_gate_admission(vc_gate *gate);
void vc_admission_release(vc_admission *admission); /* NULL is fine */

typedef struct vc_caller {
    const vc_role *role;  /* of the admission */
    const char *token_id; /* the public part; "" when there is none */
} vc_caller;

/* Who asks?
 *
 * is_cube  a path of Cube's, whose client sends the token without the word Bearer
 * now_s    of the calendar
 * now_ns   of the monotonic clock
 *
 * VC_IMPOSSIBLE, code "unauthorized", in the same words whatever is wrong with the token; VC_BUSY,
 * code "rate_limited", with the seconds to wait. */
vc_status vc_admission_check(vc_admission *admission, const vc_request *request, bool is_cube,
                             int64_t now_s, int64_t now_ns, vc_caller *caller_out,
                             unsigned *wait_s_out, vc_error *error);

size_t vc_admission_ntokens(const vc_admission *admission);

/* Are there roles at all? */
bool vc_admission_is_on(const vc_admission *admission);

/* Whose pages may read answers. */
const char *const *vc_admission_origins(const vc_admission *admission, size_t *norigins_out);

/* What may be asked for as Host, beside this machine's own names. */
const char *const *vc_admission_hosts(const vc_admission *admission, size_t *nhosts_out);

/* Refuse what looks like a token in the address, where logs and histories would keep it:
 * VC_BAD_INPUT, code "token_in_url". */
vc_status vc_access_check_parameters(const vc_request *request, vc_error *error);

/* Tokens are nothing without roles; roles without tokens or one for who has none let nobody in.
 * VC_BAD_INPUT, code "nobody_let_in". */
vc_status vc_access_check_options(const vc_admission_options *options, vc_error *error);

/* The errors of vc_tokens_open, vc_cors_check, and "bad_host_name". */
vc_status vc_gate_new(const vc_admission_options *options, vc_gate **gate_out, vc_error *error);
void vc_gate_free(vc_gate *gate); /* no admission is used any more; NULL is fine */

/* Put another admission in force; on failure the old one stays. */
vc_status vc_gate_set(vc_gate *gate, const vc_admission_options *options, vc_error *error);

/* Has the file of tokens changed? Then it is read. VC_OK when it has not, or is in force now; what
 * fails leaves the old tokens in force and is told once.
 *
 * is_changed_out  it was read, well or not */
vc_status vc_gate_look(vc_gate *gate, bool *is_changed_out, vc_error *error);

/* Tokens whose role there is not: they are refused. The id of one of them, or NULL. */
const char *vc_admission_stray(const vc_admission *admission, size_t *count_out);

#endif
