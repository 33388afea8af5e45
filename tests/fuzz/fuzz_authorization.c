/* libFuzzer target: whatever a header Authorization says, nobody is let in but by the one token
 * that there is; and no log shows the secret of a token, wherever it stands in a text.
 *
 * The first byte says whether the path is one of Cube's; the rest is the header's value.
 */
#include "http/access.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char token[VC_TOKEN_SIZE + 1];

static vc_gate *make_gate(void)
{
    static const char text[] = "{\"a\": {\"may\": [\"read\"], \"cubes\": {\"*\": {}}}}";
    char directory[] = "/tmp/vcube-fuzz-XXXXXX", path[64];
    vc_roles *roles;
    vc_gate *gate;
    const vc_token_wish wish = {.name = VC_STR("a"), .role = VC_STR("a"), .now_s = 1};
    json_t *json = json_loads(text, 0, NULL);
    if (sodium_init() < 0 || mkdtemp(directory) == NULL) abort();
    snprintf(path, sizeof path, "%s/tokens.json", directory);
    if (vc_roles_read(json, NULL, &roles, NULL) != VC_OK ||
        vc_tokens_create(path, &wish, token, NULL) != VC_OK)
        abort();
    const vc_admission_options options = {.roles = roles, .tokens_path = path};
    if (vc_gate_new(&options, &gate, NULL) != VC_OK) abort();
    vc_roles_release(roles);
    unlink(path);
    rmdir(directory);
    json_decref(json);
    return gate;
}

/* The value as it must be for anyone to be let in. */
static bool is_right(vc_str value, bool is_cube)
{
    if (is_cube && vc_str_is(value, token)) return true;
    if (value.size < 7 + VC_TOKEN_SIZE || strncasecmp(value.data, "Bearer ", 7) != 0) return false;
    return vc_str_is(vc_str_trim((vc_str){value.data + 6, value.size - 6}), token);
}

static void check_mask(const char *text, size_t size)
{
    char *masked = malloc(size + VC_TOKEN_SIZE + 1);
    if (masked == NULL) return;
    memcpy(masked, text, size);
    memcpy(masked + size, token, VC_TOKEN_SIZE);
    masked[size + VC_TOKEN_SIZE] = '\0';
    vc_tokens_mask(masked, size + VC_TOKEN_SIZE);
    const size_t shown = 4 + VC_TOKEN_ID_SIZE + 1; /* of the token; its secret is behind it */
    assert(memcmp(masked + size + shown, token + shown, VC_TOKEN_SIZE - shown) != 0);
    free(masked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static vc_gate *gate;
    if (gate == NULL) gate = make_gate();
    if (size == 0) return 0;
    bool is_cube = (data[0] & 1) != 0;
    char *value = malloc(size + VC_TOKEN_SIZE);
    if (value == NULL) return 0;
    size_t used = 0;
    for (size_t i = 1; i < size; i++) { /* 0xFE stands for the token, or nobody would find it */
        bool is_token = data[i] == 0xFE && used + VC_TOKEN_SIZE <= size;
        memcpy(value + used, is_token ? token : (const char *)&data[i],
               is_token ? VC_TOKEN_SIZE : 1);
        used += is_token ? VC_TOKEN_SIZE : 1;
        if (used >= size) break;
    }
    vc_request request = {.authorization = {value, used}};
    vc_admission *admission = vc_gate_admission(gate);
    vc_caller caller;
    unsigned wait_s;
    vc_status status =
        vc_admission_check(admission, &request, is_cube, 1000, 1, &caller, &wait_s, NULL);
    assert((status == VC_OK) == is_right(request.authorization, is_cube));
    assert(caller.role != NULL && (status == VC_OK || caller.role == &vc_role_nobody));
    vc_admission_release(admission);
    check_mask(value, used);
    free(value);
    return 0;
}
